"""What happened for the first time: the state that a month needs of the months before it."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from pyspark.sql import DataFrame
from pyspark.sql import functions as F

from pozytywka_spark.features.encoded import TRACK, has_track, name_tracks, number_tracks
from pozytywka_spark.features.kinds import is_like, is_play
from pozytywka_spark.schemas import month_of


@dataclass(frozen=True)
class Firsts:
    """First likes (user, track, liked_at), first plays of artists (user, artist, month), first events.

    Computed and joined with tracks and artists as numbers, stored with their identifiers.
    """

    likes: DataFrame
    artists: DataFrame
    users: DataFrame

    def named(self) -> dict[str, DataFrame]:
        """By the names of the tables that keep them."""
        return {"first_likes": self.likes, "artist_debuts": self.artists, "user_debuts": self.users}

    def map(self, change: Callable[[str, DataFrame], DataFrame]) -> Firsts:
        """Each table changed by `change(name, frame)`."""
        return Firsts(*(change(name, frame) for name, frame in self.named().items()))


def firsts_of(free: DataFrame, tracks: DataFrame) -> Firsts:
    """The firsts among encoded `free` events, in numbers. `tracks` is the track dimension.

    A second LIKE of a track adds nothing: a like is for life.
    """
    likes = free.where(is_like() & has_track())
    plays = free.where(is_play() & F.col("track").isNotNull())
    known = tracks.select("track", "artist").where(F.col("artist").isNotNull())
    return Firsts(
        likes=_with_month(likes.groupBy("user_id", *TRACK).agg(F.min("event_time").alias("liked_at"))),
        artists=plays.join(F.broadcast(known), "track", "inner")
        .groupBy("user_id", "artist")
        .agg(F.min("month").alias("month")),
        users=_with_month(free.groupBy("user_id").agg(F.min("event_time").alias("first_event_at"))),
    )


def name_firsts(firsts: Firsts, tracks: DataFrame) -> Firsts:
    """As they are stored: with the identifiers of tracks and artists."""
    named = tracks.select("artist", "artist_id").distinct()
    return Firsts(
        likes=name_tracks(firsts.likes, tracks),
        artists=firsts.artists.join(F.broadcast(named), "artist", "inner").drop("artist"),
        users=firsts.users,
    )


def number_firsts(stored: Firsts, tracks: DataFrame) -> Firsts:
    """`name_firsts` undone, but for artists, of which only the number by user and month is asked."""
    return Firsts(number_tracks(stored.likes, tracks), stored.artists, stored.users)


def merge_firsts(before: Firsts, since: Firsts) -> Firsts:
    """The firsts of two stretches of months of which `before` is the earlier one.

    What `before` knows can't happen for the first time later.
    """
    return Firsts(
        likes=_later(before.likes, since.likes, ["user_id", "track_id"]),
        artists=_later(before.artists, since.artists, ["user_id", "artist_id"]),
        users=_later(before.users, since.users, ["user_id"]),
    )


def _later(before: DataFrame, since: DataFrame, keys: list[str]) -> DataFrame:
    return before.unionByName(since.join(before.select(*keys), keys, "left_anti"))


def _with_month(df: DataFrame) -> DataFrame:
    """With the month of the time in the last column."""
    return df.withColumn("month", month_of(F.col(df.columns[-1])))
