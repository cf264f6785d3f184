"""Times, kinds and the arithmetic of entries, beside Python's own."""

from __future__ import annotations

import math
from datetime import UTC, date, datetime, timedelta

import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from polars.exceptions import InvalidOperationError

from pozytywka_spark.features.declared.arithmetic import count_if, divided, fixed_point, ratio, real, total
from pozytywka_spark.features.declared.event_codes import KINDS, is_kind, is_like, is_play, kind_of
from pozytywka_spark.features.declared.variety import LOG_DIGITS
from pozytywka_spark.features.times import (
    cut_off_of,
    day_of,
    month_number,
    start_of,
    time_of_day,
    time_of_week,
)
from pozytywka_spark.months import cut_off_micros, month_at, months_between, number_of, start_micros

EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
MOMENTS = st.datetimes(datetime(1900, 1, 1), datetime(2100, 1, 1), timezones=st.just(UTC))
NUMBERS = st.integers(-(2**53), 2**53)


def micros(time: datetime) -> int:
    return (time - EPOCH) // timedelta(microseconds=1)


@settings(deadline=None, max_examples=25)
@given(st.lists(MOMENTS, min_size=1, max_size=200))
def test_times_are_those_of_the_calendar(moments: list[datetime]) -> None:
    frame = pl.DataFrame(
        {"when": [micros(each) for each in moments], "of": [each.date().replace(day=1) for each in moments]}
    )
    found = frame.select(
        day_of(pl.col("when")).alias("day"),
        time_of_day(pl.col("when")).alias("time"),
        time_of_week(pl.col("when")).alias("week"),
        month_number(pl.col("of")).alias("number"),
        start_of(pl.col("of")).alias("start"),
        cut_off_of(pl.col("of")).alias("cut_off"),
    )
    midnights = [each.replace(hour=0, minute=0, second=0, microsecond=0) for each in moments]
    starts = [each.replace(day=1) for each in midnights]
    assert found.to_dict(as_series=False) == {
        "day": [(each - EPOCH).days for each in midnights],
        "time": [micros(each) - micros(midnight) for each, midnight in zip(moments, midnights, strict=True)],
        "week": [
            micros(each) - micros(midnight - timedelta(days=midnight.weekday()))
            for each, midnight in zip(moments, midnights, strict=True)
        ],
        "number": [number_of(each.date()) for each in starts],
        "start": [micros(each) for each in starts],
        "cut_off": [micros((each + timedelta(days=31)).replace(day=1)) for each in starts],
    }
    assert [start_micros(each.date()) for each in starts] == found["start"].to_list()
    assert [cut_off_micros(each.date()) for each in starts] == found["cut_off"].to_list()


def test_months_are_numbered_and_listed() -> None:
    assert [month_at(number_of(each)) for each in (date(1970, 1, 1), date(2023, 12, 1))] == [
        date(1970, 1, 1),
        date(2023, 12, 1),
    ]
    assert months_between(date(2023, 11, 1), date(2024, 2, 1)) == (
        date(2023, 11, 1), date(2023, 12, 1), date(2024, 1, 1), date(2024, 2, 1),
    )  # fmt: skip
    assert months_between(date(2024, 2, 1), date(2024, 1, 1)) == ()


def test_kinds_are_numbers_in_their_order_at_one_instant() -> None:
    frame = pl.DataFrame({"type": [*KINDS, "play", None]})
    kinds = frame.select(kind_of(pl.col("type")).alias("kind"))
    assert kinds.to_dict(as_series=False) == {"kind": [0, 1, 2, 3, 4, None, None]}
    assert kinds.schema == {"kind": pl.UInt8}
    assert kinds.select(
        is_play().alias("play"), is_like().alias("like"), is_kind("SKIP").alias("skip")
    ).rows() == [
        (False, False, True),
        (False, False, False),
        (False, False, False),
        (True, False, False),
        (False, True, False),
        (None, None, None),
        (None, None, None),
    ]  # fmt: skip


@settings(deadline=None, max_examples=25)
@given(st.lists(st.floats(-1000, 1000), min_size=1, max_size=100), st.integers(0, 14))
def test_fixed_point_rounds_halves_to_even(values: list[float], digits: int) -> None:
    expected = [round(value * 10.0**digits) for value in values]
    frame = pl.DataFrame({"real": values})
    assert frame.select(fixed_point(pl.col("real"), digits))["real"].to_list() == expected


def test_fixed_point_of_halves_and_of_nothing() -> None:
    frame = pl.DataFrame({"real": [0.5, 1.5, 2.5, -0.5, -1.5, None], "expected": [0, 2, 2, 0, -2, None]})
    assert frame.select(fixed_point(pl.col("real"), 0))["real"].to_list() == frame["expected"].to_list()


@settings(deadline=None, max_examples=25)
@given(st.lists(st.tuples(NUMBERS, NUMBERS), min_size=1, max_size=100), st.sampled_from([1.0, 1000.0, 1e11]))
def test_ratios_are_those_of_doubles_whatever_the_frame(pairs: list[tuple[int, int]], scale: float) -> None:
    def expected(over: int, under: int) -> float | None:
        return float(over) / float(under) / scale if under else None

    made = ratio(pl.col("over"), pl.col("under"), scale).alias("made")
    frame = pl.DataFrame(pairs, schema={"over": pl.Int64, "under": pl.Int64}, orient="row")
    assert frame.select(made)["made"].to_list() == [expected(*pair) for pair in pairs]
    alone = [frame[place].select(made).item() for place in range(len(pairs))]
    assert alone == [expected(*pair) for pair in pairs]
    same = frame.with_columns(under=pl.lit(pairs[0][1]))
    assert same.select(made)["made"].to_list() == [expected(over, pairs[0][1]) for over, _ in pairs]


def test_a_ratio_of_nothing_is_null() -> None:
    frame = pl.DataFrame(
        {"over": [1, 0, 3, None], "under": [0, 5, None, 2]}, schema_overrides={"over": pl.Int64}
    )
    assert frame.select(ratio(pl.col("over"), pl.col("under")))["over"].to_list() == [None, 0.0, None, None]


def test_a_division_by_one_number_is_a_division() -> None:
    numbers = list(range(1, 20_000))
    frame = pl.DataFrame({"whole": numbers})
    found = frame.select(divided(real(pl.col("whole")), 60e6))["whole"].to_list()
    assert found == [number / 60e6 for number in numbers]
    # what `divided` is for: as soon as this holds, Polars divides by itself and it can go
    assert (frame["whole"].cast(pl.Float64) / 60e6).to_list() != found


def test_totals_and_counts_over_nothing_are_zero_and_an_overflow_is_told() -> None:
    frame = pl.DataFrame({"n": [None, None, 2**62, 2**62, 5], "by": [1, 1, 2, 2, 3]})
    totals = frame.group_by("by", maintain_order=True).agg(
        total(pl.col("n")), count_if(pl.col("n") > 1).alias("some")
    )
    assert totals.rows() == [(1, 0, 0), (2, 2**63, 2), (3, 5, 1)]
    with pytest.raises(InvalidOperationError, match="'n' for 1 out of 3 values"):
        totals.with_columns(pl.col("n").cast(pl.Int64))


def test_logarithms_in_fixed_point_are_those_of_c() -> None:
    numbers = [*range(1, 20_000), *range(100_000, 180_000, 7)]
    found = pl.DataFrame({"n": numbers}).select(fixed_point(real(pl.col("n")).log(), LOG_DIGITS))
    assert found["n"].to_list() == [round(math.log(number) * 10.0**LOG_DIGITS) for number in numbers]
