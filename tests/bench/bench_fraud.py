"""Events to signals, rings and cases, beside DuckDB computing the same signals from the same Parquet files.

    python -m tests.bench.bench_fraud LAKE [LAKE …] [--runs 2]

LAKE is the folder of a lake with the silver tables; results go to a folder beside it, which is deleted.
One run, two cores each, DuckDB in a process of its own; starting the session isn't counted. Told of each:
DuckDB's signals, a full scan (guard, rings and cases in it), the last month once more, nothing new, the page;
with the memory that the JVM, its Python workers and this process had so far. With several lakes: the exponent
of the full scan over the number of events.
"""

from __future__ import annotations

import argparse
import math
import multiprocessing
import os
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import duckdb
from pyspark.sql import SparkSession

from pozytywka_spark import schemas
from pozytywka_spark.config import Settings, load_settings
from pozytywka_spark.fraud.inputs import read_scanned
from pozytywka_spark.fraud.report import make_page
from pozytywka_spark.fraud.stage import ScanReport, scan
from pozytywka_spark.lake import open_lake
from pozytywka_spark.lake.api import Lake
from pozytywka_spark.spark.session import build_session
from tests.bench.memory import jvm_peak, peak_of, workers_peak
from tests.bench.timed import seconds
from tests.fraud.oracle import SQL


def with_duckdb(lake: str, out: str) -> float:
    """Seconds of all signals by SQL, from the files of events to one file."""
    with duckdb.connect() as connection:
        connection.execute("SET TimeZone = 'UTC'; SET threads = 2; SET memory_limit = '4GB'")
        events = f"read_parquet('{lake}/events/*/*/*.parquet', hive_partitioning = true)"
        connection.execute(f"CREATE VIEW events AS SELECT * FROM {events}")
        tracks = f"read_parquet('{lake}/tracks/*.parquet')"
        connection.execute(
            f"CREATE VIEW artists AS SELECT id AS track_id, id_artist AS artist_id FROM {tracks}"
        )
        return seconds(lambda: connection.execute(f"COPY ({SQL}) TO '{out}' (FORMAT parquet)"))


def apart(work: Callable[..., Any], *arguments: Any) -> Any:
    """What work returns from a process of its own, whose memory is no part of ours."""
    with multiprocessing.get_context("spawn").Pool(1) as pool:
        return pool.apply(work, arguments)


def beside(lake: Path, home: Path, spark: SparkSession) -> tuple[Settings, Lake]:
    """A lake of its own with the silver tables of another."""
    settings = load_settings("local", [f"home={home}", "spark.master=local[2]"])
    opened = open_lake(settings, spark)
    for table in schemas.SILVER:
        link = Path(opened.path(table.name).removeprefix("file:"))
        link.parent.mkdir(parents=True, exist_ok=True)
        link.symlink_to(lake.absolute() / table.name)
    return settings, opened


def measure(lake: Path, runs: int, spark: SparkSession) -> tuple[int, float]:
    """Tell of a lake; its events and the seconds of the last full scan."""
    home = lake.with_name(f"{lake.name}-fraud-bench")
    shutil.rmtree(home, ignore_errors=True)
    settings, opened = beside(lake, home, spark)
    theirs = min(apart(with_duckdb, str(lake), str(home / "duckdb.parquet")) for _ in range(runs))
    events = sum(file.rows for file in _event_files(opened))
    tell(spark, events, "duckdb, signals only", theirs)
    taken = math.nan
    for _ in range(runs):
        reports: list[ScanReport] = []
        taken = seconds(lambda into=reports: into.append(scan(spark, settings, opened, full=True)))  # type: ignore[misc]
        told = f"{reports[0].days:,} days, {reports[0].cases:,} cases, {reports[0].rings:,} rings"
        tell(spark, events, "full scan", taken, f"{taken / theirs:.2f} x duckdb; {told}")
    last = list(read_scanned(opened))[-1]
    tell(spark, events, "the last month", seconds(lambda: scan(spark, settings, opened, months=(last, last))))
    tell(spark, events, "nothing new", seconds(lambda: scan(spark, settings, opened)))
    tell(spark, events, "page", seconds(lambda: make_page(settings, opened)))
    shutil.rmtree(home)
    return events, taken


def _event_files(lake: Lake) -> list[Any]:
    with lake.tasks() as tasks:
        return [file for shard in lake.shards("events", tasks) for file in shard.files]


def tell(spark: SparkSession, events: int, name: str, taken: float, more: str = "") -> None:
    """A line."""
    peak = jvm_peak(spark) + workers_peak(spark) + peak_of(os.getpid())
    print(f"{events:>11,} {name:<22} {taken:8.2f} s  peak {1e3 * peak:6,.0f} MB  {more}", flush=True)


def main() -> None:
    """Measure."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("lakes", nargs="+", type=Path, metavar="LAKE")
    parser.add_argument("--runs", type=int, default=2)
    args = parser.parse_args()
    settings = load_settings("local", ["spark.master=local[2]", "spark.driver_memory=1g"])
    spark = build_session(settings, "bench fraud")
    spark.range(1).count()
    found = [measure(lake, args.runs, spark) for lake in args.lakes]
    if len(found) > 1:
        (few, fast), (many, slow) = min(found), max(found)
        print(f"exponent of the full scan: {math.log(slow / fast) / math.log(many / few):.2f}")
    spark.stop()


if __name__ == "__main__":
    main()
