"""What a catalogue entry is: a measure of the month's events, and a feature made of measures."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Literal

from pyspark.sql import Column
from pyspark.sql import functions as F

Level = Literal["event", "genre", "user"]
Kind = Literal["count", "sum", "average", "share", "ratio", "duration", "calendar"]


@dataclass(frozen=True)
class Measure:
    """A whole number per user and month, stored in `user_month` and summed over months by trailing windows.

    `aggregate` is an aggregate expression over the month's events (level `event`) or over the genres
    listened to in the month (`genre`), or reads a column of the user (`user`). It must be exact in whole
    numbers: sums of doubles depend on the order in which a shuffle delivers them, so that two runs
    over the same data would differ in the last bit, and "incremental equals full" could not hold.
    """

    name: str
    aggregate: Callable[[], Column]
    level: Level = "event"

    def column(self) -> Column:
        """The measure of the row's own month."""
        return F.col(self.name)


@dataclass(frozen=True)
class Feature:
    """One entry of the catalogue; `expression` reads columns of `user_month` and yields a number."""

    name: str
    meaning: str
    unit: str
    kind: Kind
    null: str
    source: str
    measures: tuple[Measure, ...]
    expression: Callable[[], Column]
    window: str = "month"
    snapshot: bool = False
    actionable: bool = False

    @property
    def origin(self) -> str:
        """Whether the value comes from events before the cut-off only, or from a snapshot of the present."""
        return "snapshot" if self.snapshot else "event"
