"""The third job without Spark: files by month, held state by bucket, slices and parts of them, labels."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping, Sequence
from datetime import UTC, date, datetime
from functools import partial
from typing import Any

import polars as pl
import pytest
from polars.testing import assert_frame_equal

from pozytywka_spark.features.build.items import Held, UserSlice
from pozytywka_spark.features.build.label_rows import LabelPlan, added, count_labels, label_rows
from pozytywka_spark.features.build.parcels import (
    BOUGHT,
    BOUGHT_ROWS,
    LIKED,
    LISTENED,
    MEASURED,
    PLAYED,
    PLAYED_ROWS,
    TRACKS,
)
from pozytywka_spark.features.build.passes import user_slices
from pozytywka_spark.features.build.suspicion_sample import CANDIDATES, OLDER
from pozytywka_spark.features.build.third_pass import (
    LABELS,
    ROWS,
    Item,
    MakeFeatures,
    OlderLabels,
    TracksPlayed,
)
from pozytywka_spark.features.build.user_kernel import SliceMade, make_slice
from pozytywka_spark.hashing.identity import user_bucket
from pozytywka_spark.hashing.slices import slice_of
from pozytywka_spark.lake.shards import DataFile, Parcel
from pozytywka_spark.months import DAY_MICROS, start_micros
from tests.in_memory import MemoryTasks
from tests.worlds.slice_world import (
    FEBRUARY,
    JANUARY,
    PLAN,
    TABLES,
    World,
    assert_same_tables,
    made_world,
    months_of,
    together,
)

LABEL = "buys_within_30_days"
LABELS_AT = LabelPlan(LABEL, 30 * DAY_MICROS, start_micros(date(2024, 3, 1)), JANUARY)
SEEDS = range(2)


class Lake:
    """Runs the third job for a world, in buckets and slices; files of each build are there for the next."""

    def __init__(self, world: World, buckets: int = 1, slices: int = 1) -> None:
        self.world, self.buckets, self.slices = world, buckets, slices
        self.tasks = MemoryTasks()
        self.results: list[Mapping[str, Any]] = []
        self.files: dict[str, list[tuple[date, int | None, DataFile]]] = defaultdict(list)

    def build(self, months: Sequence[date], **settings: Any) -> None:
        files, before = self.tasks.files, months[0]
        tracks = files.put(TRACKS, self.world.tracks.with_columns(duration_ms=_duration()).drop("known"))
        played = self._played(months)
        held = tuple(file for month, _, file in self.files["track_plays"] if month < before)
        work = MakeFeatures(
            PLAN,
            tuple(months),
            tracks,
            (*played, *held),
            self.bought(),
            LABELS_AT,
            **settings,
        )
        parcels = [*self._parcels(months), *played]
        items = [*user_slices(parcels, self._held(before)), TracksPlayed(tuple(months), tuple(played))]
        self.run(work, items)

    def run(self, work: MakeFeatures, items: Sequence[Item]) -> None:
        first = len(self.tasks.files.written)
        done = self.tasks.run(items, work, weight=lambda item: item.size, named=repr)
        self.results += done.results
        for table, partition, rows in self.tasks.files.written[first:]:
            assert "month" not in rows.columns
            assert rows.height
            where = (partition["month"], partition.get("user_bucket"))
            self.files[table].append((*where, self.tasks.files.put_file(rows, partition)))

    def table(self, name: str) -> pl.DataFrame:
        files = [file for _, _, file in self.files[name]]
        return self.tasks.files.read(files).drop("user_bucket", strict=False)

    def bought(self) -> tuple[Parcel | DataFile, ...]:
        """Some as parcels, some as a file of the table."""
        users = self.world.months.get_column("user_id").unique().sort()
        parcel = [(users[0], start_micros(JANUARY) + 45 * DAY_MICROS, FEBRUARY)]
        later = [(users[0], datetime(2023, 12, 1, tzinfo=UTC)), (users[1], datetime(2024, 2, 20, tzinfo=UTC))]
        return (
            self.tasks.files.put(BOUGHT, pl.DataFrame(parcel, BOUGHT_ROWS, orient="row")),
            self.tasks.files.put_file(
                pl.DataFrame(
                    later, {"user_id": pl.Int64, "purchased_at": pl.Datetime("us", "UTC")}, orient="row"
                ),
                {"month": date(2024, 2, 1)},
            ),
        )

    def _parcels(self, months: Sequence[date]) -> list[Parcel]:
        """A parcel a few months and slice, as tasks of the second job put them down."""
        rows = self.world.rows(months)
        found = []
        for kind, frame in ((MEASURED, rows.measured), (LISTENED, rows.listened), (LIKED, rows.liked)):
            keyed = frame.with_columns(
                user_bucket(pl.col("user_id"), self.buckets).alias("_bucket"),
                slice_of("user_id", self.slices, apart_from=self.buckets).alias("_slice"),
                (pl.col("month").dt.month() % 3).alias("_task"),
            )
            names = ["_bucket", "_slice", "_task"]
            for key, part in keyed.partition_by(names, as_dict=True, include_key=False).items():
                found.append(self.tasks.files.put(kind, part, ("", int(key[0]), int(key[1]))))
            found.append(self.tasks.files.put(kind, frame.head(3), ("scrambled", 0, 0)))
        return found

    def _played(self, months: Sequence[date]) -> list[Parcel]:
        """Twice half of each, as from two buckets."""
        numbers = self.world.tracks.select("track_id", "track")
        named = self.world.anyone.filter(pl.col("month").is_in(list(months))).join(
            numbers, on="track_id", how="left"
        )
        rows = named.with_columns(stray=pl.when(pl.col("track").is_null()).then("track_id"))
        halves = (pl.col("plays") // 2, pl.col("plays") - pl.col("plays") // 2)
        return [
            self.tasks.files.put(PLAYED, rows.with_columns(half).select(*PLAYED_ROWS), ("",))
            for half in halves
        ]

    def _held(self, before: date) -> dict[int, Held]:
        def of(table: str, bucket: int) -> tuple[DataFile, ...]:
            return tuple(file for month, mine, file in self.files[table] if mine == bucket and month < before)

        return {
            bucket: Held(*(of(name, bucket) for name in (*list(TABLES)[:3], "user_month")))
            for bucket in range(self.buckets)
        }


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


def test_labels_are_written_and_their_counts_told() -> None:
    world = made_world(1)
    lake = Lake(world, 2)
    lake.build(months_of(world))
    users = world.months.get_column("user_id").unique().sort()
    first = pl.DataFrame(
        {
            "user_id": users[:2],
            "purchased_at": [start_micros(JANUARY) + 45 * DAY_MICROS, start_micros(date(2024, 2, 20))],
        }
    )
    expected = label_rows(world.months.sort("month", "user_id"), first, LABELS_AT)
    assert_frame_equal(lake.table("labels").select(expected.columns).sort("month", "user_id"), expected)
    assert expected.get_column(LABEL).sum() > 0
    told = added(facts for each in lake.results for facts in each[LABELS])
    assert told == count_labels(expected, LABEL)
    rows = sum(each[ROWS].get("features", 0) for each in lake.results)
    assert rows == world.months.height


def test_labels_of_months_that_are_not_built_are_made_from_their_users() -> None:
    world = made_world(1)
    lake = Lake(world, 2)
    lake.build(months_of(world))
    labels = lake.table("labels").sort("month", "user_id")
    held: dict[tuple[date, int], list[DataFile]] = defaultdict(list)
    for month, bucket, file in lake.files["user_month"]:
        assert bucket is not None
        held[month, bucket].append(file)
    items = [OlderLabels(month, bucket, tuple(files)) for (month, bucket), files in held.items()]
    del lake.files["labels"]
    lake.results.clear()
    work = MakeFeatures(
        PLAN, (), None, (), lake.bought(), LABELS_AT, older_candidates=partial(_some, only=LABEL_KNOWN)
    )
    lake.run(work, items)
    assert_frame_equal(lake.table("labels").sort("month", "user_id"), labels)
    told = added(facts for each in lake.results for facts in each[LABELS])
    assert told == count_labels(labels, LABEL)
    staged = lake.tasks.files.staged(OLDER)[()]
    assert_frame_equal(
        staged.sort("month", "user_id"),
        labels.filter(pl.col(LABEL).is_not_null()).select("user_id", "month", pl.col(LABEL).alias("label")),
    )


def test_what_a_guard_wants_to_look_at_is_put_down() -> None:
    world = made_world(4)
    lake = Lake(world)
    lake.build(months_of(world), candidates=_labelled_features)
    staged = lake.tasks.files.staged(CANDIDATES)[()]
    features = lake.table("features").sort("month", "user_id")
    assert_frame_equal(
        staged.sort("month", "user_id").select(features.columns), features.select(features.columns)
    )
    assert "label" in staged.columns


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


LABEL_KNOWN = "known"


def _some(labelled: pl.DataFrame, *, only: str) -> pl.DataFrame:
    assert only == LABEL_KNOWN
    return labelled.drop_nulls("label")


def _labelled_features(labelled: pl.DataFrame, features: pl.DataFrame) -> pl.DataFrame:
    return labelled.join(features, on=["user_id", "month"])


def _duration() -> pl.Expr:
    return pl.when("known").then(pl.lit(1000, pl.Int64))
