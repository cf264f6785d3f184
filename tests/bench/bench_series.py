"""Series of every day and month, beside DuckDB computing the same days from the same Parquet files.

    python -m tests.bench.bench_series LAKE [LAKE …] [--runs 2]

LAKE is the folder of a lake with the silver tables; results go to a folder beside it, which is deleted. Two
cores each, DuckDB in a process of its own; starting the session isn't counted. Told of each: DuckDB's days, a
full build, one more month (the last, whose record is forgotten), nothing new; whether both say the same; with
the memory that the JVM, its Python workers and this process had so far. Aims: a full build within 4 times
DuckDB's seconds, one more month within a fifth of that.
"""

from __future__ import annotations

import argparse
import math
import shutil
from datetime import date
from pathlib import Path

import duckdb
import polars as pl
from pyspark.sql import SparkSession

from pozytywka_spark.config import Settings, load_settings
from pozytywka_spark.forecasting.series import Built, build_series
from pozytywka_spark.forecasting.series_plan import read_books, write_books
from pozytywka_spark.lake.api import Lake
from pozytywka_spark.spark.session import build_session
from tests.bench.bench_fraud import apart, beside, tell
from tests.bench.timed import seconds
from tests.forecasting.oracle import differing, series_by_sql, with_views


def with_duckdb(lake: str, out: str, bounds: tuple[date, date]) -> float:
    """Seconds of all days of all series by SQL; they are left in a file."""
    with duckdb.connect() as connection:
        connection.execute("SET threads = 2; SET memory_limit = '4GB'")
        files = {
            "events": f"read_parquet('{lake}/events/*/*/*.parquet', hive_partitioning = true)",
            "users": f"read_parquet('{lake}/users/*.parquet')",
            "tracks": f"(SELECT *, NULL::VARCHAR AS group_id FROM read_parquet('{lake}/tracks/*.parquet'))",
            "storage": f"read_parquet('{lake}/track_storage/*.parquet')",
        }
        with_views(connection, files, bounds)
        rows: list[pl.DataFrame] = []
        taken = seconds(lambda: rows.append(series_by_sql(connection)))
        rows[0].filter(pl.col("group_id") == "all").write_parquet(out)
        return taken


def measure(place: Path, runs: int, spark: SparkSession) -> tuple[int, float]:
    """Tell of a lake; its events and the seconds of its fastest full build."""
    home = place.with_name(f"{place.name}-series-bench")
    shutil.rmtree(home, ignore_errors=True)
    settings, lake = beside(place, home, spark)
    with lake.tasks() as tasks:
        events = sum(shard.rows for shard in lake.shards("events", tasks))
    taken = math.inf
    built: list[Built] = []
    for _ in range(runs):
        taken = min(taken, seconds(lambda: built.append(build_series(settings, lake, full=True))))
    bounds = (built[0].first, built[0].end)
    out = home / "duckdb.parquet"
    theirs = min(apart(with_duckdb, str(place), str(out), bounds) for _ in range(runs))
    tell(spark, events, "duckdb", theirs)
    series = f"{built[0].series} series of {built[0].days:,} days"
    tell(spark, events, "full build", taken, f"{taken / theirs:.2f} x duckdb; {series}")
    more = min(seconds(lambda: _one_month(settings, lake)) for _ in range(runs))
    tell(spark, events, "one more month", more, f"{more / taken:.3f} of all")
    tell(spark, events, "nothing new", seconds(lambda: build_series(settings, lake)))
    mine = pl.DataFrame(pl.from_arrow(lake.rows("series_daily")))
    print(f"{events:>11,} rows that differ from duckdb's: {differing(mine, pl.read_parquet(out)).height}")
    shutil.rmtree(home)
    return events, taken


def _one_month(settings: Settings, lake: Lake) -> None:
    books = read_books(lake)
    del books[max(books)]
    write_books(lake, books)
    assert len(build_series(settings, lake).months) == 1


def main() -> None:
    """Measure."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("lakes", nargs="+", type=Path, metavar="LAKE")
    parser.add_argument("--runs", type=int, default=2)
    args = parser.parse_args()
    settings = load_settings("local", ["spark.master=local[2]", "spark.driver_memory=1g"])
    spark = build_session(settings, "bench series")
    spark.range(1).count()
    found = [measure(lake, args.runs, spark) for lake in args.lakes]
    if len(found) > 1:
        (few, fast), (many, slow) = min(found), max(found)
        print(f"exponent of the full build: {math.log(slow / fast) / math.log(many / few):.2f}")
    spark.stop()


if __name__ == "__main__":
    main()
