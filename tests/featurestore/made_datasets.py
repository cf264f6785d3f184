"""Data sets of a small lake: rows asked for, read back, and their files."""

from __future__ import annotations

import random
from collections.abc import Sequence
from datetime import datetime
from pathlib import Path
from typing import Any

import polars as pl
from pyspark.sql import SparkSession

from pozytywka_spark.config import load_settings
from pozytywka_spark.featurestore.dataset import MadeDataset
from pozytywka_spark.lake import open_lake
from tests.featurestore.small_lake import SmallLake, month
from tests.jars import needed

MONTHS = [month(number) for number in range(6)]


def small_lake(spark: SparkSession, home: Path, engine: str = "delta-rs", *more: str) -> SmallLake:
    if engine == "delta-spark":
        needed("delta")
    settings = load_settings("local", [f"home={home}", f"lake.engine={engine}", *more])
    return SmallLake(settings, open_lake(settings, spark), random.Random(7))


def spine_at(place: Path, rows: pl.DataFrame) -> str:
    if place.suffix == ".csv":
        rows.write_csv(place)
    else:
        rows.write_parquet(place)
    return str(place)


def asked(rows: Sequence[tuple[Any, datetime]], key: str = "user_id") -> pl.DataFrame:
    kind = pl.Int64 if key == "user_id" else pl.String
    frame = pl.DataFrame(rows, schema={key: kind, "as_of": pl.Datetime("us", "UTC")}, orient="row")
    return frame.with_row_index("note")


def read(made: MadeDataset) -> pl.DataFrame:
    return pl.concat([pl.read_parquet(f"{made.folder}/{file.file}") for file in made.manifest.files])


def files_in(folder: Path) -> dict[str, bytes]:
    return {each.name: each.read_bytes() for each in folder.iterdir()}
