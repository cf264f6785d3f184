"""Silver tables of a raw delivery for tests, written straight into a lake: without ingest, without Spark."""

from __future__ import annotations

from pathlib import Path

import polars as pl

from pozytywka_spark import names, schemas
from pozytywka_spark.hashing.identity import event_ids
from pozytywka_spark.lake.api import Lake

AUDIO = names.AUDIO_FEATURES
RAW = {
    "users": {
        "user_id": pl.Int64,
        "city": pl.String,
        "favourite_genres": pl.List(pl.String),
        "premium_user": pl.Boolean,
    },
    "artists": {"id": pl.String, "name": pl.String, "genres": pl.List(pl.String)},
    "tracks": {
        "id": pl.String,
        "name": pl.String,
        "popularity": pl.Int32,
        "duration_ms": pl.Int64,
        "explicit": pl.Int32,
        "id_artist": pl.String,
        "release_date": pl.String,
        "key": pl.Int32,
        **dict.fromkeys(AUDIO, pl.Float64),
    },
    "track_storage": {"track_id": pl.String, "storage_class": pl.String, "daily_cost": pl.Float64},
    "sessions": {
        "timestamp": pl.String,
        "user_id": pl.Int64,
        "track_id": pl.String,
        "event_type": pl.String,
        "session_id": pl.Int64,
    },
}


def silver_of(folder: Path) -> dict[str, pl.DataFrame]:
    """The five silver tables of a clean delivery, by name."""
    raw = {name: pl.concat(_parts(folder, name)) for name in RAW}
    events = events_of(raw.pop("sessions"))
    return {**raw, "tracks": _tracks(raw["tracks"]), "events": events}


def _parts(folder: Path, name: str) -> list[pl.DataFrame]:
    """The entity's file, or each of its folder of parts."""
    file = folder / f"{name}.jsonl"
    files = [file] if file.exists() else sorted((folder / name).glob("*.jsonl"))
    return [pl.read_ndjson(each, schema=RAW[name]) for each in files]


def events_of(sessions: pl.DataFrame) -> pl.DataFrame:
    """Clean raw session rows as the events table."""
    rows = sessions.with_columns(
        pl.col("event_type").str.to_uppercase(),
        event_time=pl.col("timestamp").str.to_datetime(
            "%Y-%m-%dT%H:%M:%S%.f", time_unit="us", time_zone="UTC"
        ),
        track_id=pl.when(pl.col("track_id") != "").then("track_id"),
        repaired=pl.lit(value=False),
        repair_reason=pl.lit(None, pl.String),
        user_bucket=pl.lit(0, pl.Int32),
    )
    return rows.with_columns(event_ids(rows), event_month=pl.col("event_time").dt.date().dt.month_start())


def write_silver(lake: Lake, tables: dict[str, pl.DataFrame]) -> None:
    """Write the tables into the lake."""
    for table in schemas.SILVER:
        lake.overwrite(tables[table.name].select(table.columns).to_arrow(), table)


def _tracks(raw: pl.DataFrame) -> pl.DataFrame:
    known = pl.any_horizontal(pl.col(name) != 0 for name in AUDIO)
    audio = {
        name: pl.when(known & ((pl.col(name) != 0) if name == "tempo" else True)).then(name) for name in AUDIO
    }
    parts = pl.col("release_date").str.count_matches("-")
    return raw.with_columns(
        pl.col("explicit").cast(pl.Boolean),
        release_date=(pl.col("release_date") + "-01-01").str.head(10).str.to_date("%Y-%m-%d"),
        release_date_precision=parts.replace_strict([0, 1, 2], ["year", "month", "day"]),
        **audio,
    )
