"""Plays and likes by user and track in a month: the base of popularity, genres and likes for life."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date

import polars as pl

from pozytywka_spark.features.build.parcels import LIKED_ROWS, LISTENED_ROWS, PLAYED_ROWS
from pozytywka_spark.features.declared.event_codes import is_like, is_play

_TRACKS = 1 << 32  # more than there are


def plays_and_likes(events: pl.DataFrame, month: date) -> tuple[pl.DataFrame, pl.DataFrame]:
    """`parcels.LISTENED_ROWS` and `parcels.LIKED_ROWS` of a month's events, each user's beside each other.

    Both in the order of users and tracks, strays last: so they take half the bytes.
    """
    with_track = _of_tracks(events.drop_nulls("track"))
    others = _of_strays(events.filter(pl.col("track").is_null()))
    return (
        _shaped([with_track[0], others[0]], month, LISTENED_ROWS),
        _shaped([with_track[1], others[1]], month, LIKED_ROWS),
    )


def plays_by_anyone(events: pl.DataFrame, month: date) -> pl.DataFrame:
    """`parcels.PLAYED_ROWS` of a month's events: plays that name a track."""
    plays = events.filter(is_play())
    counted = plays.drop_nulls("track").group_by("track").len("plays").sort("track")
    strays = plays.drop_nulls("stray").group_by("stray").len("plays").sort("stray")
    return _shaped([counted, strays], month, PLAYED_ROWS)


def _of_tracks(events: pl.DataFrame) -> tuple[pl.DataFrame, pl.DataFrame]:
    """Of events with a track: user and track are made one number, which halves the time."""
    key = pl.col("user_id").rle_id().cast(pl.UInt64) * _TRACKS + pl.col("track")
    keyed = events.select("at", "kind", key=key)
    plays = keyed.filter(is_play())
    liked = keyed.filter(is_like()).group_by("key").agg(liked_at=pl.col("at").min()).sort("key")
    # each play of a sorted run: a number and how often it is there
    counted = plays.get_column("key").sort().rle().struct.unnest().rename({"value": "key", "len": "plays"})
    since = plays.join(liked, on="key").filter(pl.col("liked_at") <= pl.col("at"))
    listened = counted.join(
        since.group_by("key").len("liked_plays"), on="key", how="left", maintain_order="left"
    ).with_columns(pl.col("liked_plays").fill_null(0))
    users = events.get_column("user_id").rle().struct.field("value")

    def apart(rows: pl.DataFrame) -> pl.DataFrame:
        places = rows.get_column("key") // _TRACKS
        return rows.with_columns(user_id=users.gather(places), track=pl.col("key") % _TRACKS)

    return apart(listened), apart(liked)


def _of_strays(events: pl.DataFrame) -> tuple[pl.DataFrame, pl.DataFrame]:
    """Of events without one: of strays, and plays that name no track, of which nobody can like any."""
    plays, keys = events.filter(is_play()), ["user_id", "stray"]
    likes = events.filter(is_like()).drop_nulls("stray")
    liked = likes.group_by(keys).agg(liked_at=pl.col("at").min()).sort(keys)
    since = (pl.col("liked_at") <= pl.col("at")).sum()
    joined = plays.join(liked, on=keys, how="left")
    return joined.group_by(keys).agg(plays=pl.len(), liked_plays=since).sort(keys), liked


def _shaped(rows: Sequence[pl.DataFrame], month: date, schema: pl.Schema) -> pl.DataFrame:
    both = pl.concat(rows, how="diagonal_relaxed")
    return both.with_columns(month=pl.lit(month)).select(*schema).cast(schema)
