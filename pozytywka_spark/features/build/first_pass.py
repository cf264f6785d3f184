"""Job one: who bought in which month, and the catalogue in whole numbers."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

from pozytywka_spark.features.build.contents import contents_digest, read_table
from pozytywka_spark.features.build.dimensions import track_dimension, user_dimension, vocabulary_of
from pozytywka_spark.features.build.listener_groups import favourite_groups, with_groups
from pozytywka_spark.features.build.parcels import FAVOURITE_GROUPS, TRACKS, USERS
from pozytywka_spark.features.build.purchases import BoughtIn, find_bought
from pozytywka_spark.lake.shards import DataFile
from pozytywka_spark.lake.tasks import TaskFiles


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
                yield find_bought(item, files)
            elif isinstance(item, CatalogueTables):
                yield _number_catalogue(item, files)
            else:
                digest = contents_digest(read_table(item.name, item.files, files))
                yield {"table": item.name, "digest": digest}


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
