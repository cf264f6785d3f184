"""What a catalogue entry is: a measure of the month's events, and a feature made of measures."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import Literal

import polars as pl

Level = Literal["event", "popularity", "gap", "session", "genre", "debut", "user"]
Kind = Literal["count", "sum", "average", "share", "ratio", "duration", "calendar"]


@dataclass(frozen=True)
class Measure:
    """A whole number per user and month, stored in `user_month` and summed over months by trailing windows.

    `aggregate` is an aggregate expression over a user's month in the frame of its `level`. Every frame has
    user_id, month (the first day) and `cut_off`; times are microseconds since 1970 UTC, and all numbers
    Int64 but for `kind` (UInt8, see `event_codes`). The frames:

    - `event`: each event. `at`, `kind`, `session_id`; on a PLAY of a track of the catalogue the track's
      attributes, on all others null: `popularity`, `duration_ms`, `explicit`, `release_seconds`,
      `name_length`, the audio features and `daily_cost` in fixed point (see `arithmetic.digits_of`), `slow`,
      `medium`, `fast`; and `favourite_matches`, genres of the artist that the user likes best, 0 on others
    - `gap`: each event but LIKE, in the order of its session. `at`, `kind`, `session_id`, `duration_ms`,
      `until_next` (to the session's next one; null for the last), `since_play` (on a SKIP right after its
      PLAY), `advert_run` (on an ADVERTISEMENT: how many stand in a row up to it), `listened` (on a PLAY)
    - `session`: each session's part of the month. `session_id`, `length` (likes count too)
    - `popularity`: each track played. `plays`, and `prior_plays`: plays by anyone in earlier months, null if
      the track's duration is unknown or the track itself
    - `genre`: each first-listed `genre` (null: none listed). `plays`, `liked_plays`, `tracks` and `artists`
      (different ones)
    - `debut`: each artist that the user played in no earlier month
    - `user`: the row itself, not to be aggregated. `first_event_at`, of the user's whole life

    Over no rows it must be 0 or null, which is stored as 0. It must be exact in whole numbers: sums of
    doubles depend on the order in which rows come, so that two runs over the same data would differ in the
    last bit, and "incremental equals full" could not hold. Write sums as `arithmetic.total`, which
    tells an overflow.

    `arithmetic` states the aggregate in our own words, for no engine in particular. With the `revision` it
    is what the catalogue's hash is made of: raise the revision when the values become others and the
    statement stays (a test holds recorded values against it).
    """

    name: str
    aggregate: Callable[[], pl.Expr]
    level: Level = "event"
    arithmetic: str = ""
    revision: int = 1

    def column(self) -> pl.Expr:
        """The measure of the row's own month."""
        return pl.col(self.name)

    def over(self, months: int) -> pl.Expr:
        """Its sum over the last `months` months, for a feature that declares this span."""
        return pl.col(sum_name(self.name, months))


@dataclass(frozen=True)
class Feature:
    """One entry of the catalogue; `expression` reads its measures of the row's month and yields a number.

    It may read `month` and `cut_off` too. With `months` above 1 it may also read each measure summed over so
    many months, `measure.over(months)`. `arithmetic` and `revision` as of `Measure`, over measures' names.
    """

    name: str
    meaning: str
    unit: str
    kind: Kind
    null: str
    source: str
    measures: tuple[Measure, ...]
    expression: Callable[[], pl.Expr]
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


def measures_of(features: Iterable[Feature]) -> tuple[Measure, ...]:
    """The measures that `features` need, each once, in order of first use."""
    return tuple({measure.name: measure for feature in features for measure in feature.measures}.values())


def declaration(entry: Feature | Measure) -> list[object]:
    """What of an entry decides its values; of a feature, its measures' too."""
    if isinstance(entry, Measure):
        return [entry.name, entry.level, entry.arithmetic, entry.revision]
    measures = [declaration(measure) for measure in entry.measures]
    return [entry.name, entry.kind, entry.unit, entry.arithmetic, entry.revision, entry.months, measures]


def ratio_in_words(numerator: str, denominator: str, scale: float = 1.0) -> str:
    """The statement of `arithmetic.ratio`: null where the denominator is 0 or null."""
    return scaled_in_words(f"{numerator} / {denominator}", scale)


def scaled_in_words(value: str, scale: float) -> str:
    """The statement of a value in units of `scale`."""
    return value if scale == 1.0 else f"{value} / {scale:.15g}"


def sum_name(measure: str, months: int) -> str:
    """The column that holds a measure's sum over the last `months` months."""
    return f"{measure}_over_{months}"
