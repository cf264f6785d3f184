"""Two frames of features beside each other: every bit counts, whatever the order of rows."""

from __future__ import annotations

from datetime import date
from math import nan

import polars as pl

from pozytywka_spark.features.guards.compare import differences

JANUARY, FEBRUARY = date(2023, 1, 1), date(2023, 2, 1)
SCHEMA = {"user_id": pl.Int64, "month": pl.Date, "a": pl.Float64, "b": pl.Float64}


def rows(*given: tuple[int, date, float | None, float | None]) -> pl.DataFrame:
    return pl.DataFrame(given, SCHEMA, orient="row")


WRITTEN = rows(
    (1, JANUARY, 1.0, None), (2, JANUARY, nan, 0.0), (1, FEBRUARY, 2.0, 3.0), (3, FEBRUARY, 0.1 + 0.2, 1.0)
)


def told(again: pl.DataFrame, *features: str) -> list[tuple[str, date, int]]:
    return [tuple(each) for each in differences(WRITTEN, again, features or ("a", "b"))]


def test_equal_rows_in_any_order() -> None:
    assert told(WRITTEN.reverse().select("b", "month", "user_id", "a")) == []
    assert differences(WRITTEN.clear(), WRITTEN.clear(), ["a"]) == []


def test_every_bit_counts() -> None:
    again = rows(
        (1, JANUARY, 1.0, 0.0), (2, JANUARY, nan, -0.0), (1, FEBRUARY, 2.0, 3.0), (3, FEBRUARY, 0.3, None)
    )
    assert told(again) == [("a", FEBRUARY, 3), ("b", JANUARY, 1)]


def test_the_first_row_is_of_the_first_month() -> None:
    again = WRITTEN.with_columns(
        a=pl.lit(9.0), b=pl.when(pl.col("month") == FEBRUARY).then(9.0).otherwise("b")
    )
    assert told(again) == [("a", JANUARY, 1), ("b", FEBRUARY, 1)]
    assert told(again, "b") == [("b", FEBRUARY, 1)]


def test_a_row_on_one_side_only_differs_in_all() -> None:
    fewer, more = WRITTEN[:3], pl.concat([WRITTEN, rows((9, JANUARY, None, None))])
    assert told(fewer) == [("a", FEBRUARY, 3), ("b", FEBRUARY, 3)]
    assert told(more) == [("a", JANUARY, 9), ("b", JANUARY, 9)]
    assert told(WRITTEN.clear()) == [("a", JANUARY, 1), ("b", JANUARY, 1)]
    changed = more.with_columns(b=pl.when(pl.col("user_id") == 1).then(5.0).otherwise("b"))
    assert told(changed) == [("a", JANUARY, 9), ("b", JANUARY, 1)]
