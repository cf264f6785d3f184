"""Silver tables of headline size for benchmarks: right in number and skew, without a story."""

from __future__ import annotations

import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import date
from pathlib import Path

from pyspark.sql import Column, DataFrame, SparkSession
from pyspark.sql import functions as F

from pozytywka_spark import schemas
from pozytywka_spark.lake.api import Lake

USERS, TRACKS, ARTISTS, GENRES, MONTHS = 20_000, 129_648, 27_524, 3_912, 37
SESSION = 40
START = date(2022, 1, 1)


@contextmanager
def worlds(kept: Path | None) -> Iterator[Path]:
    """Where a bench keeps its worlds; none named: a folder that is gone afterwards."""
    if kept is not None:
        yield kept
        return
    with tempfile.TemporaryDirectory(prefix="bench-", ignore_cleanup_errors=True) as made:
        yield Path(made)


def pick(salt: int, size: int) -> Column:
    """A repeatable draw from 0 to `size` - 1."""
    return F.pmod(F.xxhash64("id", F.lit(salt)), F.lit(size))


def skewed(salt: int, size: int) -> Column:
    """As `pick`, small numbers far more often, as plays fall on tracks."""
    return F.floor(F.pow(pick(salt, 1_000_000) / 1_000_000, F.lit(4.0)) * size)


def text_id(number: Column) -> Column:
    """22 characters, as real identifiers have."""
    return F.substring(F.md5(number.cast("string")), 1, 22)


def write_silver(spark: SparkSession, lake: Lake, events: int) -> None:
    """Headline sizes; `events` in sessions of forty over 37 months, some users buying along the way."""
    genre = F.lit("genre ")
    users = spark.range(USERS).select(
        F.col("id").alias("user_id"),
        F.lit("Gdynia").alias("city"),
        F.array(*(F.concat(genre, pick(i, 50).cast("string")) for i in range(3))).alias("favourite_genres"),
        (pick(9, 10) < 4).alias("premium_user"),
    )
    artists = spark.range(ARTISTS).select(
        text_id(F.col("id")).alias("id"),
        F.lit("name").alias("name"),
        F.array(*(F.concat(genre, pick(i, GENRES).cast("string")) for i in range(4))).alias("genres"),
    )
    tracks = spark.range(TRACKS).select(
        text_id(F.col("id")).alias("id"),
        F.concat(F.lit("track "), "id").alias("name"),
        pick(1, 100).cast("int").alias("popularity"),
        (60_000 + pick(2, 300_000)).alias("duration_ms"),
        (pick(3, 10) == 0).alias("explicit"),
        text_id(pick(4, ARTISTS)).alias("id_artist"),
        F.date_from_unix_date(pick(5, 18_000).cast("int")).alias("release_date"),
        F.lit("day").alias("release_date_precision"),
        pick(6, 12).cast("int").alias("key"),
        *((pick(10 + i, 1_000) / 1_000).alias(name) for i, name in enumerate(schemas.AUDIO_FEATURES)),
    )
    storage = spark.range(TRACKS).select(
        text_id(F.col("id")).alias("track_id"),
        F.lit("SLOW").alias("storage_class"),
        (pick(7, 10_000) / 1_000_000).alias("daily_cost"),
    )
    made = [users, artists, tracks, storage, events_of(spark, events)]
    for table, df in zip(schemas.SILVER, made, strict=True):
        lake.overwrite(table.conform(df), table)


def events_of(spark: SparkSession, events: int) -> DataFrame:
    """Grain: event. Sessions follow each other in time, so that files hold whole months."""
    session = F.floor(F.col("id") / SESSION)
    apart = int(MONTHS * 30.4 * 86_400e6 * SESSION / events)
    begin = F.unix_micros(F.lit(START).cast("timestamp")) + session * F.lit(apart)
    at = F.timestamp_micros((begin + (F.col("id") % SESSION) * 180_000_000).cast("bigint"))
    kinds = ["PLAY"] * 11 + ["SKIP"] * 3 + ["LIKE"] * 3 + ["ADVERTISEMENT"] * 3
    draw = pick(1, 20).cast("int")
    bought = (pick(2, events // (USERS // 2)) == 0) & (F.pmod(F.xxhash64(session), F.lit(10)) < 8)
    kind = F.when(bought, F.lit("BUY_PREMIUM")).otherwise(F.get(F.array(*map(F.lit, kinds)), draw))
    bare = kind.isin("ADVERTISEMENT", "BUY_PREMIUM")
    return spark.range(0, events, 1, 8).select(
        F.unhex(F.md5(F.col("id").cast("string"))).alias("event_id"),
        at.alias("event_time"),
        kind.alias("event_type"),
        F.pmod(F.xxhash64(session), F.lit(USERS)).alias("user_id"),
        session.alias("session_id"),
        F.when(~bare, text_id(skewed(3, 10_708).cast("bigint"))).alias("track_id"),
        F.lit(False).alias("repaired"),
        F.lit(None).cast("string").alias("repair_reason"),
        schemas.month_of(at).alias("event_month"),
        F.lit(0).alias("user_bucket"),
    )
