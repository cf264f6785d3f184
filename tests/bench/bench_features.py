"""Silver tables to features in seconds, beside DuckDB computing the analysts' 25 from the same Parquet files.

    python -m tests.bench.bench_features [--events 1000000 10000000 40000000] [--runs 3] [--memory 4g]

With two threads each, Parquet to Parquet; the start of sessions is not counted. Printed: the analysts' 25
and the whole catalogue in one plan, in Spark and in Sail, beside DuckDB's 25, and DuckDB's own statement
given to Spark, which tells the engine's share from the plan's; the plan's shuffles and the
bytes shuffled; then the stage through the lake with all guards: a full build, a run with nothing new, one
more month, the seconds of each step; and the peak memory of the JVM and of Sail.
"""

from __future__ import annotations

import argparse
import re
import statistics
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

import duckdb
from pyspark.sql import DataFrame, SparkSession
from pyspark.sql import functions as F

from pozytywka_spark.config import Settings, load_settings
from pozytywka_spark.features.activity import first_purchases
from pozytywka_spark.features.analysts import ANALYSTS
from pozytywka_spark.features.catalogue import CATALOGUE
from pozytywka_spark.features.entry import Feature
from pozytywka_spark.features.stage import FeaturesReport, build_features
from pozytywka_spark.features.store import read_silver
from pozytywka_spark.kept import keeping
from pozytywka_spark.lake import open_lake
from pozytywka_spark.lake.api import Lake
from pozytywka_spark.session import build_session
from tests.bench.features_work import compute, features_frame, seconds
from tests.bench.in_sail import compute_in_sail
from tests.bench.memory import jvm_peak
from tests.bench.silver_world import worlds, write_silver
from tests.features import oracle

Tell = Callable[[str, float, float, str], None]


def duckdb_views(lake: Lake, memory: str) -> duckdb.DuckDBPyConnection:
    """Views over the lake's Parquet files under the names that the tests' oracle uses."""
    con = duckdb.connect(config={"threads": 2, "memory_limit": memory.upper() + "B"})
    con.execute("set timezone = 'UTC'")
    for name in ("users", "artists", "tracks", "track_storage", "events"):
        files = f"{lake.path(name)}/**/*.parquet".removeprefix("file:")
        con.execute(f"create view {name} as select * from read_parquet('{files}', hive_partitioning = true)")
    con.execute("""
        create view t as
        select * replace (explicit::int as explicit), epoch(release_date) as released from tracks
    """)
    con.execute("""
        create view e as select user_id, event_time::timestamp as timestamp, event_type, track_id, session_id,
            event_month::timestamp as month, event_month::timestamp + interval 1 month as cut_off from events
    """)
    con.execute("create view bought as select user_id, min(timestamp) as at from e "
                "where event_type = 'BUY_PREMIUM' group by user_id")  # fmt: skip
    con.execute("""
        create view rows as select distinct e.user_id, e.month, e.cut_off
        from e left join bought b using (user_id) where b.at is null or not (b.at < e.cut_off)
    """)
    return con


def as_spark_sql(silver: Mapping[str, DataFrame], query: str) -> DataFrame:
    """DuckDB's statement in Spark's dialect, over the same views; zeros stay null, rows stay unsorted."""
    events = silver["events"].withColumns(
        {"timestamp": F.col("event_time"), "month": F.col("event_month"),
         "cut_off": F.add_months("event_month", 1).cast("timestamp")}
    )  # fmt: skip
    bought = first_purchases(events)
    rows = events.select("user_id", "month", "cut_off").distinct().join(bought, "user_id", "left")
    tracks = silver["tracks"].withColumns(
        {"explicit": F.col("explicit").cast("int"), "released": F.unix_date("release_date") * 86_400}
    )
    free = rows.where("purchased_at is null or not (purchased_at < cut_off)")
    views = {"e": events, "t": tracks, "rows": free}
    for name, view in (dict(silver) | views).items():
        view.createOrReplaceTempView(name)
    words = {"list_intersect": "array_intersect", "list_distinct": "array_distinct", "len(": "size(",
             "[]": "array()"}  # fmt: skip
    for theirs, ours in words.items():
        query = query.replace(theirs, ours)
    asked = query[: query.index("select user_id, month, *")]
    return events.sparkSession.sql(f"{asked} select * from counted left join averaged using (user_id, month)")


def shuffled(spark: SparkSession) -> int:
    """Bytes that all stages so far wrote to shuffles."""
    none, nothing = (
        spark._jvm.java.util.ArrayList(),
        spark.sparkContext._gateway.new_array(spark._jvm.double, 0),
    )
    stages = spark._jsc.sc().statusStore().stageList(none, False, False, nothing, none)
    return sum(stages.apply(i).shuffleWriteBytes() for i in range(stages.size()))


def measure(
    spark: SparkSession, events: int, runs: int, memory: str, home: Path, parts: Sequence[str]
) -> None:
    """Print the figures for one size."""

    def lake_of(*overrides: str):
        settings = load_settings("local", [f"home={home}", *overrides])
        return settings, open_lake(settings, spark)

    def tell(name: str, taken: float, base: float, of: str) -> None:
        print(f"{events:>11,} {name:<34} {taken:8.2f} s  {taken / base:6.2f} x {of}", flush=True)

    lake = lake_of()[1]
    if not lake.exists("events"):
        write_silver(spark, lake, events)
    if "duckdb" in parts:
        against_duckdb(spark, lake, runs, memory, home, tell, parts)
        print(f"{events:>11,} peak memory of the JVM {jvm_peak(spark):.2f} GB", flush=True)
    if "stage" in parts:
        whole_stage(spark, *lake_of(), tell)
        print(f"{events:>11,} peak memory of the JVM so far {jvm_peak(spark):.2f} GB", flush=True)


def against_duckdb(
    spark: SparkSession, lake: Lake, runs: int, memory: str, home: Path, tell: Tell, parts: Sequence[str]
) -> None:
    """The 25 and the catalogue, Parquet to Parquet: DuckDB, Spark and Sail, medians."""
    con, silver, out = duckdb_views(lake, memory), read_silver(lake), home / "out"
    times: dict[str, list[float]] = {
        name: [] for name in ("duckdb 25", "spark sql 25", "spark 25", "spark catalogue")
    }
    plain = as_spark_sql(silver, oracle.analysts_query())
    query = f"copy ({oracle.analysts_query()}) to '{home}/duckdb.parquet' (format parquet)"
    for _ in range(runs):
        times["duckdb 25"].append(seconds(lambda: con.execute(query)))
        if "spark" in parts:
            times["spark sql 25"].append(seconds(lambda: plain.write.mode("overwrite").parquet(str(out))))
            times["spark 25"].append(seconds(lambda: compute_kept(silver, ANALYSTS, out)))
            before = shuffled(spark)
            times["spark catalogue"].append(seconds(lambda: compute_kept(silver, CATALOGUE, out)))
            moved = shuffled(spark) - before
    peak = 0.0
    if "sail" in parts:
        taken, peak = compute_in_sail(lake, home, runs)
        times |= taken
    for name, found in times.items():
        if found:
            tell(name, statistics.median(found), statistics.median(times["duckdb 25"]), "duckdb")
    if "spark" in parts:
        shuffles = f"{exchanges(silver)} exchanges planned, {moved / 1e6:,.0f} MB shuffled"
        print(f"{'':>11} spark's catalogue: {shuffles}", flush=True)
    if peak:
        print(f"{'':>11} peak memory of Sail {peak:.2f} GB", flush=True)


def compute_kept(silver: Mapping[str, DataFrame], features: Sequence[Feature], to: Path) -> None:
    """Compute, with nothing kept beyond it."""
    with keeping() as keep:
        compute(silver, features, to, lambda _, df: keep(df))


def exchanges(silver: Mapping[str, DataFrame]) -> int:
    """Shuffles in the plan of the whole catalogue, those that make what is kept apart."""
    with keeping() as keep:
        frame = features_frame(silver, CATALOGUE, lambda _, df: keep(df))
        plan = frame._jdf.queryExecution().executedPlan().toString()
    found: set[str] = set()
    kept_at = len(plan)
    for line in plan.splitlines():
        depth = len(line) - len(line.lstrip(" :+-"))
        if depth > kept_at:
            continue
        kept_at = depth if "InMemoryRelation" in line else len(plan)
        # what is reused is printed again under the same number
        found.update(re.findall(r"[^t]Exchange hash.*plan_id=(\d+)", line))
    return len(found)


def whole_stage(spark: SparkSession, settings: Settings, lake: Lake, tell: Tell) -> None:
    """The stage through the lake, guards and all: full, nothing new, one more month; seconds by step."""
    reports: list[FeaturesReport] = []

    def build(**chosen: Any) -> float:
        return seconds(lambda: reports.append(build_features(spark, settings, lake, **chosen)))

    full = build(full=True)
    steps, last = reports[-1].seconds, reports[-1].labels[-1]["month"]
    again = build()
    month = build(months=(last, last))
    for name, taken in (("full build", full), ("nothing new", again), ("one more month", month)):
        tell(f"stage: {name}", taken, full, "the full build")
    unguarded = full - steps["guards"]
    tell(
        "stage: one more month, no guards",
        month - reports[-1].seconds["guards"],
        unguarded,
        "the same of full",
    )
    for build_report in (reports[0], reports[-1]):
        spent = ", ".join(f"{name} {taken:.1f}" for name, taken in build_report.seconds.items())
        print(f"{'':>11} {len(build_report.months)} months: {spent}", flush=True)


def main() -> None:
    """Parse, measure each size in a folder of its own."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--events", type=int, nargs="+", default=[1_000_000, 10_000_000, 40_000_000])
    parser.add_argument("--runs", type=int, default=3)
    parser.add_argument("--memory", default="4g")
    parser.add_argument(
        "--parts", nargs="+", default=["duckdb", "spark", "sail", "stage"], help="what to measure"
    )
    parser.add_argument("--home", type=Path, help="keep the worlds here, and use those that are there")
    args = parser.parse_args()
    with worlds(args.home) as home:
        settings = load_settings(
            "local",
            [f"home={home}", "spark.master=local[2]", f"spark.driver_memory={args.memory}",
             "spark.conf.spark.ui.retainedStages=100000"],
        )  # fmt: skip
        spark = build_session(settings, "bench features")
        for events in args.events:
            measure(spark, events, args.runs, args.memory, home / str(events), args.parts)
        spark.stop()


if __name__ == "__main__":
    main()
