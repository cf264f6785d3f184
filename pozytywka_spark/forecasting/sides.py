"""What events are counted by: the city of a user; duration, genre group and daily cost of a track.

Both as they are in the tables now, and as months were counted by. A table that grows makes no month stale:
only a user or a track that was counted by something else does, and the months from its first event on. No
Spark here.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import polars as pl

from pozytywka_spark.forecasting.measures import ALL, UNKNOWN
from pozytywka_spark.hashing.identity import user_bucket
from pozytywka_spark.lake.shards import DataFile, Parcel
from pozytywka_spark.lake.tasks import TaskFiles

USERS, TRACKS = "users", "tracks"  # kinds of parcels: USERS by bucket
USER_ROWS = pl.Schema({"user_id": pl.Int64(), "city": pl.String()})
COUNTED_BY = ("duration_ms", "group_id", "daily_cost")
TRACK_ROWS = pl.Schema(
    {"track_id": pl.String(), "duration_ms": pl.Int64(), "group_id": pl.String(), "daily_cost": pl.Float64()}
)


@dataclass(frozen=True)
class Catalogue:
    """Files of the tables that tracks are looked up in, by the table's name; `grouped`: groups are there."""

    files: Mapping[str, tuple[DataFile, ...]] = field(default_factory=dict)
    grouped: bool = False

    @property
    def size(self) -> int:
        """Bytes of all."""
        return sum(file.size for files in self.files.values() for file in files)


@dataclass(frozen=True)
class ReadSides:
    """Work on files of `users` and on `Catalogue`: stages USERS by bucket, and TRACKS; tells `cities` and
    `groups` that have a name."""

    buckets: int

    def __call__(self, items: Sequence[DataFile | Catalogue], files: TaskFiles) -> Iterator[dict[str, Any]]:
        """A line an item."""
        for item in items:
            if isinstance(item, Catalogue):
                tracks = tracks_of(item, files)
                files.stage(TRACKS, tracks)
                yield {"groups": _names(tracks, "group_id")}
                continue
            users = files.read([item], list(USER_ROWS)).filter(pl.col("user_id").is_not_null())
            named = users.with_columns(_named("city"))
            for (bucket,), mine in named.group_by(user_bucket(pl.col("user_id"), self.buckets)):
                assert isinstance(bucket, int)
                files.stage(USERS, mine, (bucket,))
            yield {"cities": _names(named, "city")}


def users_of(parcels: Sequence[Parcel], files: TaskFiles) -> pl.DataFrame:
    """Grain: user, as USER_ROWS, `city` null for none."""
    rows = files.shared(parcels) if parcels else USER_ROWS.to_frame()
    return rows.group_by("user_id").agg(pl.col("city").min())


def tracks_of(catalogue: Catalogue, files: TaskFiles) -> pl.DataFrame:
    """Grain: track that `tracks` or `track_storage` lists, as TRACK_ROWS, in the order of ids.

    Of an artist that `artist_groups` doesn't have, the group is that of its first genre that has one.
    """
    tracks = _read(
        catalogue, files, "tracks", {"id": pl.String, "duration_ms": pl.Int64, "id_artist": pl.String}
    )
    costs = _read(catalogue, files, "track_storage", {"track_id": pl.String, "daily_cost": pl.Float64})
    one = tracks.rename({"id": "track_id"}).group_by("track_id").agg(pl.col("duration_ms", "id_artist").min())
    cost = costs.group_by("track_id").agg(pl.col("daily_cost").min())
    joined = one.join(cost, on="track_id", how="full", coalesce=True)
    joined = joined.join(_artist_groups(catalogue, files), on="id_artist", how="left")
    return joined.filter(pl.col("track_id").is_not_null()).select(list(TRACK_ROWS)).sort("track_id")


def _artist_groups(catalogue: Catalogue, files: TaskFiles) -> pl.DataFrame:
    """`id_artist` and `group_id`, of artists that have one."""
    schema = {"id_artist": pl.String, "group_id": pl.String}
    if not catalogue.grouped:
        return pl.DataFrame(schema=schema)
    told = _read(catalogue, files, "artist_groups", {"id": pl.String, "group_id": pl.String})
    genres = _read(catalogue, files, "genre_groups", {"genre": pl.String, "group_id": pl.String})
    artists = _read(catalogue, files, "artists", {"id": pl.String, "genres": pl.List(pl.String)})
    listed = artists.with_columns(place=pl.int_ranges(pl.col("genres").list.len())).explode("genres", "place")
    by_genre = (
        listed.join(
            genres.group_by("genre").agg(pl.col("group_id").min()), left_on="genres", right_on="genre"
        )
        .filter(pl.col("group_id").is_not_null())
        .group_by("id")
        .agg(pl.col("group_id").sort_by("place", "group_id").first().alias("by_genre"))
    )
    by_artist = told.group_by("id").agg(pl.col("group_id").min())
    both = by_artist.join(by_genre, on="id", how="full", coalesce=True)
    group = both.select(id_artist="id", group_id=pl.coalesce("group_id", "by_genre"))
    return group.with_columns(_named("group_id")).filter(
        pl.col("group_id").is_not_null() & pl.col("id_artist").is_not_null()
    )


@dataclass(frozen=True)
class Compared:
    """What months were counted by, files of `series_users` of a bucket or of `series_tracks`, and what there
    is now: parcels USERS of that bucket, or TRACKS."""

    kind: str
    counted: tuple[DataFile, ...]
    now: tuple[Parcel, ...]

    @property
    def size(self) -> int:
        """Bytes that are read."""
        read: tuple[DataFile | Parcel, ...] = (*self.counted, *self.now)
        return sum(one.size for one in read)


def compare(items: Sequence[Compared], files: TaskFiles) -> Iterator[dict[str, Any]]:
    """Work on `Compared`: tells the first `month` that was counted by something else, None for none."""
    for item in items:
        key, columns = ("user_id", ["city"]) if item.kind == USERS else ("track_id", list(COUNTED_BY))
        if not item.counted:
            yield {"month": None}
            continue
        counted = files.read(item.counted, [key, *columns, "month"])
        if item.kind == USERS:
            now = users_of(item.now, files).with_columns(pl.col("city").fill_null(UNKNOWN))
            counted = counted.with_columns(pl.col("city").fill_null(UNKNOWN))
        else:
            now = files.read(item.now) if item.now else TRACK_ROWS.to_frame()
        both = counted.join(now, on=key, how="left", suffix="_now")
        if item.kind == USERS:
            both = both.with_columns(pl.col("city_now").fill_null(UNKNOWN))
        differs = pl.any_horizontal(pl.col(name).ne_missing(pl.col(f"{name}_now")) for name in columns)
        month = both.filter(differs).get_column("month").min()
        yield {"month": None if month is None else str(month)}


def _read(catalogue: Catalogue, files: TaskFiles, table: str, columns: Mapping[str, Any]) -> pl.DataFrame:
    mine = catalogue.files.get(table, ())
    return files.read(mine, list(columns)) if mine else pl.DataFrame(schema=dict(columns))


def _named(column: str) -> pl.Expr:
    """Null for what is no name of its own."""
    return pl.when(~pl.col(column).is_in(["", ALL, UNKNOWN])).then(pl.col(column)).alias(column)


def _names(rows: pl.DataFrame, column: str) -> list[str]:
    return sorted(rows.get_column(column).drop_nulls().unique().to_list())
