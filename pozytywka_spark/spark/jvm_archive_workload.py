"""A little of everything that our jobs ask of Spark, so that Java has met the classes they need."""

from __future__ import annotations

import json
import tempfile
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import TYPE_CHECKING

from pyspark.sql import DataFrame, SparkSession, Window
from pyspark.sql import functions as F

if TYPE_CHECKING:
    import pandas as pd

_SCHEMA = "user_id bigint, at timestamp, kind string, genres array<string>"


def warm_up(spark: SparkSession, folder: Path) -> None:
    """Read JSON lines, join, aggregate, look back, store, read again, and pass rows through Python."""
    rows = [
        {
            "user_id": n % 7,
            "at": f"2024-0{1 + n % 5}-03T10:00:{n % 60:02d}",
            "kind": "PLAY",
            "genres": ["rock", str(n)],
        }
        for n in range(200)
    ]
    (folder / "events.jsonl").write_text("\n".join(map(json.dumps, rows)))
    events = spark.read.schema(_SCHEMA).json(str(folder / "events.jsonl"))
    events = events.select("*", F.date_trunc("month", "at").alias("month")).persist()
    genres = events.select("user_id", "month", F.explode("genres").alias("genre")).distinct()
    counts = events.groupBy("user_id", "month").agg(
        F.count("*").alias("events"),
        F.countDistinct("kind").alias("kinds"),
        F.count(F.when(F.col("kind") == "SKIP", 1)).alias("skips"),
        F.max(F.struct("at", "kind")).alias("last"),
    )
    joined = counts.join(
        genres.groupBy("user_id", "month").agg(F.collect_set("genre").alias("all")),
        ["user_id", "month"],
        "left",
    ).join(
        F.broadcast(spark.createDataFrame([(n, n / 2) for n in range(7)], "user_id int, half double")),
        "user_id",
    )
    back = Window.partitionBy("user_id").orderBy("month").rowsBetween(-2, 0)
    features = joined.select(
        "user_id",
        "month",
        F.sum("events").over(back).alias("events_3m"),
        F.size("all").alias("genres"),
        "half",
    )
    features.write.partitionBy("month").mode("overwrite").parquet(str(folder / "features"))
    stored = spark.read.parquet(str(folder / "features"))
    _in_python(stored.where(F.col("month") > "2024-01-15").orderBy("user_id").limit(50))
    stored.unionByName(features).groupBy("month").pivot("user_id", [1, 2]).sum("half").toPandas()
    events.unpersist()


def _in_python(frame: DataFrame) -> None:
    def same(batches: Iterable[pd.DataFrame]) -> Iterator[pd.DataFrame]:
        yield from batches

    frame.mapInPandas(same, frame.schema).repartition(2, "user_id").count()


if __name__ == "__main__":
    from pozytywka_spark.config import load_settings
    from pozytywka_spark.spark.session import build_session

    with tempfile.TemporaryDirectory(prefix="warm-up-") as scratch:
        settings = load_settings("local", [f"home={scratch}"])
        warm_up(build_session(settings, "warm_up"), Path(scratch))
