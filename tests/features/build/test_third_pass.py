"""The third job without Spark: files by month, held state by bucket, slices and parts of them, labels."""

from __future__ import annotations

import polars as pl
import pytest
from polars.testing import assert_frame_equal

from pozytywka_spark.features.build.items import Held, UserSlice
from pozytywka_spark.features.build.parcels import (
    LISTENED,
    MEASURED,
    PLAYED,
)
from pozytywka_spark.features.build.passes import user_slices
from pozytywka_spark.features.build.user_kernel import SliceMade, make_slice
from pozytywka_spark.lake.shards import DataFile, Parcel
from tests.features.build.made_slices import Lake
from tests.worlds.slice_world import (
    PLAN,
    TABLES,
    World,
    assert_same_tables,
    made_world,
    months_of,
    together,
)

SEEDS = range(2)


def whole(world: World) -> SliceMade:
    months = months_of(world)
    return together([make_slice(world.rows(months), world.sides(), PLAN, months)])


def assert_holds(lake: Lake, expected: SliceMade) -> None:
    assert_same_tables({table: lake.table(table) for table in TABLES}, expected)


@pytest.mark.parametrize("seed", SEEDS)
@pytest.mark.parametrize(("buckets", "slices"), [(1, 1), (1, 3), (2, 1), (3, 2)])
def test_all_months_at_once_in_any_slices(seed: int, buckets: int, slices: int) -> None:
    world = made_world(seed, users=12)
    lake = Lake(world, buckets, slices)
    lake.build(months_of(world))
    assert_holds(lake, whole(world))


@pytest.mark.parametrize("seed", SEEDS)
@pytest.mark.parametrize(("buckets", "slices", "at_once"), [(1, 1, 1), (2, 2, 1), (2, 1, 4)])
def test_a_build_goes_on_from_the_files_of_the_builds_before(
    seed: int, buckets: int, slices: int, at_once: int
) -> None:
    world = made_world(seed, users=12)
    months = months_of(world)
    lake = Lake(world, buckets, slices)
    for first in range(0, len(months), at_once):
        lake.build(months[first : first + at_once])
    assert_holds(lake, whole(world))


def test_a_slice_that_is_too_large_goes_in_parts_of_its_users() -> None:
    world = made_world(5, users=12)
    lake = Lake(world, 2)
    lake.build(months_of(world), cells_at_once=20 * PLAN.columns)
    assert_holds(lake, whole(world))
    assert len(lake.results) > 6
    lake = Lake(world, 2)
    lake.build(months_of(world), plays_at_once=40)
    assert_holds(lake, whole(world))
    assert len(lake.results) > 6


def test_each_file_holds_one_month_of_users_in_order() -> None:
    world = made_world(2)
    lake = Lake(world, 2)
    lake.build(months_of(world))
    for name in ("user_month", "features", "labels"):
        places = [(month, bucket) for month, bucket, _ in lake.files[name]]
        assert len(lake.files[name]) <= 2 * len(months_of(world))
        if name == "user_month":
            assert len(set(places)) == len(places)
        for _, _, file in lake.files[name]:
            assert lake.tasks.files.read([file], ["user_id"]).to_series().is_sorted()


def test_plays_of_tracks_are_summed_by_identifier_strays_too() -> None:
    world = made_world(3)
    months = months_of(world)
    lake = Lake(world)
    lake.build(months[:4])
    lake.build(months[4:])
    expected = world.anyone.select("track_id", "plays", "month").sort("month", "track_id")
    assert expected.filter(pl.col("track_id").str.starts_with("S")).height > 0
    assert_frame_equal(lake.table("track_plays").sort("month", "track_id"), expected)


def test_users_without_events_in_the_build_are_no_item() -> None:
    held = {0: Held(likes=(DataFile("held", 1, 1, {}),)), 1: Held()}
    parcels = [
        Parcel(MEASURED, ("", 1, 0), "a", 1, 5),
        Parcel(LISTENED, ("", 1, 0), "b", 1, 6),
        Parcel(MEASURED, ("", 1, 0), "c", 1, 7),
        Parcel(MEASURED, ("deleted", 0, 0), "d", 1, 8),
        Parcel(PLAYED, ("",), "e", 1, 9),
    ]
    slices = user_slices(parcels, held)
    assert slices == [UserSlice("", 1, 0, (parcels[0], parcels[2]), (parcels[1],), (), Held())]
    assert [item.bucket for item in user_slices(parcels, held, "deleted")] == [0]
    assert user_slices(parcels, held, "deleted")[0].held == held[0]
