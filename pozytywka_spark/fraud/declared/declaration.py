"""What a signal is, and the whole numbers that signals are made of."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import Literal

import polars as pl

NEVER = "never null"
NO_PLAYS = "null: no plays"
PAST_DAYS = 28  # how far an account's own past reaches back

Level = Literal["event", "hour", "track", "artist", "past"]


@dataclass(frozen=True, kw_only=True)
class Measure:
    """A whole number of an account-day, so that sums are exact in any order.

    `level` says which rows `value` is aggregated over:

    - `event`: the day's events, columns of `signals.day_events`;
    - `hour`, `track`, `artist`: the day's plays counted by clock hour, by track, by artist: column `plays`;
    - `past`: none: `value` is an expression over the measures of one day, added up over the account's days
      in `[day - 28 days, day)`.

    `arithmetic` is the value in our own words, which decides the hash; raise `revision` when values become
    others and the words stay.
    """

    name: str
    level: Level
    value: Callable[[], pl.Expr]
    arithmetic: str
    revision: int = 1


@dataclass(frozen=True, kw_only=True)
class Signal:
    """One number of an account and a UTC day, of events before the day's end.

    `value` is arithmetic over measures, and over `first_day` (the account's first day with an event) and
    `plays_before` (its plays on all earlier days). `null` says when there is none.
    """

    name: str
    meaning: str
    unit: str
    null: str
    value: Callable[[], pl.Expr]
    arithmetic: str
    measures: tuple[Measure, ...] = ()
    revision: int = 1


def measures_of(signals: Iterable[Signal]) -> tuple[Measure, ...]:
    """The measures that `signals` need, each once, in order of first use."""
    return tuple({measure.name: measure for signal in signals for measure in signal.measures}.values())


def declaration(entry: Signal | Measure) -> list[object]:
    """What of an entry decides its values."""
    if isinstance(entry, Measure):
        return [entry.name, entry.level, entry.arithmetic, entry.revision]
    measures = [declaration(measure) for measure in entry.measures]
    return [entry.name, entry.unit, entry.null, entry.arithmetic, entry.revision, measures]
