"""The guard: honest signals pass, those that look past the day's end are named, worlds are what they say."""

from __future__ import annotations

from datetime import date, timedelta

import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from polars.testing import assert_frame_equal

from pozytywka_spark.errors import GuardError
from pozytywka_spark.fraud.signals.work import DAYS, REAL, DayShard, MakeSignals, MeasureDays, UserSlice
from pozytywka_spark.fraud.signals.worlds import WORLDS, Guarded, guarded_day, world_of
from pozytywka_spark.lake.tasks import Done
from tests.fraud.made import ARTISTS, random_events, signals_of
from tests.in_memory import MemoryTasks

MONTH = date(2023, 2, 1)
HERE = "tests.fraud.leaky"


def months_of(events: pl.DataFrame) -> dict[date, pl.DataFrame]:
    month = pl.col("event_time").dt.date().dt.truncate("1mo")
    return {key[0]: rows for key, rows in events.group_by(month)}  # type: ignore[misc]


def scanned(
    events: pl.DataFrame, guarded: Guarded | None, declared: str, slices: int = 2
) -> tuple[MemoryTasks, Done]:
    tasks = MemoryTasks()
    tracks = (tasks.files.put_file(ARTISTS.rename({"track_id": "id", "artist_id": "id_artist"}), {}),)
    shards = [
        DayShard(world, month, 0, (tasks.files.put_file(rows, {}),))
        for month, rows in sorted(months_of(events).items())
        for world in (REAL, *(WORLDS if guarded and month == guarded.month else ()))
    ]
    work = MeasureDays(tracks, guarded, declared)
    measured = tasks.run(shards, work, weight=lambda one: one.size, named=lambda one: f"{one.month}")
    of_world = {
        world: tuple(one for one in measured.of(DAYS) if one.key[0] == world) for world in (REAL, *WORLDS)
    }
    worlds = tuple((world, of_world[world]) for world in WORLDS) if guarded else ()
    items = [UserSlice(0, number, of_world[REAL], (), worlds) for number in range(slices)]
    make = MakeSignals(tuple(sorted(months_of(events))), 1, slices, guarded, declared)
    return tasks, tasks.run(items, make, weight=lambda one: one.size, named=lambda one: f"{one.number}")


@pytest.mark.thorough
@given(st.integers(0, 10_000))
@settings(max_examples=15, deadline=None)
def test_no_signal_of_an_earlier_day_knows_of_later_events(seed: int) -> None:
    """Signals of days before a day's end, from a world whose later events are gone or others."""
    events = random_events(seed, 400)
    guarded = guarded_day(MONTH, seed)
    before = pl.col("day") < guarded.cut_off
    mine = events.filter(pl.col("event_time").dt.date() < date(2023, 3, 1))
    for how in WORLDS:
        again = signals_of(world_of(mine, guarded, how))
        assert_frame_equal(again.filter(before), signals_of(events).filter(before), check_exact=True)


@pytest.mark.thorough
@pytest.mark.parametrize("slices", [1, 2, 5])
def test_the_jobs_write_what_the_kernels_make(slices: int) -> None:
    events = random_events(5, 800)
    tasks, done = scanned(
        events, guarded_day(MONTH, 5), "pozytywka_spark.fraud.declared.catalogue:SIGNALS", slices
    )
    rows = pl.concat([tasks.rows(one) for one in done.written]).sort("user_id", "day")
    assert_frame_equal(rows, signals_of(events), check_exact=True)
    assert {one.partition["user_bucket"] for one in done.written} == {"0"}
    assert sum(line["compared"] for line in done.results) > 0


@pytest.mark.parametrize("name", ["NEXT_DAY", "ALL_EVER"])
def test_a_planted_leak_is_named(name: str) -> None:
    with pytest.raises(GuardError, match=r"signal plays_(of_the_next_day|ever) of account"):
        scanned(random_events(5, 800), guarded_day(MONTH, 5), f"{HERE}:{name}")


def test_an_honest_catalogue_passes_and_no_guard_compares_nothing() -> None:
    events = random_events(5, 800)
    _, guarded = scanned(events, guarded_day(MONTH, 5), f"{HERE}:HONEST")
    assert sum(line["compared"] for line in guarded.results) > 0
    _, without = scanned(events, None, f"{HERE}:NEXT_DAY")
    assert [line["compared"] for line in without.results] == [0, 0]


def test_the_worlds_keep_the_past_and_only_the_past() -> None:
    events = months_of(random_events(1, 900))[MONTH]
    guarded = guarded_day(MONTH, 1)
    past = events.filter(pl.col("event_time").dt.date() < guarded.cut_off)
    assert 0 < past.height < events.height
    assert_frame_equal(world_of(events, guarded, "deleted"), past)
    scrambled = world_of(events, guarded, "scrambled")
    days = pl.col("event_time").dt.date()
    assert_frame_equal(scrambled.filter(days < guarded.cut_off), past)
    future = scrambled.filter(days >= guarded.cut_off)
    assert future.height == events.height
    at_once = future.filter(pl.col("event_time").dt.replace_time_zone(None) == guarded.cut_off).height
    assert at_once > events.height / 10
    assert future.get_column("event_time").dt.date().max() <= guarded.cut_off + timedelta(days=40)
    assert set(future["event_type"]) == set(events["event_type"])
