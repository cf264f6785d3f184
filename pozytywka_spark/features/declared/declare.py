"""The shapes that most entries have, so that a catalogue reads as a list of what differs."""

from __future__ import annotations

from collections.abc import Callable

import polars as pl

from pozytywka_spark.features.declared.arithmetic import ratio, real
from pozytywka_spark.features.declared.declaration import Feature, Kind, Measure, ratio_in_words

NEVER = "never null"
NO_PLAYS = "null: no play of a track for which it is known"


def feature(
    name: str,
    meaning: str,
    unit: str,
    kind: Kind,
    null: str,
    measures: tuple[Measure, ...],
    expression: Callable[[], pl.Expr],
    *,
    arithmetic: str,
    source: str = "events",
    snapshot: bool = False,
    actionable: bool = False,
) -> Feature:
    """A feature of the month alone, made of events unless `source` says otherwise."""
    return Feature(
        name, meaning, unit, kind, null, source, measures, expression,
        snapshot=snapshot, actionable=actionable, arithmetic=arithmetic,
    )  # fmt: skip


def measure_itself(
    name: str,
    meaning: str,
    measure: Measure,
    unit: str = "events",
    *,
    source: str = "events",
    actionable: bool = False,
) -> Feature:
    """A count, never null, that is one measure as it stands."""
    return feature(
        name, meaning, unit, "count", NEVER, (measure,), lambda: real(measure.column()),
        source=source, actionable=actionable, arithmetic=measure.name,
    )  # fmt: skip


def ratio_of(
    name: str,
    meaning: str,
    unit: str,
    kind: Kind,
    null: str,
    over: Measure,
    under: Measure,
    *,
    scale: float = 1.0,
    source: str = "events",
    snapshot: bool = False,
    actionable: bool = False,
) -> Feature:
    """One measure over another, in units of `scale`; null where there is nothing to divide by."""
    return feature(
        name, meaning, unit, kind, null, (over, under),
        lambda: ratio(over.column(), under.column(), scale),
        source=source, snapshot=snapshot, actionable=actionable,
        arithmetic=ratio_in_words(over.name, under.name, scale),
    )  # fmt: skip
