"""Silver tables of a raw delivery for tests, written straight into a lake, without the ingest stage."""

from __future__ import annotations

from pathlib import Path

from pyspark.sql import DataFrame, SparkSession
from pyspark.sql import functions as F

from pozytywka_spark import names, schemas
from pozytywka_spark.lake.api import Lake

RAW = {
    "users": "user_id bigint, city string, favourite_genres array<string>, premium_user boolean",
    "artists": "id string, name string, genres array<string>",
    "tracks": "id string, name string, popularity int, duration_ms bigint, explicit int, id_artist string, "
    "release_date string, key int, " + ", ".join(f"{name} double" for name in names.AUDIO_FEATURES),
    "track_storage": "track_id string, storage_class string, daily_cost double",
    "sessions": "timestamp string, user_id bigint, track_id string, event_type string, session_id bigint",
}


def silver_of(spark: SparkSession, folder: Path) -> dict[str, DataFrame]:
    """The five silver tables of a clean delivery."""
    raw = {name: spark.read.json(_place(folder, name), schema=ddl) for name, ddl in RAW.items()}
    tables = {
        "users": raw["users"],
        "artists": raw["artists"],
        "tracks": _tracks(raw["tracks"]),
        "track_storage": raw["track_storage"],
        "events": events_of(raw["sessions"]),
    }
    return {table.name: table.conform(tables[table.name]) for table in schemas.SILVER}


def _place(folder: Path, name: str) -> str:
    """The entity's file, or its folder of parts."""
    file = folder / f"{name}.jsonl"
    return str(file if file.exists() else folder / name)


def events_of(sessions: DataFrame) -> DataFrame:
    """Clean raw session rows as the events table."""
    time = F.to_timestamp("timestamp")
    return sessions.select(
        F.unhex(F.md5(F.concat_ws("|", *sessions.columns))).alias("event_id"),
        time.alias("event_time"),
        F.upper("event_type").alias("event_type"),
        "user_id",
        "session_id",
        F.nullif("track_id", F.lit("")).alias("track_id"),
        F.lit(False).alias("repaired"),
        F.lit(None).cast("string").alias("repair_reason"),
        schemas.month_of(time).alias("event_month"),
        F.lit(0).alias("user_bucket"),
    )


def write_silver(lake: Lake, tables: dict[str, DataFrame]) -> None:
    """Write the tables into the lake."""
    for table in schemas.SILVER:
        lake.overwrite(tables[table.name], table)


def _tracks(raw: DataFrame) -> DataFrame:
    precision = F.element_at(F.array(F.lit("year"), F.lit("month"), F.lit("day")),
                             F.size(F.split("release_date", "-")))  # fmt: skip
    padded = F.substring(F.concat("release_date", F.lit("-01-01")), 1, 10)
    unknown = F.lit(True)
    for name in names.AUDIO_FEATURES:
        unknown = unknown & (F.col(name) == 0)
    audio = {
        name: F.when(~unknown & ((F.col(name) != 0) if name == "tempo" else F.lit(True)), F.col(name))
        for name in names.AUDIO_FEATURES
    }
    return raw.withColumns(
        {
            "explicit": F.col("explicit").cast("boolean"),
            "release_date": F.to_date(padded),
            "release_date_precision": precision,
            **audio,
        }
    )
