"""Silver tables of headline size for benchmarks: right in number and skew, without a story."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date

import polars as pl
from pyspark.sql import Column, DataFrame, SparkSession
from pyspark.sql import functions as F

from pozytywka_spark import names, schemas
from pozytywka_spark.hashing.identity import user_bucket
from pozytywka_spark.hashing.identity_spark import user_bucket as bucket_of_user
from pozytywka_spark.lake.api import Lake
from pozytywka_spark.lake.layout import buckets_for, recording
from tests.bench.as_ingested import as_ingested

USERS, TRACKS, ARTISTS, GENRES, MONTHS = 20_000, 129_648, 27_524, 3_912, 37
SESSION = 40
START, ROBOT_MONTH = date(2022, 1, 1), date(2023, 6, 1)


def pick(salt: int, size: int) -> Column:
    """A repeatable draw from 0 to `size` - 1."""
    return F.pmod(F.xxhash64("id", F.lit(salt)), F.lit(size))


def skewed(salt: int, size: int) -> Column:
    """As `pick`, small numbers far more often, as plays fall on tracks."""
    return F.floor(F.pow(pick(salt, 1_000_000) / 1_000_000, F.lit(4.0)) * size)


def text_id(number: Column) -> Column:
    """22 characters, as real identifiers have."""
    return F.substring(F.md5(number.cast("string")), 1, 22)


@dataclass(frozen=True)
class World:
    """How many events, and what is unusual about them.

    `buckets` of users, unset: as many as ingest would choose. `robot`: so many events besides by one user in
    one month. `crowded`: a user of bucket 0 has ten times the events of one of another bucket.
    """

    events: int
    buckets: int | None = None
    robot: int = 0
    crowded: bool = False

    @property
    def laid_in(self) -> int:
        """The number of buckets."""
        return buckets_for(self.events // MONTHS + self.robot, self.buckets)


def write_silver(spark: SparkSession, lake: Lake, world: World) -> None:
    """Headline sizes; events in sessions of forty over 37 months, some users buying along the way."""
    genre = F.lit("genre ")
    users = spark.range(USERS + 1).select(
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
        *((pick(10 + i, 1_000) / 1_000).alias(name) for i, name in enumerate(names.AUDIO_FEATURES)),
    )
    storage = spark.range(TRACKS).select(
        text_id(F.col("id")).alias("track_id"),
        F.lit("SLOW").alias("storage_class"),
        (pick(7, 10_000) / 1_000_000).alias("daily_cost"),
    )
    catalogue = dict(zip(schemas.SILVER, [users, artists, tracks, storage], strict=False))
    for table, df in catalogue.items():
        lake.overwrite(table.conform(df), table)
    lake.append([], schemas.EVENTS, txn=recording(lake, world.laid_in))
    lake.append(schemas.EVENTS.conform(events_of(spark, world)), schemas.EVENTS)
    as_ingested(lake, world.laid_in)


def events_of(spark: SparkSession, world: World) -> DataFrame:
    """Grain: event. Sessions follow each other in time, so that files hold whole months."""
    apart = int(MONTHS * 30.4 * 86_400e6 * SESSION / world.events)
    session = F.floor(F.col("id") / SESSION)
    at = _micros(START) + session * F.lit(apart) + F.col("id") % SESSION * 180_000_000
    buys = (pick(2, max(100, world.events // (USERS // 2))) == 0) & (
        F.pmod(F.xxhash64(session), F.lit(10)) < 8
    )
    drawn = spark.range(0, world.events, 1, 8).withColumns({"session_id": session, "at": at, "buys": buys})
    rows = _with_users(drawn, world)
    if world.robot:
        step = int(28 * 86_400e6 / world.robot)
        robot = spark.range(world.events, world.events + world.robot, 1, 2).withColumns(
            {
                # of no session of the others, which come before
                "session_id": F.floor(F.col("id") / SESSION) + 1,
                "at": _micros(ROBOT_MONTH) + (F.col("id") - world.events) * step,
                "buys": F.lit(False),
                "user_id": F.lit(USERS).cast("bigint"),
            }
        )
        rows = rows.unionByName(robot)
    return _as_events(rows, world.laid_in)


def _with_users(drawn: DataFrame, world: World) -> DataFrame:
    """Each session with one user; the same hash whether all are equal or some are crowded."""
    draw = F.xxhash64("session_id")
    if not world.crowded:
        return drawn.withColumn("user_id", F.pmod(draw, F.lit(USERS)))
    buckets = pl.select(user_id=pl.int_range(USERS), bucket=user_bucket(pl.int_range(USERS), world.laid_in))
    shares = [user for user, bucket in buckets.rows() for _ in range(1 if bucket else 10)]
    places = drawn.sparkSession.createDataFrame(list(enumerate(shares)), "place bigint, user_id bigint")
    placed = drawn.withColumn("place", F.pmod(draw, F.lit(len(shares))))
    return placed.join(F.broadcast(places), "place", "inner").drop("place")


def _as_events(rows: DataFrame, buckets: int) -> DataFrame:
    """The table's columns of `id`, `at` (microseconds), `session_id`, `user_id` and `buys`."""
    kinds = ["PLAY"] * 11 + ["SKIP"] * 3 + ["LIKE"] * 3 + ["ADVERTISEMENT"] * 3
    draw = F.get(F.array(*map(F.lit, kinds)), pick(1, len(kinds)).cast("int"))
    kind = F.when(F.col("buys"), F.lit("BUY_PREMIUM")).otherwise(draw)
    bare = kind.isin("ADVERTISEMENT", "BUY_PREMIUM")
    time = F.timestamp_micros(F.col("at").cast("bigint"))
    return rows.select(
        F.unhex(F.md5(F.col("id").cast("string"))).alias("event_id"),
        time.alias("event_time"),
        kind.alias("event_type"),
        "user_id",
        "session_id",
        F.when(~bare, text_id(skewed(3, 10_708).cast("bigint"))).alias("track_id"),
        F.lit(False).alias("repaired"),
        F.lit(None).cast("string").alias("repair_reason"),
        schemas.month_of(time).alias("event_month"),
        bucket_of_user(buckets).alias("user_bucket"),
    )


def _micros(day: date) -> Column:
    return F.unix_micros(F.lit(day).cast("timestamp"))
