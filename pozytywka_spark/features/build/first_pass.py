"""Job one: who bought in which month, and the catalogue in whole numbers."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import date
from typing import Any

import polars as pl

from pozytywka_spark.features.build.contents import contents_digest, read_table
from pozytywka_spark.features.build.dimensions import track_dimension, user_dimension, vocabulary_of
from pozytywka_spark.features.build.items import REAL
from pozytywka_spark.features.build.listener_groups import favourite_groups, with_groups
from pozytywka_spark.features.build.parcels import BOUGHT, BOUGHT_ROWS, FAVOURITE_GROUPS, TRACKS, USERS
from pozytywka_spark.lake.shards import DataFile
from pozytywka_spark.lake.tasks import TaskFiles
from pozytywka_spark.names import BUY_PREMIUM
from pozytywka_spark.schemas import FIRST_PURCHASES


@dataclass(frozen=True)
class BoughtIn:
    """The files of `events` of a month and a bucket of users."""

    month: date
    bucket: int
    files: tuple[DataFile, ...]

    @property
    def size(self) -> int:
        """Bytes that are read."""
        return sum(file.size for file in self.files)


@dataclass(frozen=True)
class CatalogueTables:
    """The files of the catalogue tables; None of one that the lake lacks, or that no feature needs."""

    tracks: tuple[DataFile, ...]
    artists: tuple[DataFile, ...]
    track_storage: tuple[DataFile, ...]
    users: tuple[DataFile, ...]
    genre_groups: tuple[DataFile, ...] | None = None
    artist_groups: tuple[DataFile, ...] | None = None
    track_languages: tuple[DataFile, ...] | None = None

    @property
    def there(self) -> dict[str, tuple[DataFile, ...]]:
        """The files of each table that is there."""
        return {name: files for name, files in vars(self).items() if files is not None}

    @property
    def size(self) -> int:
        """Bytes that are read."""
        return sum(file.size for files in self.there.values() for file in files)


@dataclass(frozen=True)
class TableContents:
    """The files of one catalogue table, of which only a digest of what they say is wanted."""

    name: str
    files: tuple[DataFile, ...]

    @property
    def size(self) -> int:
        """Bytes that are read."""
        return sum(file.size for file in self.files)


Item = BoughtIn | CatalogueTables | TableContents


@dataclass(frozen=True)
class FirstPass:
    """Work on the three kinds of items.

    Of events: stages BOUGHT and writes a file of `first_purchases`, tells `month`, `bucket` and how many
    `bought`. Of the catalogue: stages TRACKS and USERS and, with tables of groups, FAVOURITE_GROUPS
    (nothing where there is no row), tells by the tables' names the `counts` of their rows. Of a table's
    contents: tells its name as `table` and the `digest` of what features read of it (`contents_digest`).
    """

    def __call__(self, items: Sequence[Item], files: TaskFiles) -> Iterator[dict[str, Any]]:
        """Facts of each item."""
        for item in items:
            if isinstance(item, BoughtIn):
                yield _find_bought(item, files)
            elif isinstance(item, CatalogueTables):
                yield _number_catalogue(item, files)
            else:
                digest = contents_digest(read_table(item.name, item.files, files))
                yield {"table": item.name, "digest": digest}


def first_purchases(events: pl.DataFrame, month: date) -> pl.DataFrame:
    """`parcels.BOUGHT_ROWS` of a month's events (user_id, event_time, event_type): each known user's first.

    In the order of users.
    """
    bought = events.filter((pl.col("event_type") == BUY_PREMIUM) & pl.col("user_id").is_not_null())
    firsts = bought.group_by("user_id").agg(purchased_at=pl.col("event_time").min().dt.epoch("us"))
    return firsts.sort("user_id").with_columns(month=pl.lit(month)).cast(BOUGHT_ROWS)


def _find_bought(item: BoughtIn, files: TaskFiles) -> dict[str, Any]:
    read = (files.read([file], ["user_id", "event_time", "event_type"]) for file in item.files)
    of_files = [first_purchases(events, item.month) for events in read]
    firsts = pl.concat(of_files).group_by("user_id", "month").agg(pl.col("purchased_at").min())
    bought = firsts.select(*BOUGHT_ROWS).sort("user_id")
    files.stage(BOUGHT, bought, (REAL, item.month.isoformat()))
    timed = bought.select("user_id", pl.col("purchased_at").cast(pl.Datetime("us", "UTC")))
    files.write(FIRST_PURCHASES, timed, {"month": item.month})
    return {"month": item.month.isoformat(), "bucket": item.bucket, "bought": bought.height}


def _number_catalogue(item: CatalogueTables, files: TaskFiles) -> dict[str, Any]:
    tables = {name: read_table(name, data_files, files) for name, data_files in item.there.items()}
    vocabulary = vocabulary_of(tables["users"])
    numbered = track_dimension(tables["tracks"], tables["artists"], tables["track_storage"], vocabulary)
    if "artist_groups" in tables:
        numbered = with_groups(numbered, tables)
    files.stage(TRACKS, numbered)
    files.stage(USERS, user_dimension(tables["users"], vocabulary))
    if {"artist_groups", "genre_groups"} <= set(tables):
        files.stage(FAVOURITE_GROUPS, favourite_groups(tables))
    return {"counts": {name: rows.height for name, rows in tables.items()}}
