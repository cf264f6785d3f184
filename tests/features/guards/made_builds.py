"""Builds for guards to look at, made without Spark: the fixed world's events as shards, and passes over them.

`LEAKY` passes put every event down and see all of them in the end, as a build without any cut-off would.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import date
from hashlib import md5
from typing import Any

import polars as pl

from pozytywka_spark.config.features import Guards
from pozytywka_spark.features.build.dimensions import track_dimension, user_dimension, vocabulary_of
from pozytywka_spark.features.build.items import REAL, MonthShard, Source, UserSlice
from pozytywka_spark.features.build.month_events import COLUMNS
from pozytywka_spark.features.build.parcels import BOUGHT, MEASURED, PLAYED, TRACKS, USERS
from pozytywka_spark.features.build.passes import user_slices
from pozytywka_spark.features.build.plan import CataloguePlan, Named
from pozytywka_spark.features.build.purchases import first_purchases
from pozytywka_spark.features.guards.build_under_guard import GuardedBuild
from pozytywka_spark.features.guards.compare_slices import Maker, MakeSlice, Plays
from pozytywka_spark.features.guards.perturbation import check_perturbation
from pozytywka_spark.features.guards.rebuild import Bought, Measure, measure_months
from pozytywka_spark.features.guards.result import GuardResult
from pozytywka_spark.features.guards.rows import CheckRows, check_rows
from pozytywka_spark.features.guards.worlds import World
from pozytywka_spark.features.times import cut_off_of
from pozytywka_spark.hashing.identity import user_bucket
from pozytywka_spark.hashing.slices import slice_of
from pozytywka_spark.lake.shards import DataFile, Parcel, Shard
from pozytywka_spark.lake.tasks import TaskFiles, Work
from tests.features.leaks import with_leaks
from tests.in_memory import MemoryTasks
from tests.worlds import fixed_world

BUCKETS, SLICES = 2, 2
COPY = 1_000  # what a copy of a user has more in its number
_TYPES = {"event_time": pl.Datetime("us", "UTC")}
NOTHING = World(date(9999, 11, 1), "deleted")  # stands for what really happened


def silver_events(copies: int = 1) -> pl.DataFrame:
    """The fixed world's events, with identifiers of sixteen bytes; of each user so many copies, whose futures
    are each invented in another way."""
    rows = pl.DataFrame(fixed_world.events(), schema_overrides=_TYPES, infer_schema_length=None)
    many = pl.concat(
        rows.with_columns(
            event_id=pl.Series([md5(one + bytes([copy])).digest() for one in rows["event_id"]]),
            user_id=pl.col("user_id") + copy * COPY,
        )
        for copy in range(copies)
    )
    return many.with_columns(user_bucket=user_bucket(pl.col("user_id"), BUCKETS))


def shards_of(tasks: MemoryTasks, events: pl.DataFrame) -> tuple[Shard, ...]:
    """Events as the table's shards, one file each."""
    shards = []
    for (month, bucket), rows in sorted(
        events.partition_by("event_month", "user_bucket", as_dict=True).items()
    ):
        partition = {"event_month": month, "user_bucket": bucket}
        file = tasks.files.put_file(rows.drop(*partition).sort("user_id", "event_time"), partition)
        shards.append(Shard("events", partition, (file,)))
    return tuple(shards)


def purchases_of(tasks: MemoryTasks, events: pl.DataFrame) -> dict[date, tuple[Source, ...]]:
    """Each month's first purchases, as parcels."""
    found: dict[date, tuple[Source, ...]] = {}
    for (month,), rows in events.partition_by("event_month", as_dict=True).items():
        key = (REAL, month.isoformat())
        found[month] = (tasks.files.put(BOUGHT, first_purchases(rows, month), key),)
    return found


def build_with(
    events: pl.DataFrame,
    measure: Measure,
    maker: type[Maker],
    plan: CataloguePlan,
    *,
    months: Sequence[date] = (),
    slots: int = 2,
    tables: Callable[[MemoryTasks], tuple[Parcel | None, Parcel | None]] = lambda tasks: (None, None),
) -> GuardedBuild:
    """A build of the months (all, if none are named) by the passes, its features written a file a slice."""
    tasks = MemoryTasks(slots)
    shards = shards_of(tasks, events)
    chosen = tuple(months or sorted({shard.partition["event_month"] for shard in shards}))
    mine = tuple(shard for shard in shards if shard.partition["event_month"] in chosen)
    tracks, users = tables(tasks)
    build = GuardedBuild(
        tasks, plan, chosen, mine, purchases_of(tasks, events), tracks, users, BUCKETS, SLICES, (), ()
    )
    bought = {REAL: tuple(one for many in build.bought.values() for one in many)}
    items = [
        MonthShard((REAL,), shard.partition["event_month"], shard.partition["user_bucket"], shard.files)
        for shard in mine
    ]
    work = measure(build, bought, SLICES)
    done = tasks.run(items, work, weight=lambda item: item.size, named=lambda item: f"{item.month}")
    played = tuple(done.of(PLAYED))
    make = maker(tracks, Plays((), {NOTHING.name: played}), plan).within(NOTHING, tasks.files)
    written = [
        file for users in user_slices(done.parcels) for file in _write(tasks, make(users, chosen, 0, 1))
    ]
    return replace(build, played=played, features=tuple(written), measured=done.parcels)


def _write(tasks: MemoryTasks, features: pl.DataFrame) -> Iterator[DataFile]:
    for (month,), rows in features.partition_by("month", as_dict=True, include_key=False).items():
        yield tasks.files.put_file(rows, {"month": month})


@dataclass(frozen=True)
class PutEventsDown:
    """A second pass that puts down the events themselves, whoever has bought and whenever they came."""

    buckets: int
    slices: int

    def __call__(self, items: Sequence[MonthShard], files: TaskFiles) -> Iterator[dict[str, Any]]:
        for shard in items:
            events = files.read(shard.events, COLUMNS)
            for world in shard.worlds:
                files.stage(PLAYED, events, (world,))
                for number in range(self.slices):
                    mine = slice_of("user_id", self.slices, apart_from=self.buckets) == number
                    files.stage(MEASURED, events.filter(mine), (world, shard.bucket, number))
            yield {}


def put_events_down(build: GuardedBuild, bought: Bought, slices: int) -> Work[MonthShard]:
    return PutEventsDown(build.buckets, slices)


@dataclass(frozen=True)
class LeakyMaker(Maker):
    """A third pass of nothing but leaks, which are all in `leaks.leaky_columns`."""

    def within(self, world: World, files: TaskFiles) -> MakeSlice:
        everyones = files.read(self.plays.played[world.name])
        names = [each.name for each in self.plan.features]

        def make(users: UserSlice, months: Sequence[date], part: int, parts: int) -> pl.DataFrame:
            own = files.read(users.measured) if users.measured else everyones.clear()
            return with_leaks(rows_of(own, months), own, everyones).select("user_id", "month", *names)

        return make


def rows_of(own: pl.DataFrame, months: Sequence[date]) -> pl.DataFrame:
    """User-months that exist, without the package's help."""
    at = pl.col("event_time")
    bought = (
        own.filter(pl.col("event_type") == "BUY_PREMIUM")
        .group_by("user_id")
        .agg(sold=at.min().dt.epoch("us"))
    )
    rows = own.select("user_id", at.dt.date().dt.month_start().alias("month")).unique()
    free = pl.col("sold").is_null() | (pl.col("sold") >= cut_off_of(pl.col("month")))
    mine = rows.join(bought, on="user_id", how="left").filter(free & pl.col("month").is_in(list(months)))
    return mine.drop("sold")


def plan_of_names(names: Sequence[str]) -> CataloguePlan:
    """A plan of features that something else makes."""
    return CataloguePlan((), (), tuple(Named(name, pl.lit(0.0)) for name in names))


def dimensions_of(tasks: MemoryTasks, copies: int = 1) -> tuple[Parcel, Parcel]:
    """The fixed world's catalogue in whole numbers."""
    tables = {
        name: pl.DataFrame(rows, infer_schema_length=None) for name, rows in fixed_world.catalogue().items()
    }
    users = pl.concat(
        tables["users"].with_columns(user_id=pl.col("user_id") + copy * COPY) for copy in range(copies)
    )
    genres = vocabulary_of(users)
    tracks = track_dimension(tables["tracks"], tables["artists"], tables["track_storage"], genres)
    return tasks.files.put(TRACKS, tracks), tasks.files.put(USERS, user_dimension(users, genres))


def perturbation(
    build: GuardedBuild,
    guards: Guards | None = None,
    measure: Measure = measure_months,
    maker: type[Maker] = Maker,
) -> GuardResult:
    """What the guard says of the build, after guard `rows` has told where its rows are."""
    bought = tuple(one for many in build.bought.values() for one in many)
    _, slices = check_rows(build.tasks, build.features, CheckRows(bought, build.buckets, build.slices))
    return check_perturbation(build, guards or Guards(), slices, measure=measure, maker=maker)
