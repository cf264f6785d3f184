"""Partial counts of events, shard by shard: part of the first job of a look at silver."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from datetime import date
from typing import Any

import polars as pl

from pozytywka_spark.ingest.quality.key_parcels import (
    LIKES,
    SESSION_EVENTS,
    TRACK_EVENTS,
    USER_EVENTS,
    Staging,
)
from pozytywka_spark.lake.shards import Shard, batches
from pozytywka_spark.lake.tasks import Result, TaskFiles
from pozytywka_spark.names import ADVERTISEMENT, BUY_PREMIUM, LIKE, PLAY

CHUNK_ROWS = 2_000_000  # of files that are read together
_DAY_MICROS = 86_400_000_000
_COLUMNS = ("event_time", "event_type", "user_id", "session_id", "track_id", "repaired")


def count_events(shard: Shard, files: TaskFiles, staging: Staging) -> Iterator[Result]:
    """Stage what was done by user and month, track, session, and of likes; tell months and days.

    All of a user's events of a month are in one shard: only that shard can say which of its adverts come
    after the purchase; all adverts of later months do.
    """
    month: date = shard.partition["event_month"]
    chunks = list(batches(shard.files, CHUNK_ROWS))
    bought = None
    if len(chunks) > 1:  # the purchase may lie in another chunk than the adverts
        seen = [
            _first_purchases(files.read(chunk, ("event_time", "event_type", "user_id"))) for chunk in chunks
        ]
        bought = pl.concat(seen).group_by("user_id").agg(pl.col("bought_at").min())
    for chunk in chunks:
        rows = files.read(chunk, _COLUMNS)
        yield count_rows(rows, month, staging, bought)


def count_rows(
    rows: pl.DataFrame,
    month: date,
    staging: Staging,
    bought: pl.DataFrame | None = None,
    days: Mapping[date, int] | None = None,
) -> dict[str, Any]:
    """The same of events of a month in memory.

    `bought`: the first purchases (`user_id`, `bought_at`) of their users in the whole month; not needed where
    the rows are all that their users did in it. `days`: how many events each day has, if that is known.
    """
    first = _first_purchases(rows) if bought is None else bought
    staging.add(USER_EVENTS, _by_user(rows, first).with_columns(month=month))
    staging.add(TRACK_EVENTS, _by_track(rows))
    staging.add(SESSION_EVENTS, _by_session(rows))
    staging.add(LIKES, _likes(rows))
    by_day = _by_day(rows) if days is None else [[day.isoformat(), events] for day, events in days.items()]
    return {"months": _by_type(rows, month), "days": by_day}


def _is(kind: str) -> pl.Expr:
    return pl.col("event_type") == kind


def _first_purchases(rows: pl.DataFrame) -> pl.DataFrame:
    """Grain: user with a purchase among the rows."""
    purchases = rows.select("event_type", "user_id", "event_time").filter(_is(BUY_PREMIUM))
    return purchases.group_by("user_id").agg(bought_at=pl.col("event_time").min())


def _by_user(rows: pl.DataFrame, first: pl.DataFrame) -> pl.DataFrame:
    """Grain: user. `bought_at` is of the user's whole month, `late` adverts come after it."""
    counts = rows.group_by("user_id").agg(
        events=pl.len(), bought=_is(BUY_PREMIUM).sum(), adverts=_is(ADVERTISEMENT).sum()
    )
    adverts = rows.select("event_type", "user_id", "event_time").filter(_is(ADVERTISEMENT))
    adverts = adverts.join(first, on="user_id")
    late = adverts.filter(pl.col("event_time") > pl.col("bought_at")).group_by("user_id").agg(late=pl.len())
    both = counts.join(first, on="user_id", how="left").join(late, on="user_id", how="left")
    return both.with_columns(pl.col("late").fill_null(0))


def _by_track(rows: pl.DataFrame) -> pl.DataFrame:
    counts = rows.group_by("track_id").agg(plays=_is(PLAY).sum(), events=pl.len())
    return counts.filter(pl.col("track_id").is_not_null())


def _by_session(rows: pl.DataFrame) -> pl.DataFrame:
    return rows.group_by("session_id").agg(
        pl.len().alias("events"), pl.col("user_id").min(), pl.col("user_id").max().alias("other")
    )


def _likes(rows: pl.DataFrame) -> pl.DataFrame:
    likes = rows.select("event_type", "user_id", "track_id").filter(_is(LIKE))
    return likes.group_by("user_id", "track_id").agg(likes=pl.len())


def _by_type(rows: pl.DataFrame, month: date) -> list[list[Any]]:
    """Rows as `distributions.MonthRow` has them."""
    counts = rows.group_by("event_type").agg(
        pl.lit(month.isoformat()).alias("month"),
        pl.len(),
        pl.col("repaired").sum().alias("repaired"),
        pl.col("track_id").null_count().alias("trackless"),
        pl.col("event_time").min().dt.epoch("us").alias("first"),
        pl.col("event_time").max().dt.epoch("us").alias("last"),
    )
    return [list(row) for row in counts.rows()]


def _by_day(rows: pl.DataFrame) -> list[list[Any]]:
    """Day (UTC, ISO) and how many events it has."""
    # whole numbers are ten times faster to group by than dates, and those than texts
    number = pl.col("event_time").dt.epoch("us") // _DAY_MICROS
    days = rows.group_by(number.cast(pl.Int32).alias("day")).len()
    return [[day.isoformat(), events] for day, events in days.cast({"day": pl.Date}).rows()]
