"""Days at their edges: what is counted where, by literals; no Spark."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from typing import Any

import numpy as np
import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from polars.testing import assert_frame_equal

from pozytywka_spark.config import Data
from pozytywka_spark.errors import DataError
from pozytywka_spark.forecasting.complete_days import complete_days
from pozytywka_spark.forecasting.measures import (
    BY_CITY,
    BY_GROUP,
    MEASURES,
    MonthCounts,
    Prices,
    Universe,
    series_rows,
)
from pozytywka_spark.forecasting.series_work import Names, counted, first_days, numbered, with_listened
from pozytywka_spark.forecasting.sides import TRACK_ROWS, USER_ROWS
from pozytywka_spark.lake.data_span import span_of
from pozytywka_spark.months import start_micros

NAMES = Names(("Gdynia", "Radom"), ("pop",))
TRACKS = pl.DataFrame(
    [("a", 60_000, "pop", 0.5), ("b", 200_000, None, 0.25), ("c", None, "pop", None)],
    TRACK_ROWS,
    orient="row",
)
USERS = pl.DataFrame([(1, "Radom"), (2, "Gdynia"), (3, None)], USER_ROWS, orient="row")
EVENTS = {
    "user_id": pl.Int64,
    "event_time": pl.Datetime("us", "UTC"),
    "event_type": pl.String,
    "session_id": pl.Int64,
    "track_id": pl.String,
}
SINCE, UNTIL = start_micros(date(2023, 1, 1)), start_micros(date(2023, 1, 4))


def rows_of(*events: tuple[int | None, str, str, int, str | None]) -> pl.DataFrame:
    """Events by user, time (day and hour of January 2023), kind, session and track, as `numbered`."""
    rows = [
        (user, datetime.fromisoformat(f"2023-01-{time}+00:00"), kind, session, track)
        for user, time, kind, session, track in events
    ]
    frame = pl.DataFrame(rows, EVENTS, orient="row")
    return numbered(frame, USERS, TRACKS, NAMES, SINCE, UNTIL)


def listened(*events: tuple[int | None, str, str, int, str | None]) -> list[float]:
    """Seconds of each PLAY, in order of users, sessions and time."""
    return [each / 1e6 for each in with_listened(rows_of(*events)).get_column("listened_us").to_list()]


def test_only_days_inside_the_span_count_to_the_microsecond() -> None:
    rows = rows_of(
        (1, "01T00:00:00.000000", "PLAY", 1, "a"),
        (1, "03T23:59:59.999999", "PLAY", 1, "a"),
        (1, "04T00:00:00.000000", "PLAY", 1, "a"),
    )
    assert (rows["day"] - SINCE // 86_400_000_000).to_list() == [0, 2]


@pytest.mark.parametrize(
    ("events", "seconds"),
    [
        # to the next event, at most the duration; a like ends nothing
        ([(1, "01T10:00:00", "PLAY", 1, "a"), (1, "01T10:00:30", "SKIP", 1, "a")], [30]),
        ([(1, "01T10:00:00", "PLAY", 1, "a"), (1, "01T10:00:30", "LIKE", 1, "a")], [60]),
        ([(1, "01T10:00:00", "PLAY", 1, "a"), (1, "01T12:00:00", "PLAY", 1, "b")], [60, 200]),
        # the next event of another session, another user or another day ends nothing
        ([(1, "01T10:00:00", "PLAY", 1, "b"), (1, "01T10:00:30", "PLAY", 2, "b")], [200, 200]),
        ([(1, "01T10:00:00", "PLAY", 1, "b"), (2, "01T10:00:30", "PLAY", 1, "b")], [200, 200]),
        ([(1, "01T23:59:00", "PLAY", 1, "b"), (1, "02T00:00:10", "SKIP", 1, "b")], [60]),
        # never past midnight; no duration: the next event; neither: 0
        ([(1, "01T23:59:50", "PLAY", 1, "a")], [10]),
        ([(1, "01T10:00:00", "PLAY", 1, "c"), (1, "01T10:00:30", "ADVERTISEMENT", 1, None)], [30]),
        ([(1, "01T10:00:00", "PLAY", 1, "c")], [0]),
        ([(1, "01T10:00:00", "PLAY", 1, "nowhere")], [0]),
        # at one instant a SKIP ends the play before it
        (
            [(1, "01T10:00:00", "PLAY", 1, "a"), (1, "01T10:00:20", "PLAY", 1, "b"),
             (1, "01T10:00:20", "SKIP", 1, "a")],
            [20, 200],
        ),
    ],
)  # fmt: skip
def test_listened(events: list[tuple[Any, ...]], seconds: list[float]) -> None:
    assert listened(*events) == seconds
    assert sum(listened(*reversed(events))) == sum(seconds)


def test_counts_by_day_city_and_group() -> None:
    rows = rows_of(
        (1, "01T10:00:00", "PLAY", 1, "a"),
        (1, "01T10:00:40", "SKIP", 1, "a"),
        (2, "01T10:00:00", "PLAY", 2, "b"),
        (2, "02T10:00:00", "LIKE", 3, "a"),
        (3, "02T10:00:00", "ADVERTISEMENT", 4, None),
        (9, "02T10:00:00", "BUY_PREMIUM", 5, None),
    )
    day = SINCE // 86_400_000_000
    expected = pl.DataFrame(
        [
            (day, 0, 1, 1, 0, 0, 0, 0, 200_000_000),
            (day, 1, 0, 1, 1, 0, 0, 0, 40_000_000),
            (day + 1, 0, 0, 0, 0, 1, 0, 0, 0),
            (day + 1, 2, 1, 0, 0, 0, 1, 1, 0),  # no city, no track
        ],
        {"day": pl.Int32, "city": pl.Int32, "group": pl.Int32, **dict.fromkeys(BY_GROUP, pl.Int64)},
        orient="row",
    )
    assert_frame_equal(counted(rows).sort("day", "city", "group"), expected)
    firsts = first_days(rows).sort("user_id")
    assert firsts.rows() == [
        (1, 1, day, None), (2, 0, day, None), (3, 2, day + 1, None), (9, 2, day + 1, day + 1)
    ]  # fmt: skip


@pytest.mark.thorough
@settings(max_examples=25, deadline=None)
@given(st.integers(1, 3), st.integers(1, 3), st.integers(1, 4), st.integers(0, 2**31))
def test_cities_and_groups_add_up(cities: int, groups: int, days: int, seed: int) -> None:
    dice = np.random.default_rng(seed)
    shape = (days, cities + 1, groups + 1)
    counts = MonthCounts(
        [date(2023, 1, 1) + timedelta(days=day) for day in range(days)],
        {name: dice.integers(0, 1000, shape) for name in BY_GROUP},
        {name: dice.integers(0, 1000, shape[:2]) for name in BY_CITY},
        dice.integers(0, 1000, cities + 1),
        dice.integers(0, 1000, cities + 1),
        dice.random(days),
    )
    universe = Universe(
        tuple(f"city {n}" for n in range(cities)), tuple(f"group {n}" for n in range(groups))
    ).with_unknown(city=True, group=True)
    for some in (counts, counts.monthly()):
        rows = series_rows(some, universe, Prices(20.0, 0.01))
        assert rows.height == universe.series * len(some.days)
        assert rows.select("measure", "city", "group_id", "day").is_unique().all()
        whole = rows.filter((pl.col("city") == "all") & (pl.col("group_id") == "all"))
        for axis, other in (("city", "group_id"), ("group_id", "city")):
            parts = rows.filter((pl.col(axis) != "all") & (pl.col(other) == "all"))
            summed = parts.group_by("measure", "day").agg(pl.col("value").sum().alias("parts"))
            both = whole.join(summed, on=["measure", "day"])
            split = {each.name for each in MEASURES if (each.by_city if axis == "city" else each.by_group)}
            assert set(both["measure"]) == split
            np.testing.assert_allclose(both["value"], both["parts"], rtol=1e-9)


DAYS = [date(2023, 1, 1) + timedelta(days=day) for day in range(40)]


@pytest.mark.parametrize(
    ("counts", "data", "first", "end"),
    [
        (dict.fromkeys(DAYS, 100), Data(), DAYS[0], DAYS[39]),  # the last day never counts
        (dict.fromkeys(DAYS, 100) | {DAYS[39]: 2}, Data(), DAYS[0], DAYS[39]),  # ten past midnight: past it
        (dict.fromkeys(DAYS, 100) | {DAYS[39]: 50}, Data(), DAYS[0], DAYS[39]),  # cut at noon
        (
            dict.fromkeys(DAYS, 100) | {DAYS[39] + timedelta(days=400): 3},
            Data(),
            DAYS[0],
            DAYS[39],
        ),  # a stray
        (dict.fromkeys(DAYS[:20] + DAYS[22:], 100), Data(), DAYS[0], DAYS[39]),  # days without an event
        (dict.fromkeys(DAYS, 100), Data(end=datetime(2023, 1, 20, tzinfo=UTC)), DAYS[0], DAYS[19]),
        (dict.fromkeys(DAYS, 100), Data(end=datetime(2023, 1, 20, 12, tzinfo=UTC)), DAYS[0], DAYS[19]),
        (dict.fromkeys(DAYS, 100), Data(start=datetime(2023, 1, 5, tzinfo=UTC)), DAYS[4], DAYS[39]),
    ],
)
def test_complete_days(counts: dict[date, int], data: Data, first: date, end: date) -> None:
    found = complete_days(span_of(counts, data), counts, data)
    assert (found.first, found.end) == (first, end)


def test_a_single_day_is_refused_in_one_line() -> None:
    counts = {DAYS[0]: 5}
    with pytest.raises(DataError, match=r"^no day of the lake is complete: its only one, 2023-01-01"):
        complete_days(span_of(counts, Data()), counts, Data())


def test_months_that_are_whole() -> None:
    counts = dict.fromkeys(DAYS, 100)
    found = complete_days(span_of(counts, Data()), counts, Data())
    assert found.months == (date(2023, 1, 1), date(2023, 2, 1))
    assert [found.is_whole(month) for month in found.months] == [True, False]
    assert found.of(date(2023, 2, 1)) == (date(2023, 2, 1), DAYS[39])
