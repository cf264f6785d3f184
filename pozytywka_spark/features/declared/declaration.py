"""What a catalogue entry is: a feature, its name, meaning, unit and value; what of it decides the hash."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Literal

import polars as pl

from pozytywka_spark.features.declared.values import Measure, Value

# what entries may need beside the tables that every lake with features has
TABLES = ("artist_groups", "feedback_signals", "genre_groups", "track_languages")
Kind = Literal["count", "sum", "average", "share", "ratio", "duration", "calendar", "code"]
NEVER = "never null"
NO_PLAYS = "null: no plays"
NO_KNOWN_PLAYS = "null: no play of a track for which it is known"


@dataclass(frozen=True, kw_only=True)
class Feature:
    """One entry of the catalogue.

    `value` is a measure (`plays`) or arithmetic over measures (`skips / plays`, `plays.over(3) / 3`).
    `null` says when there is none; `source`, which tables it comes from. `snapshot`: it also uses the
    catalogue of tracks and artists as it was delivered. `actionable`: the service could change it. Raise
    `revision` when values become others and the arithmetic as stated stays.

    `needs`: which of `TABLES`; in a lake that lacks one the entry isn't there (see `lake_catalogue`).
    `by_default`: whether models are given it; what was tried and brought nothing is built all the same, and
    given to them where `features.take` names it. `looks_back`: months that the measures themselves look at,
    where those aren't of the row's month alone.
    """

    name: str
    meaning: str
    unit: str
    kind: Kind
    null: str
    value: Value
    source: str = "events"
    snapshot: bool = False
    actionable: bool = False
    revision: int = 1
    needs: tuple[str, ...] = ()
    by_default: bool = True
    looks_back: int = 1

    @property
    def measures(self) -> tuple[Measure, ...]:
        """The measures that the value is made of."""
        return self.value.as_formula().measures

    @property
    def months(self) -> int:
        """How many months the value looks over, the row's own included."""
        return self.value.as_formula().months

    @property
    def arithmetic(self) -> str:
        """The value in our own words, over measures' names."""
        return self.value.as_formula().arithmetic

    def expression(self) -> pl.Expr:
        """The value as an expression over the columns of its measures and their sums."""
        return self.value.as_formula().expression()

    @property
    def window(self) -> str:
        """The months it looks at, in words."""
        months = max(self.months, self.looks_back)
        return "month" if months == 1 else f"{months} months"

    @property
    def origin(self) -> str:
        """Whether the value comes from events before the cut-off only, or from a snapshot of the present."""
        return "snapshot" if self.snapshot else "event"


def measures_of(features: Iterable[Feature]) -> tuple[Measure, ...]:
    """The measures that `features` need, each once, in order of first use.

    >>> from pozytywka_spark.features.declared.catalogue import CATALOGUE
    >>> [measure.name for measure in measures_of(each for each in CATALOGUE if each.name == "skip_rate")]
    ['skips', 'plays']
    """
    return tuple({measure.name: measure for feature in features for measure in feature.measures}.values())


def declaration(entry: Feature | Measure) -> list[object]:
    """What of an entry decides its values; of a feature, its measures' too."""
    if isinstance(entry, Measure):
        return [entry.name, entry.level, entry.arithmetic, entry.revision]
    measures = [declaration(measure) for measure in entry.measures]
    return [entry.name, entry.kind, entry.unit, entry.arithmetic, entry.revision, entry.months, measures]
