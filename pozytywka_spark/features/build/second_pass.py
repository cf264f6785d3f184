"""Job two: each month's events of a bucket of users to whole numbers."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import polars as pl

from pozytywka_spark.features.build.dimensions import Dimensions, no_tracks, no_users
from pozytywka_spark.features.build.items import REAL, MonthShard, Source
from pozytywka_spark.features.build.month_events import CODED, COLUMNS, number_events, sold_by
from pozytywka_spark.features.build.month_kernel import MonthMade, measure_numbered
from pozytywka_spark.features.build.parcels import LIKED, LISTENED, MEASURED, PLAYED
from pozytywka_spark.features.build.plan import CataloguePlan
from pozytywka_spark.features.build.purchases import purchases_of
from pozytywka_spark.hashing.slices import slice_of, slices_for
from pozytywka_spark.lake.shards import Parcel
from pozytywka_spark.lake.tasks import TaskFiles

ROWS_AT_ONCE = 1_500_000  # events that are in memory at once; a shard of more goes in slices of its users
AS_BUILT = "as_built"  # what is told of a shard: the worlds in which it comes to what it came to in the build
ROWS_KEPT = 1_000_000  # until rows on their way to parcels are put down
Key = tuple[str | int, ...]


@dataclass(frozen=True)
class MeasureMonths:
    """Work on `MonthShard`s: stages MEASURED, LISTENED, LIKED and PLAYED, tells `events` of each shard.

    `tracks` and `users`: the parcels of the first job, none where the catalogue is empty. `bought`: by world,
    parcels BOUGHT or files of `first_purchases` with all known first purchases; of REAL too where shards are
    `as_built`. Users' slices go by `slice_of("user_id", slices, apart_from=buckets)`.
    """

    plan: CataloguePlan
    tracks: Parcel | None
    users: Parcel | None
    bought: Mapping[str, tuple[Source, ...]]
    slices: int = 1
    buckets: int = 1
    rows_at_once: int = ROWS_AT_ONCE

    def __call__(self, items: Sequence[MonthShard], files: TaskFiles) -> Iterator[dict[str, Any]]:
        """Facts of each shard."""
        dimensions = Dimensions(
            files.shared([self.tracks]) if self.tracks else no_tracks(),
            files.shared([self.users]) if self.users else no_users(),
        )
        real = {REAL} if any(shard.as_built for shard in items) else set()
        worlds = sorted({world for shard in items for world in shard.worlds} | real)
        bought = {world: purchases_of(self.bought[world], files) for world in worlds}
        gathered = Gathered(files)
        for shard in items:
            told = {"month": shard.month.isoformat(), "bucket": shard.bucket, "events": shard.rows}
            sold = {world: sold_by(bought[world], shard.month) for world in shard.worlds}
            if shard.as_built and _all_are(sold_by(bought[REAL], shard.month), sold):
                yield told | {AS_BUILT: list(shard.worlds)}
                continue
            parts = slices_for(shard.rows, self.rows_at_once)
            for part in range(parts):
                numbered = self._numbered(shard, part, parts, dimensions.tracks, files)
                self._measure(numbered, shard, sold, dimensions, gathered)
            yield told
        gathered.put_down()

    def _numbered(
        self, shard: MonthShard, part: int, parts: int, tracks: pl.DataFrame, files: TaskFiles
    ) -> pl.DataFrame:
        """As of `number_events`."""
        if parts == 1:
            return number_events(files.read(shard.events, COLUMNS, CODED), tracks)
        # a file at a time, so that no more than one is held whole
        mine = slice_of("user_id", parts, apart_from=self.buckets).fill_null(0) == part
        return pl.concat(
            number_events(files.read([source], COLUMNS, CODED).filter(mine), tracks)
            for source in shard.events
        )

    def _measure(
        self,
        numbered: pl.DataFrame,
        shard: MonthShard,
        sold: Mapping[str, pl.Series],
        dimensions: Dimensions,
        gathered: Gathered,
    ) -> None:
        """The month once, for whoever is free in any of the worlds; each world without its own buyers.

        Of purchases it sees no more than who has bought by the month's end.
        """
        nowhere_free = _common(list(sold.values()))
        made = measure_numbered(numbered, nowhere_free, dimensions, self.plan, shard.month)
        for world, users in sold.items():
            more = users.filter(~users.is_in(nowhere_free.implode()))
            self._gather(made.but(more) if len(more) else made, world, shard.bucket, gathered)

    def _gather(self, made: MonthMade, world: str, bucket: int, gathered: Gathered) -> None:
        for kind, rows in ((MEASURED, made.measured), (LISTENED, made.listened), (LIKED, made.liked)):
            for number, mine in self._by_slice(rows):
                gathered.add(kind, mine, (world, bucket, number))
        gathered.add(PLAYED, made.played, (world,))

    def _by_slice(self, rows: pl.DataFrame) -> list[tuple[int, pl.DataFrame]]:
        if self.slices == 1:
            return [(0, rows)]
        number = slice_of("user_id", self.slices, apart_from=self.buckets).alias("_slice")
        parts = rows.with_columns(number).partition_by("_slice", as_dict=True, include_key=False)
        return [(int(key[0]), part) for key, part in parts.items()]


def _all_are(real: pl.Series, sold: Mapping[str, pl.Series]) -> bool:
    """Whether the same users have bought in all worlds: all else that a month is made of is its events."""
    return all(users.equals(real) for users in sold.values())


def _common(users: Sequence[pl.Series]) -> pl.Series:
    """Users that are in all of them."""
    common = users[0]
    for others in users[1:]:
        common = common.filter(common.is_in(others.implode()))
    return common


@dataclass
class Gathered:
    """Rows on their way to parcels: what a task has for a key is put down together, not shard by shard.

    By kind and key; they are put down when there are `rows_kept`, and at the end (`put_down`).
    """

    files: TaskFiles
    rows_kept: int = ROWS_KEPT
    _frames: dict[tuple[str, Key], list[pl.DataFrame]] = field(default_factory=dict)
    _rows: int = 0

    def add(self, kind: str, rows: pl.DataFrame, key: Key) -> None:
        """Take rows of a kind."""
        if rows.height:
            self._frames.setdefault((kind, key), []).append(rows)
            self._rows += rows.height
        if self._rows > self.rows_kept:
            self.put_down()

    def put_down(self) -> None:
        """Stage what is here."""
        for (kind, key), frames in self._frames.items():
            self.files.stage(kind, pl.concat(frames), key)
        self._frames.clear()
        self._rows = 0
