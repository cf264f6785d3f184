"""A lake in memory whose slices of users the third job builds, month after month."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping, Sequence
from datetime import UTC, date, datetime
from typing import Any

import polars as pl

from pozytywka_spark.features.build.items import Held
from pozytywka_spark.features.build.label_rows import LabelPlan
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
from pozytywka_spark.features.build.third_pass import (
    Item,
    MakeFeatures,
    TracksPlayed,
)
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
)

LABEL = "buys_within_30_days"
LABELS_AT = LabelPlan(LABEL, 30 * DAY_MICROS, start_micros(date(2024, 3, 1)), JANUARY)


class Lake:
    """Runs the third job for a world, in buckets and slices; files of each build are there for the next."""

    def __init__(self, world: World, buckets: int = 1, slices: int = 1) -> None:
        self.world, self.buckets, self.slices = world, buckets, slices
        self.tasks = MemoryTasks()
        self.results: list[Mapping[str, Any]] = []
        self.files: dict[str, list[tuple[date, int | None, DataFile]]] = defaultdict(list)

    def build(self, months: Sequence[date], **settings: Any) -> None:
        files, before = self.tasks.files, months[0]
        tracks = files.put(TRACKS, self.world.tracks.with_columns(duration_ms=duration()).drop("known"))
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


def duration() -> pl.Expr:
    return pl.when("known").then(pl.lit(1000, pl.Int64))
