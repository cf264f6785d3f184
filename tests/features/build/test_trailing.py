"""Sums over the last months against a loop over months, and at the end of 64 bits."""

from __future__ import annotations

from datetime import date

import hypothesis.strategies as st
import polars as pl
import pytest
from hypothesis import given, settings
from polars.testing import assert_frame_equal

from pozytywka_spark.errors import DataError
from pozytywka_spark.features.build.trailing import trailing_sums
from pozytywka_spark.months import month_at, number_of

LARGEST, SMALLEST = 2**63 - 1, -(2**63)
SCHEMA = {"user_id": pl.Int64, "month": pl.Date, "plays": pl.Int64, "skips": pl.Int64}
SUMS = (("plays", 3), ("skips", 12), ("plays", 6), ("skips", 2))
MONTHS = st.integers(number_of(date(2021, 11, 1)), number_of(date(2024, 2, 1)))
USERS = st.sampled_from([SMALLEST, -1, 0, 7, 10**15, LARGEST])
NOTHING = (None, None)
NUMBERS = st.none() | st.integers(-5, 5) | st.integers(-(2**60), 2**60)


def test_a_month_without_a_row_counts_as_none() -> None:
    rows = _rows(
        (1, date(2023, 1, 1), 1, None),
        (1, date(2023, 2, 1), 10, None),
        (1, date(2023, 5, 1), 100, 5),  # the two before it lie outside
        (2, date(2023, 5, 1), 7, -2),
        (1, date(2023, 4, 1), None, 3),
    )
    assert trailing_sums(rows, (("plays", 3), ("skips", 2), ("plays", 4))).rows() == [
        (1, None, 1),
        (11, None, 11),
        (100, 8, 110),
        (7, -2, 7),
        (10, 3, 11),
    ]


@settings(max_examples=200)
@given(st.dictionaries(st.tuples(USERS, MONTHS), st.tuples(NUMBERS, NUMBERS), max_size=40))
def test_a_loop_gives_the_same(values: dict[tuple[int, int], tuple[int | None, int | None]]) -> None:
    rows = _rows(*((user, month_at(number), *both) for (user, number), both in values.items()))
    spans = ((0, 3), (1, 12), (0, 6), (1, 2))
    looped = [
        tuple(
            _sum([values.get((user, month - back), NOTHING)[which] for back in range(span)])
            for which, span in spans
        )
        for user, month in values
    ]
    names = ["plays_over_3", "skips_over_12", "plays_over_6", "skips_over_2"]
    expected = pl.DataFrame(looped, dict.fromkeys(names, pl.Int128), orient="row")
    told = [each for row in looped for each in row if each is not None]
    beyond = [each for each in told if not SMALLEST <= each <= LARGEST]
    if beyond:
        with pytest.raises(DataError, match="leaves 64 bits"):
            trailing_sums(rows, SUMS)
    else:
        assert_frame_equal(trailing_sums(rows, SUMS), expected.cast(pl.Int64))


@pytest.mark.parametrize(
    ("values", "fits"),
    [
        ((LARGEST, 0, 0), True),
        ((LARGEST, 1, 0), False),
        ((LARGEST, 1, -1), False),  # the second row's sum is too large, the third's isn't
        ((LARGEST - 5, 5, 0), True),
        ((-LARGEST, -1, 0), True),
        ((-LARGEST, -2, 0), False),
        ((LARGEST, LARGEST, LARGEST), False),  # wraps around to a number that looks like one
        ((LARGEST, -LARGEST, LARGEST), True),
    ],
)
def test_a_sum_that_leaves_64_bits_is_refused(values: tuple[int, int, int], fits: bool) -> None:
    rows = _rows(*((9, date(2023, place + 1, 1), value, 0) for place, value in enumerate(values)))
    if fits:
        assert trailing_sums(rows, (("plays", 3),)).to_series().to_list() == [
            sum(values[: place + 1]) for place in range(3)
        ]
    else:
        with pytest.raises(DataError, match="plays over 3 months leaves 64 bits for user 9 in 2023-02"):
            trailing_sums(rows, (("plays", 3),))


def test_rows_of_nothing_and_sums_of_nothing() -> None:
    assert trailing_sums(_rows(), (("plays", 3),)).shape == (0, 1)
    assert trailing_sums(_rows((1, date(2023, 1, 1), 1, 1)), ()).width == 0


def _rows(*rows: tuple[int, date, int | None, int | None]) -> pl.DataFrame:
    return pl.DataFrame(list(rows), SCHEMA, orient="row")


def _sum(values: list[int | None]) -> int | None:
    given_ones = [value for value in values if value is not None]
    return sum(given_ones) if given_ones else None
