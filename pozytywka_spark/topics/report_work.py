"""What each group has of tracks, plays and listeners: sums of files, by tasks."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import polars as pl

from pozytywka_spark.lake.shards import DataFile, Parcel
from pozytywka_spark.lake.tasks import TaskFiles

TRACKS, PLAYS, USERS = "tracks", "track_plays", "users"
COLUMNS = {
    TRACKS: ["id", "id_artist"],
    PLAYS: ["track_id", "plays"],
    USERS: ["favourite_genres", "premium_user"],
}


@dataclass(frozen=True)
class Counted:
    """A file of TRACKS, PLAYS or USERS."""

    table: str
    file: DataFile


@dataclass(frozen=True)
class SumUp:
    """Work on `Counted`: a line a group and file, with `tracks`, `plays`, or `listeners` and `premium`.

    `genres`: a parcel with `genre`, `group_id`; files of `artist_groups` and of `tracks`.
    """

    genres: Parcel
    artists: tuple[DataFile, ...]
    tracks: tuple[DataFile, ...]

    def __call__(self, items: Sequence[Counted], files: TaskFiles) -> Iterator[dict[str, Any]]:
        """All lines."""
        for item in items:
            rows = files.read([item.file], COLUMNS[item.table])
            if item.table == USERS:
                yield from listeners(rows, files.shared([self.genres])).to_dicts()
                continue
            artists = files.shared(self.artists, ["id", "group_id"])
            if item.table == TRACKS:
                found = rows.join(artists, left_on="id_artist", right_on="id").group_by("group_id")
                yield from found.agg(tracks=pl.len().cast(pl.Int64)).to_dicts()
                continue
            tracks = files.shared(self.tracks, COLUMNS[TRACKS])
            played = rows.group_by("track_id").agg(pl.col("plays").sum())
            of_artists = played.join(tracks, left_on="track_id", right_on="id").join(
                artists, left_on="id_artist", right_on="id"
            )
            yield from of_artists.group_by("group_id").agg(pl.col("plays").sum()).to_dicts()


def listeners(users: pl.DataFrame, genres: pl.DataFrame) -> pl.DataFrame:
    """`group_id`, `listeners` (users with a favourite genre in it), `premium` (of them), `asked` (of whom it
    is known whether they have it).
    """
    rows = users.with_row_index("user").explode("favourite_genres", empty_as_null=True)
    found = rows.join(genres, left_on="favourite_genres", right_on="genre").unique(["user", "group_id"])
    return found.group_by("group_id").agg(
        listeners=pl.len().cast(pl.Int64),
        premium=pl.col("premium_user").sum().cast(pl.Int64),
        asked=pl.col("premium_user").count().cast(pl.Int64),
    )
