"""Signals: by a literal, by another engine, and what must hold whatever the events are."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta

import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from polars.testing import assert_frame_equal

from pozytywka_spark.fraud.declared.catalogue import NAMES, SIGNALS, signals_hash
from pozytywka_spark.fraud.signals import day_rows as kernel
from pozytywka_spark.fraud.signals.account_rows import signal_rows, state_after
from pozytywka_spark.fraud.signals.day_rows import measure_days
from tests.fraud.made import ARTISTS, EVENT_ROWS, MEASURES, random_events, signals_of
from tests.fraud.oracle import signals_by_sql


def at(text: str) -> datetime:
    return datetime.fromisoformat(text).replace(tzinfo=UTC)


def test_signals_of_two_days() -> None:
    events = pl.DataFrame(
        [
            (7, at("2023-03-01T05:00:00"), "PLAY", 1, "t0"),
            (7, at("2023-03-01T05:00:32"), "SKIP", 1, "t0"),
            (7, at("2023-03-01T05:00:32"), "PLAY", 1, "t0"),
            (7, at("2023-03-01T06:00:32"), "PLAY", 2, "t3"),
            (7, at("2023-03-01T06:00:40"), "LIKE", 2, "t3"),
            (7, at("2023-03-04T12:00:00"), "PLAY", 3, "t6"),
            (7, at("2023-03-04T12:00:30"), "BUY_PREMIUM", 3, None),
            (7, at("2023-03-04T12:00:30"), "PLAY", 3, "t6"),
            (7, at("2023-03-04T12:00:50"), "ADVERTISEMENT", 3, None),
        ],
        schema=EVENT_ROWS,
        orient="row",
    )
    first, second = signals_of(events).to_dicts()
    assert (first["day"], second["day"]) == (date(2023, 3, 1), date(2023, 3, 4))
    assert {name: first[name] for name in NAMES} == pytest.approx(
        {
            "plays": 3, "sessions": 2, "busiest_hour_plays": 2, "active_hours": 2, "night_share": 2 / 3,
            "median_gap_seconds": 1816, "gap_deviation": 1784 / 1816, "longest_pause_hours": 1,
            "repeat_share": 1 / 3, "distinct_tracks": 2, "distinct_track_share": 2 / 3,
            "distinct_artist_share": 2 / 3, "top_track_share": 2 / 3, "top_five_share": 1,
            "top_artist_share": 2 / 3, "skip_share": 1 / 3, "median_skip_seconds": 32,
            "paid_skip_share": 1 / 3, "like_share": 1 / 3, "adverts": 0, "adverts_per_play": 0,
            "account_age_days": 0, "plays_so_far": 3, "bought_premium": 0, "plays_before_purchase": None,
            "past_active_days": 0, "plays_to_own_mean": None, "hours_to_own_mean": None,
            "night_share_change": None, "skip_share_change": None, "distinct_artist_share_change": None,
            "past_paid_skip_share": None, "past_top_five_share": None,
        }
    )  # fmt: skip
    assert {name: second[name] for name in NAMES} == pytest.approx(
        {
            "plays": 2, "sessions": 1, "busiest_hour_plays": 2, "active_hours": 1, "night_share": 0,
            "median_gap_seconds": 30, "gap_deviation": None, "longest_pause_hours": 30 / 3600,
            "repeat_share": 1 / 2, "distinct_tracks": 1, "distinct_track_share": 1 / 2,
            "distinct_artist_share": 1 / 2, "top_track_share": 1, "top_five_share": 1,
            "top_artist_share": 1, "skip_share": 0, "median_skip_seconds": None, "paid_skip_share": 0,
            "like_share": 0, "adverts": 1, "adverts_per_play": 1 / 2, "account_age_days": 3,
            "plays_so_far": 5, "bought_premium": 1, "plays_before_purchase": 4, "past_active_days": 1,
            "plays_to_own_mean": 2 / 3, "hours_to_own_mean": 1 / 2, "night_share_change": -2 / 3,
            "skip_share_change": -1 / 3, "distinct_artist_share_change": -1 / 6,
            "past_paid_skip_share": 1 / 3, "past_top_five_share": 1,
        }
    )  # fmt: skip


@pytest.mark.thorough
@pytest.mark.parametrize("seed", range(6))
def test_every_signal_equals_another_engines(seed: int) -> None:
    events = random_events(seed, 1500)
    mine, theirs = signals_of(events), signals_by_sql(events, ARTISTS)
    assert mine.columns == ["user_id", "day", *NAMES] == theirs.columns
    # a square root of what nearly cancels: half of the digits
    assert_frame_equal(mine.drop("gap_deviation"), theirs.drop("gap_deviation"), rel_tol=1e-12, abs_tol=1e-12)
    names = ["user_id", "day", "gap_deviation"]
    assert_frame_equal(mine.select(names), theirs.select(names), rel_tol=1e-7, abs_tol=1e-7)


def test_each_signal_varies_in_what_the_other_engine_checks() -> None:
    rows = signals_of(random_events(0, 1500))
    constant = [name for name in NAMES if rows.get_column(name).drop_nulls().n_unique() < 2]
    assert constant == []


@pytest.mark.thorough
@given(st.integers(0, 10_000), st.integers(1, 69))
@settings(max_examples=25, deadline=None)
def test_incremental_equals_full(seed: int, cut: int) -> None:
    """Of a day on, from the days of the month before and from rows of signals of all days before those."""
    events = random_events(seed, 300)
    full = signals_of(events)
    since = date(2023, 1, 30) + timedelta(days=cut)
    near = since - timedelta(days=28)
    days = measure_days(events, ARTISTS, MEASURES).filter(pl.col("day") >= near)
    state = state_after(full.filter(pl.col("day") < near))
    again = signal_rows(days, state, SIGNALS, since)
    assert_frame_equal(again, full.filter(pl.col("day") >= since), check_exact=True)


@pytest.mark.thorough
@given(st.integers(0, 10_000))
@settings(max_examples=25, deadline=None)
def test_the_order_and_the_company_of_rows_change_nothing(seed: int) -> None:
    events = random_events(seed, 300)
    shuffled = events.sample(fraction=1.0, shuffle=True, seed=seed)
    full = signals_of(events)
    assert_frame_equal(signals_of(shuffled), full, check_exact=True)
    alone = signals_of(shuffled.filter(pl.col("user_id") == 2))
    assert_frame_equal(alone, full.filter(pl.col("user_id") == 2), check_exact=True)


@pytest.mark.thorough
def test_parts_of_whole_accounts_change_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    events = random_events(3, 900, users=9)
    full = measure_days(events, ARTISTS, MEASURES)
    for at_once in (1, 50, 130, 899):
        monkeypatch.setattr(kernel, "EVENTS_AT_ONCE", at_once)
        assert_frame_equal(measure_days(events, ARTISTS, MEASURES), full, check_exact=True)


def test_no_event_makes_no_row() -> None:
    empty = random_events(0).clear()
    assert signals_of(empty).height == 0
    assert signals_of(empty).columns == ["user_id", "day", *NAMES]


def test_the_hash_follows_what_is_declared() -> None:
    assert len(set(NAMES)) == len(NAMES)
    assert signals_hash() != signals_hash(SIGNALS[1:])
    assert signals_hash() == signals_hash(tuple(SIGNALS))
