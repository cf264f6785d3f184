"""What is handed in, by tasks: a bucket of users' rows beside what the table holds of them."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import polars as pl

from pozytywka_spark import schemas
from pozytywka_spark.feed.said import ASIDE, KINDS, SURVEYS, Kind, as_aside, settle
from pozytywka_spark.hashing.identity import user_bucket
from pozytywka_spark.lake.shards import DataFile, Parcel
from pozytywka_spark.lake.tasks import TaskFiles
from pozytywka_spark.schemas import Table

CAME, REFUSED = "came", "refused"  # kinds of parcels
NEW, DUPLICATES, REASONS = "new", "duplicates", "reasons"


def table_of(kind: Kind) -> Table:
    """Where its rows lie."""
    return schemas.FEED_SURVEYS if kind.name == SURVEYS else schemas.FEED_SEEN


@dataclass(frozen=True)
class TakeIn:
    """Work on buckets of users: writes new rows of the kind's table, stages REFUSED; tells counts.

    `there`: files of the table that may hold some of the rows, whatever bucket they were written for: a lake
    may have been laid out anew since.
    """

    kind: str
    buckets: int
    came: tuple[Parcel, ...]
    there: tuple[DataFile, ...]
    users: tuple[DataFile, ...]
    tracks: tuple[DataFile, ...]
    source: str

    def __call__(self, items: Sequence[int], files: TaskFiles) -> Iterator[dict[str, Any]]:
        """A line a bucket."""
        kind = KINDS[self.kind]
        users, tracks = files.shared(self.users, ["user_id"]), files.shared(self.tracks, ["id"])
        for bucket in items:
            mine = user_bucket(pl.col("user_id"), self.buckets) == bucket
            rows = pl.concat([files.read([parcel]).filter(mine) for parcel in self.came])
            there = self._there(kind, files).filter(mine)
            done = settle(kind, rows, there, users, tracks)
            self._write(kind, done.new, bucket, files)
            files.stage(REFUSED, as_aside(kind, done.aside, self.source))
            yield {
                NEW: done.new.height,
                DUPLICATES: done.duplicates,
                REASONS: dict(done.aside.group_by("reason").len().sort("reason").iter_rows()),
            }

    def _there(self, kind: Kind, files: TaskFiles) -> pl.DataFrame:
        if not self.there:
            return kind.sound.to_frame()
        rows = files.read(self.there, kind.sound.names())
        return rows.with_columns(pl.col(kind.time).dt.epoch("us"))

    def _write(self, kind: Kind, new: pl.DataFrame, bucket: int, files: TaskFiles) -> None:
        moment = pl.from_epoch(pl.col(kind.time), "us").dt.replace_time_zone("UTC")
        rows = new.sort("user_id", kind.time, "track_id").with_columns(moment)
        if kind.name == SURVEYS:
            files.write(table_of(kind), rows, {"user_bucket": bucket})
            return
        by_day = rows.with_columns(day=pl.col(kind.time).dt.date())
        for (day,), part in by_day.group_by("day", maintain_order=True):
            files.write(table_of(kind), part.drop("day"), {"day": day, "user_bucket": bucket})


@dataclass(frozen=True)
class PutAside:
    """Work on one item: the rows aside that the table doesn't hold yet, written to it."""

    refused: tuple[Parcel, ...]
    there: tuple[DataFile, ...]

    def __call__(self, items: Sequence[int], files: TaskFiles) -> Iterator[dict[str, Any]]:
        """How many were new."""
        key = ["kind", "content", "reason"]
        for _ in items:
            rows = pl.concat([files.read([parcel]) for parcel in self.refused])
            held = files.read(self.there, key) if self.there else ASIDE.to_frame().select(key)
            new = rows.unique(key, keep="first", maintain_order=True).join(held, on=key, how="anti")
            files.write(schemas.FEED_ASIDE, new.sort(key))
            yield {NEW: new.height}
