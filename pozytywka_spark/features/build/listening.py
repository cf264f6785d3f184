"""Who played and liked which track in a month: what popularity, genres and likes for life are made of."""

from __future__ import annotations

from datetime import date

import polars as pl

from pozytywka_spark.features.build.staged import LIKED_ROWS, LISTENED_ROWS, PLAYED_ROWS
from pozytywka_spark.features.kinds import is_like, is_play


def first_likes(events: pl.DataFrame, month: date) -> pl.DataFrame:
    """`staged.LIKED_ROWS` of a month's events: likes that name a track."""
    named = events.filter(is_like() & (pl.col("track").is_not_null() | pl.col("stray").is_not_null()))
    firsts = named.group_by("user_id", "track", "stray", maintain_order=True).agg(liked_at=pl.col("at").min())
    return firsts.with_columns(month=pl.lit(month)).select(*LIKED_ROWS).cast(LIKED_ROWS)


def plays_by_anyone(events: pl.DataFrame, month: date) -> pl.DataFrame:
    """`staged.PLAYED_ROWS` of a month's events: plays that name a track."""
    plays = events.filter(is_play())
    known = plays.filter(pl.col("track").is_not_null()).group_by("track").len("plays")
    strays = plays.filter(pl.col("stray").is_not_null()).group_by("stray").len("plays")
    both = pl.concat([known, strays], how="diagonal")
    return both.with_columns(month=pl.lit(month)).select(*PLAYED_ROWS).cast(PLAYED_ROWS)


def plays_by_track(events: pl.DataFrame, likes: pl.DataFrame, month: date) -> pl.DataFrame:
    """`staged.LISTENED_ROWS` of a month's events and its `first_likes`."""
    plays = events.filter(is_play())
    known = pl.col("track").is_not_null()
    counted = [
        _counted(plays.filter(known), likes, "track"),
        # strays, and plays that name no track: nobody can like nothing
        _counted(plays.filter(~known), likes, "stray"),
    ]
    both = pl.concat(counted, how="diagonal").with_columns(month=pl.lit(month))
    return both.select(*LISTENED_ROWS).cast(LISTENED_ROWS)


def _counted(plays: pl.DataFrame, likes: pl.DataFrame, track: str) -> pl.DataFrame:
    keys = ["user_id", track]
    liked = likes.filter(pl.col(track).is_not_null()).select(*keys, "liked_at")
    joined = plays.select(*keys, "at").join(liked, on=keys, how="left")
    return joined.group_by(keys).agg(plays=pl.len(), liked_plays=(pl.col("liked_at") <= pl.col("at")).sum())
