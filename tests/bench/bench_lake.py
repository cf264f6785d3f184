"""Writing and reading through the lake against plain Spark Parquet, in one run, alternating.

    python -m tests.bench.bench_lake [--rows 10000000] [--runs 3] [--partitions 4]

Prints seconds and the ratio lake / plain for: a write, a write by month (24 partitions), an
aggregate over what was written. The frame is computed anew in each write on both sides.
"""

from __future__ import annotations

import argparse
import shutil
import statistics
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

from pyspark.sql import DataFrame, SparkSession
from pyspark.sql import functions as F

from pozytywka_spark.config import load_settings
from pozytywka_spark.lake import open_lake
from pozytywka_spark.schemas import table
from pozytywka_spark.spark.session import build_session

DDL = (
    "event_id bigint, user_id bigint, track_id string, event_type string, event_time timestamp, "
    "duration double, flag boolean, month date"
)
PLAIN = table("plain", DDL, keys=["event_id"])
BY_MONTH = table("by_month", DDL, keys=["event_id"], partition_by=["month"])
MONTHS = 24


def events(spark: SparkSession, rows: int, partitions: int) -> DataFrame:
    """Grain: event; eight columns of mixed types, months in order so that tasks hold few of them each."""
    number = F.col("id")
    month = F.add_months(F.lit("2021-01-01").cast("date"), (number * MONTHS / rows).cast("int"))
    return spark.range(0, rows, numPartitions=partitions).select(
        number.alias("event_id"),
        F.pmod(F.xxhash64(number), F.lit(20_000)).alias("user_id"),
        F.concat(F.lit("track"), F.pmod(F.xxhash64(number, F.lit(1)), F.lit(10_000)).cast("string")).alias(
            "track_id"
        ),
        F.element_at(
            F.array(*map(F.lit, ["PLAY", "SKIP", "LIKE"])), (F.pmod(number, F.lit(3)) + 1).cast("int")
        ).alias("event_type"),
        F.timestamp_micros(number * 7_000_003 + 1_600_000_000_000_000).alias("event_time"),
        (F.pmod(F.xxhash64(number, F.lit(2)), F.lit(300_000)) / 1000).alias("duration"),
        (number % 2 == 0).alias("flag"),
        month.alias("month"),
    )


def seconds(work: Callable[[], object]) -> float:
    """How long it took."""
    start = time.perf_counter()
    work()
    return time.perf_counter() - start


def main() -> int:
    """Run and print."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--rows", type=int, default=10_000_000)
    parser.add_argument("--runs", type=int, default=3)
    parser.add_argument("--partitions", type=int, default=4)
    args = parser.parse_args()
    home = Path(tempfile.mkdtemp(prefix="bench-lake-"))
    settings = load_settings("local", [f"home={home}", "spark.driver_memory=2g"])
    spark = build_session(settings, "bench")
    lake = open_lake(settings, spark)
    frame = events(spark, args.rows, args.partitions)
    answer = [F.count("*"), F.avg("duration"), F.countDistinct("user_id")]
    at = str(home / "parquet")
    pairs: dict[str, tuple[Callable[[], object], Callable[[], object]]] = {
        "write": (
            lambda: frame.write.mode("overwrite").parquet(f"{at}/plain"),
            lambda: lake.overwrite(frame, PLAIN),
        ),
        "write by month": (
            lambda: frame.write.mode("overwrite").partitionBy("month").parquet(f"{at}/by_month"),
            lambda: lake.overwrite(frame, BY_MONTH),
        ),
        "aggregate": (
            lambda: spark.read.parquet(f"{at}/by_month").groupBy("event_type").agg(*answer).collect(),
            lambda: lake.read("by_month").groupBy("event_type").agg(*answer).collect(),
        ),
    }
    try:
        events(spark, 100_000, 2).write.parquet(f"{at}/warm")
        print(f"{args.rows:,} rows, medians of {args.runs}")
        for name, (plain, ours) in pairs.items():
            runs = [(seconds(plain), seconds(ours)) for _ in range(args.runs)]
            base, lakes = (statistics.median(side) for side in zip(*runs, strict=True))
            print(f"{name:16} plain {base:7.2f} s   lake {lakes:7.2f} s   ratio {lakes / base:.2f}")
    finally:
        spark.stop()
        shutil.rmtree(home, ignore_errors=True)
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
