"""JSONL to silver in MB/s per core, beside DuckDB's and Polars' readers doing the same parse and write.

Run on a quiet machine: `python -m tests.bench.bench_ingest [EVENTS ...]` (default 1000000 10000000).
Each engine reads the same file, takes the same columns and types, adds an event id and a month, and
writes compressed Parquet by month; ingest also judges, deduplicates, counts and commits. Its session's
start is not counted; checks and page have a line of their own. `parse` and `parse+write` say how much
of its time is Spark's own JSON and Parquet. Peak memory: of the JVM with 2 GB of heap for Spark's lines
(so far in the run), of a process of its own for DuckDB and Polars.
"""

from __future__ import annotations

import multiprocessing
import os
import resource
import shutil
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

import duckdb
import polars as pl
from pyspark.sql import SparkSession
from pyspark.sql import functions as F

from pozytywka_spark.config import load_settings
from pozytywka_spark.ingest import stage
from pozytywka_spark.ingest.contracts import SESSIONS
from pozytywka_spark.ingest.delivery import find_delivery
from pozytywka_spark.ingest.ledger import counts_of
from pozytywka_spark.ingest.reporting import report_on
from pozytywka_spark.lake import open_lake
from pozytywka_spark.session import build_session
from tests.bench.memory import jvm_peak


def make(spark: SparkSession, events: int, folder: Path) -> Path:
    """Clean events in sessions of fifty, with ids as long as real ones, over two years; one file."""
    n = F.col("id")
    kinds = F.array(*(F.lit(k) for k in ("PLAY", "PLAY", "PLAY", "SKIP", "LIKE")))
    time_of = F.timestamp_seconds(F.lit(1_640_995_200) + n * (730 * 86_400) / events)
    row = F.struct(
        F.date_format(time_of, "yyyy-MM-dd'T'HH:mm:ss.SSSSSS").alias("timestamp"),
        (n / 50 % 20_000).cast("bigint").alias("user_id"),
        F.substring(F.md5((F.hash(n) % 20_000).cast("string")), 1, 22).alias("track_id"),
        kinds[F.pmod(F.hash(n), F.lit(5))].alias("event_type"),
        (n / 50).cast("bigint").alias("session_id"),
    )
    # json as Python writes it, with a blank after the colon: one part, as deliveries come
    text = F.regexp_replace(F.to_json(row), '([:,])"?', "$0")
    parts = folder / "parts"
    spark.range(0, events, 1, 1).select(text.alias("value")).write.mode("overwrite").text(str(parts))
    raw = folder / "raw"
    raw.mkdir(exist_ok=True)
    (part,) = parts.glob("part-*")
    part.rename(raw / "sessions.jsonl")
    return raw


def with_ingest(spark: SparkSession, raw: Path, out: Path) -> None:
    settings = load_settings("local", [f"home={out}", f"raw.path={raw}"])
    stage.report_on = lambda *_: ((), None)  # reports are not parsing
    stage.ingest(spark, settings, open_lake(settings, spark))


def with_report(spark: SparkSession, raw: Path, out: Path) -> None:
    """Checks and page of the lake that `with_ingest` left."""
    settings = load_settings("local", [f"home={out}", f"raw.path={raw}"])
    lake = open_lake(settings, spark)
    with lake.tasks() as tasks:
        report_on(settings, lake, tasks, find_delivery(spark, settings), 1, counts_of(lake, 1))


def parse_only(spark: SparkSession, raw: Path, out: Path) -> None:
    lines = spark.read.text(str(raw / "sessions.jsonl"))
    lines.select(F.from_json("value", SESSIONS.fields).alias("r")).select("r.*").write.format("noop").mode(
        "overwrite"
    ).save()


def parse_and_write(spark: SparkSession, raw: Path, out: Path) -> None:
    lines = spark.read.text(str(raw / "sessions.jsonl"))
    rows = lines.select(F.from_json("value", SESSIONS.fields).alias("r")).select("r.*")
    rows.select("*", F.md5(F.concat_ws("|", *rows.columns)).alias("event_id"),
                F.trunc(F.col("timestamp").cast("timestamp"), "month").alias("event_month")
                ).write.partitionBy("event_month").parquet(str(out))  # fmt: skip


def with_duckdb(raw: Path, out: Path) -> None:
    connection = duckdb.connect()
    connection.execute("set enable_progress_bar = false")
    rows = connection.read_json(
        str(raw / "sessions.jsonl"), format="newline_delimited",
        columns={"timestamp": "TIMESTAMP", "user_id": "BIGINT", "track_id": "VARCHAR",
                 "event_type": "VARCHAR", "session_id": "BIGINT"},
    )  # fmt: skip
    hashed = "md5(concat_ws('|', timestamp, event_type, user_id, session_id, track_id)) as event_id"
    rows.project(f"*, {hashed}, date_trunc('month', timestamp)::date as event_month").write_parquet(
        str(out), compression="zstd", partition_by=["event_month"]
    )


def with_polars(raw: Path, out: Path) -> None:
    schema = {"timestamp": pl.String, "user_id": pl.Int64, "track_id": pl.String, "event_type": pl.String,
              "session_id": pl.Int64}  # fmt: skip
    rows = pl.scan_ndjson(raw / "sessions.jsonl", schema=schema).with_columns(
        pl.col("timestamp").str.to_datetime("%Y-%m-%dT%H:%M:%S%.f")
    )
    text = pl.concat_str([pl.col(name).cast(pl.String) for name in schema], separator="|")
    rows.with_columns(
        event_id=text.hash(), event_month=pl.col("timestamp").dt.truncate("1mo").dt.date()
    ).collect(engine="streaming").write_parquet(out, partition_by="event_month", compression="zstd")


IN_SPARK: dict[str, Callable[[SparkSession, Path, Path], None]] = {
    "ingest": with_ingest,
    "checks and page": with_report,
    "spark: parse": parse_only,
    "spark: parse+write": parse_and_write,
}
APART: dict[str, Callable[[Path, Path], None]] = {"duckdb": with_duckdb, "polars": with_polars}


def apart(name: str, raw: Path, out: Path) -> tuple[float, float]:
    """Seconds and peak memory in MB of a run in this process, which is to be a fresh one."""
    start = time.perf_counter()
    APART[name](raw, out)
    return time.perf_counter() - start, resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1e3


def main(sizes: list[int]) -> None:
    cores = os.cpu_count() or 1
    fresh = multiprocessing.get_context("spawn")
    with tempfile.TemporaryDirectory() as place:
        folder = Path(place)
        home = load_settings("local", [f"home={folder / 'home'}", "spark.driver_memory=2g"])
        spark = build_session(home, "bench-ingest")
        with_ingest(spark, make(spark, 100_000, folder), folder / "warm")
        for events in sizes:
            raw = make(spark, events, folder)
            size = (raw / "sessions.jsonl").stat().st_size / 1e6

            def tell(name: str, took: float, peak: float, events: int = events, size: float = size) -> None:
                print(f"{events:>11,} events {size:8.0f} MB  {name:<20} {took:7.1f} s "
                      f"{size / took / cores:7.1f} MB/s/core  peak {peak:6,.0f} MB", flush=True)  # fmt: skip

            for name, run in IN_SPARK.items():
                out = folder / ("lake" if run in (with_ingest, with_report) else "out")
                start = time.perf_counter()
                run(spark, raw, out)
                tell(name, time.perf_counter() - start, 1e3 * jvm_peak(spark))
                shutil.rmtree(folder / "out", ignore_errors=True)
            shutil.rmtree(folder / "lake")
            for name in APART:
                with fresh.Pool(1) as pool:
                    tell(name, *pool.apply(apart, (name, raw, folder / "out")))
                shutil.rmtree(folder / "out", ignore_errors=True)
        spark.stop()


if __name__ == "__main__":
    main([int(text) for text in sys.argv[1:]] or [1_000_000, 10_000_000])
