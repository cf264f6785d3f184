"""What a catalogue entry is: a measure of the month's events, and a feature made of measures."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Literal

from pyspark.sql import Column
from pyspark.sql import functions as F

Level = Literal["event", "popularity", "gap", "session", "genre", "debut", "user"]
Kind = Literal["count", "sum", "average", "share", "ratio", "duration", "calendar"]


@dataclass(frozen=True)
class Measure:
    """A whole number per user and month, stored in `user_month` and summed over months by trailing windows.

    `aggregate` is an aggregate expression over the month's rows of its `level`: `event` (each event, plays
    with their track's attributes), `popularity` (the same with `prior_plays`, which take a pass of their
    own), `gap` (each event but likes, with its neighbours in the session), `session`, `genre` (each
    listened to), `debut` (each artist the user never played before); or it reads a column of the
    `user`. Over no rows it must be 0 or null. It must be exact in whole numbers:
    sums of doubles depend on the order in which a shuffle delivers them, so that two runs over the
    same data would differ in the last bit, and "incremental equals full" could not hold.

    `arithmetic` states the aggregate in our own words, for no engine in particular. With the `revision` it
    is what the catalogue's hash is made of: raise the revision when the values become others and the
    statement stays (a test holds recorded values against it).
    """

    name: str
    aggregate: Callable[[], Column]
    level: Level = "event"
    arithmetic: str = ""
    revision: int = 1

    def column(self) -> Column:
        """The measure of the row's own month."""
        return F.col(self.name)

    def over(self, months: int) -> Column:
        """Its sum over the last `months` months, for a feature that declares this span; see `as_features`."""
        return F.col(sum_name(self.name, months))


@dataclass(frozen=True)
class Feature:
    """One entry of the catalogue; `expression` reads its measures of the row's month and yields a number.

    With `months` above 1 it may also read each measure summed over so many months, `measure.over(months)`.
    `arithmetic` and `revision` as of `Measure`, over the measures' names.
    """

    name: str
    meaning: str
    unit: str
    kind: Kind
    null: str
    source: str
    measures: tuple[Measure, ...]
    expression: Callable[[], Column]
    months: int = 1
    snapshot: bool = False
    actionable: bool = False
    arithmetic: str = ""
    revision: int = 1

    @property
    def window(self) -> str:
        """The months it looks at, in words."""
        return "month" if self.months == 1 else f"{self.months} months"

    @property
    def origin(self) -> str:
        """Whether the value comes from events before the cut-off only, or from a snapshot of the present."""
        return "snapshot" if self.snapshot else "event"


def ratio_in_words(numerator: str, denominator: str, scale: float = 1.0) -> str:
    """The statement of `columns.ratio`: null where the denominator is 0 or null."""
    return scaled_in_words(f"{numerator} / {denominator}", scale)


def scaled_in_words(value: str, scale: float) -> str:
    """The statement of a value in units of `scale`."""
    return value if scale == 1.0 else f"{value} / {scale:.15g}"


def sum_name(measure: str, months: int) -> str:
    """The column that holds a measure's sum over the last `months` months."""
    return f"{measure}_over_{months}"
