"""First likes, artists and events of each user: the state that later months need."""

from __future__ import annotations

from typing import TypeVar

import numpy as np
import numpy.typing as npt
import polars as pl

from pozytywka_spark.features.build.lookups import NONE, Lookups
from pozytywka_spark.features.build.track_numbers import TrackNumbers
from pozytywka_spark.features.build.user_months import GONE, UserMonths

Whole = npt.NDArray[np.int64]
Key = TypeVar("Key", Whole, pl.Expr)
EARLIER = -1  # the month of what happened before the build's first one


def first_likes(
    liked: pl.DataFrame, earlier: pl.DataFrame | None, where: UserMonths, tracks: TrackNumbers
) -> pl.DataFrame:
    """Grain and order: user and track, as `key` (see `keys_of`): `month` (its number) of the first like and
    `liked_at`.

    `liked` as LIKED_ROWS; `earlier` has `user_id` and `track_id` of earlier likes. A like is for life: a
    second one adds nothing. Of held ones the month is EARLIER and `liked_at` null.
    """
    rows, numbers = where.rows_of(liked), tracks.of(liked)
    likes = liked.select(
        pl.Series("key", keys_of(where.user_of[rows], numbers, tracks.end)),
        pl.Series("month", where.months[rows]),
        "liked_at",
    )
    if (numbers == NONE).any():
        likes = likes.filter(numbers != NONE)
    since = _firsts(likes)
    if earlier is None:
        return since
    users, numbers = (
        where.place_users(earlier.get_column("user_id")),
        tracks.of_ids(earlier.get_column("track_id")),
    )
    listed = pl.DataFrame({"key": keys_of(users, numbers, tracks.end)[users != GONE]}).unique()
    before = listed.select("key", month=pl.lit(EARLIER, pl.Int64), liked_at=pl.lit(None, pl.Int64))
    return pl.concat([before, since.join(listed, on="key", how="anti")]).sort("key")


def _firsts(likes: pl.DataFrame) -> pl.DataFrame:
    """The least month and moment of each key, in order of keys. Nearly all have one: a sort is enough."""
    ordered = likes[likes.get_column("key").arg_sort()]
    keys = ordered.get_column("key").to_numpy()
    if (keys[1:] != keys[:-1]).all():
        return ordered
    return ordered.group_by("key", maintain_order=True).agg(pl.col("month").min(), pl.col("liked_at").min())


def likes_table(likes: pl.DataFrame, where: UserMonths, tracks: TrackNumbers) -> pl.DataFrame:
    """Grain: user and track. `first_likes` of the build's months as they are stored, by month and user."""
    # by one number: an order by two costs several times as much
    by_month = keys_of(pl.col("month"), pl.col("key"), len(where.users) * tracks.end)
    new = likes.filter(pl.col("month") != EARLIER).sort(by_month)
    keys = new.get_column("key").to_numpy()
    at = _as_time("liked_at")
    return new.select(
        pl.Series("user_id", where.users[keys // tracks.end]),
        tracks.ids(keys % tracks.end),
        at,
        _month_of(at),
    )


def artist_debuts(
    by_artist: pl.DataFrame, earlier: pl.DataFrame | None, where: UserMonths, sides: Lookups
) -> pl.DataFrame:
    """Grain: user and artist: `row`, the first month in which the user played the artist; by row and artist.

    `by_artist`, grain row and artist, has `row` and `artist` (NONE for none).
    `earlier`, as `numbered`, has the debuts of earlier months: whom the user met there has none now.
    """
    with_artist = by_artist.filter(pl.col("artist") != NONE)
    rows, numbers = with_artist.get_column("row").to_numpy(), with_artist.get_column("artist").to_numpy()
    # one number for user, artist and row, in this order: of each user and artist the first is the debut
    artists, every_row = len(sides.artist_ids), where.keys.height
    keys = np.sort(keys_of(keys_of(where.user_of[rows], numbers, artists), rows, every_row))
    met = keys // max(every_row, 1)
    first = np.ones(len(met), np.bool_)
    first[1:] = met[1:] != met[:-1]
    if earlier is not None:
        before = _met_before(earlier, where, artists)
        again = before.filter(before.is_in(pl.Series(met[first]).implode()))
        first[np.searchsorted(met, again.to_numpy())] = False
    debuts = keys_of(keys[first] % max(every_row, 1), met[first] % max(artists, 1), artists)
    in_order = pl.Series("row", np.sort(debuts)).to_frame()
    return in_order.select(pl.col("row") // artists, artist=pl.col("row") % artists)


def numbered(debuts: pl.DataFrame, sides: Lookups) -> pl.DataFrame:
    """`debuts` with `artist`, its number now, for `artist_id`; without artists that are listed no more."""
    by_id = sides.artists_by_id.with_columns(pl.col("artist").cast(pl.UInt32))
    return debuts.join(by_id, on="artist_id", maintain_order="left").drop("artist_id")


def _met_before(earlier: pl.DataFrame, where: UserMonths, artists: int) -> pl.Series:
    users = where.place_users(earlier.get_column("user_id"))
    keys = keys_of(users, earlier.get_column("artist").to_numpy(), artists)
    return pl.Series(keys[users != GONE], dtype=pl.Int64)


def debuts_table(debuts: pl.DataFrame, where: UserMonths, sides: Lookups) -> pl.DataFrame:
    """Grain: user and artist. `artist_debuts` as they are stored, by month and user."""
    ids = sides.artist_ids.gather(debuts.get_column("artist"))
    return where.keys[debuts.get_column("row").to_numpy()].with_columns(artist_id=ids)


def first_events(measured: pl.DataFrame, earlier: pl.DataFrame | None) -> pl.DataFrame:
    """Grain: user: `first_event_at` ever, and `new` for those that no earlier month knows.

    `measured` has `user_id` and `first_event_at` of each month; `earlier` the same of earlier ones.
    """
    since = measured.group_by("user_id").agg(pl.col("first_event_at").min())
    if earlier is None:
        return since.with_columns(new=True)
    before = earlier.select("user_id", before=pl.col("first_event_at").dt.epoch("us"))
    both = since.join(before, on="user_id", how="left", maintain_order="left")
    return both.select(
        "user_id",
        pl.coalesce("before", "first_event_at").alias("first_event_at"),
        new=pl.col("before").is_null(),
    )


def users_table(first: pl.DataFrame) -> pl.DataFrame:
    """Grain: user. `first_events` of users that are new, as they are stored, by month and user."""
    at = _as_time("first_event_at")
    return first.filter("new").select("user_id", at, _month_of(at)).sort("month", "user_id")


def keys_of(first: Key, second: Key, end: int) -> Key:
    """One number for two, of which the second is below `end`; in the order of the first, then the second."""
    return first * end + second


def _as_time(micros: str) -> pl.Expr:
    return pl.col(micros).cast(pl.Datetime("us", "UTC"))


def _month_of(at: pl.Expr) -> pl.Expr:
    return at.dt.date().dt.month_start().alias("month")
