"""What a feature's value is: measures of the month's events, and arithmetic over them."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable
from dataclasses import dataclass
from typing import Literal

import polars as pl

from pozytywka_spark.errors import UsageError
from pozytywka_spark.features.declared.arithmetic import divided, ratio, real

Level = Literal[
    "event", "popularity", "gap", "session", "genre", "group", "language", "text", "debut", "user"
]
SUM, PRODUCT, TERM = 1, 2, 3  # precedence: a sum is written in brackets where a product has it as a part


class Value(ABC):
    """A number per user and month that `+`, `-`, `*` and `/` make others of: with values and with numbers.

    `a / b` is a double, null where b is 0 or null; `a / 60.0` never is. The others are exact as long as
    only whole numbers take part. Null in, null out.

    >>> plays = Measure(name="plays", aggregate=pl.len, arithmetic="count of PLAY")
    >>> skips = Measure(name="skips", aggregate=pl.len, arithmetic="count of SKIP")
    >>> (skips / (plays + skips)).as_formula().arithmetic
    'skips / (plays + skips)'
    >>> rows = pl.DataFrame({"plays": [3, 0], "skips": [1, 0]})
    >>> rows.select((skips / (plays + skips)).expression()).to_series().to_list()
    [0.25, None]
    """

    @abstractmethod
    def as_formula(self) -> Formula:
        """The same number as a formula over measures."""

    def __add__(self, other: Value | float) -> Formula:
        return _combined(self, other, "+", lambda left, right: left + right, SUM)

    def __sub__(self, other: Value | float) -> Formula:
        return _combined(self, other, "-", lambda left, right: left - right, SUM)

    def __mul__(self, other: Value | float) -> Formula:
        return _combined(self, other, "*", lambda left, right: left * right, PRODUCT)

    def __truediv__(self, other: Value | float) -> Formula:
        if other == 0:
            raise UsageError(f"{self.as_formula().arithmetic} / 0: there is nothing to divide by")
        return _combined(self, other, "/", _quotient, PRODUCT)


@dataclass(frozen=True, kw_only=True)
class Formula(Value):
    """Arithmetic over measures of the row's month; one is written out where operators can't say it.

    `expression` reads the columns of `measures`, and `month` and `cut_off`. With `months` above 1 it may also
    read each measure summed over so many months, `measure.over(months)`. `arithmetic` states it in our own
    words, over measures' names: the catalogue's hash is made of that, not of the expression.
    """

    arithmetic: str
    measures: tuple[Measure, ...]
    expression: Callable[[], pl.Expr]
    months: int = 1
    precedence: int = TERM

    def as_formula(self) -> Formula:
        """Itself."""
        return self


@dataclass(frozen=True, kw_only=True)
class Measure(Value):
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
    - `group`: each group of genres (see `topics`) that an artist played lies in, by id. `group`,
      `code` (`hashing.codes.code_of` its id), `plays`, `new` (1 if the user played nothing of it in any
      earlier month, else 0), `favourite` (1 if a genre that the user likes best lies in it, else 0)
    - `language`: each language of a track played, its own where its title tells for sure, else the artist's.
      `language`, `plays`, `polish` (1 or 0)
    - `text`: each text that is no spam, of the 12 months up to the cut-off: the row's month and those before.
      `at`, `months_ago` (0 for the row's month), `sentiment` (in 10^-6, null where unknown), `price` and
      `adverts` (1 where the text's queue is one for them, else 0)
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
    arithmetic: str
    level: Level = "event"
    revision: int = 1

    def as_formula(self) -> Formula:
        """The measure of the row's own month."""
        return Formula(arithmetic=self.name, measures=(self,), expression=self.column)

    def column(self) -> pl.Expr:
        """The column of the row's own month."""
        return pl.col(self.name)

    def over(self, months: int) -> Formula:
        """Its sum over the last `months` months, this one included."""
        name = sum_name(self.name, months)
        return Formula(arithmetic=name, measures=(self,), expression=lambda: pl.col(name), months=months)


def sum_name(measure: str, months: int) -> str:
    """The column that holds a measure's sum over the last `months` months.

    >>> sum_name("plays", 3)
    'plays_over_3'
    """
    return f"{measure}_over_{months}"


def _combined(
    left: Value,
    right: Value | float,
    sign: str,
    combine: Callable[[pl.Expr, pl.Expr | float], pl.Expr],
    precedence: int,
) -> Formula:
    first = left.as_formula()
    text = f"{_as_part(first, precedence)} {sign} "
    if not isinstance(right, Value):
        return Formula(
            arithmetic=f"{text}{right:.15g}",
            measures=first.measures,
            expression=lambda: combine(first.expression(), right),
            months=first.months,
            precedence=precedence,
        )
    second = right.as_formula()
    return Formula(
        arithmetic=f"{text}{_as_part(second, precedence + 1)}",
        measures=tuple({each.name: each for each in (*first.measures, *second.measures)}.values()),
        expression=lambda: combine(first.expression(), second.expression()),
        months=_one_span(first, second),
        precedence=precedence,
    )


def _as_part(formula: Formula, precedence: int) -> str:
    text = formula.arithmetic
    return f"({text})" if formula.precedence < precedence else text


def _one_span(first: Formula, second: Formula) -> int:
    spans = sorted({first.months, second.months} - {1})
    if len(spans) > 1:
        raise UsageError(
            f"{first.arithmetic} and {second.arithmetic} look over {spans[0]} and {spans[1]} months; "
            "one feature looks over one span"
        )
    return spans[0] if spans else 1


def _quotient(value: pl.Expr, by: pl.Expr | float) -> pl.Expr:
    return ratio(value, by) if isinstance(by, pl.Expr) else divided(real(value), float(by))
