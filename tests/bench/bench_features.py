"""Silver tables to features in seconds, beside DuckDB computing the analysts' 25 from the same Parquet files.

    python -m tests.bench.bench_features [--events 1000000 10000000 40000000] [--runs 3] [--memory 4g]

With two threads each, Parquet to Parquet; the start of sessions is not counted. Printed: the analysts' 25
and the whole catalogue in one plan, in Spark and in Sail, beside DuckDB's 25; the plan's shuffles and the
bytes shuffled; then the stage through the lake with all guards on either engine: a full build, a run with
nothing new, one more month, the seconds of each step; and the peak memory of the JVM and of Sail.
"""

from __future__ import annotations

import argparse
import json
import re
import resource
import shutil
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict
from datetime import date
from pathlib import Path
from typing import Any

import duckdb
from pyspark.sql import Column, DataFrame, SparkSession
from pyspark.sql import functions as F

from pozytywka_spark import schemas
from pozytywka_spark.config import Settings, load_settings
from pozytywka_spark.features.analysts import ANALYSTS
from pozytywka_spark.features.catalogue import CATALOGUE
from pozytywka_spark.features.compute import Months
from pozytywka_spark.features.elsewhere import Handed, Order, connected, delta
from pozytywka_spark.features.entry import Feature
from pozytywka_spark.features.recipe import dimensions_of, features_from_events
from pozytywka_spark.features.stage import FeaturesReport, build_features
from pozytywka_spark.features.store import read_silver
from pozytywka_spark.lake import open_lake
from pozytywka_spark.lake.api import Lake
from pozytywka_spark.session import build_session
from tests.features import oracle

Tell = Callable[[str, float, float, str], None]
USERS, TRACKS, ARTISTS, GENRES, MONTHS = 20_000, 129_648, 27_524, 3_912, 37
SESSION = 40
START = date(2022, 1, 1)


def pick(salt: int, size: int) -> Column:
    """A repeatable draw from 0 to `size` - 1."""
    return F.pmod(F.xxhash64("id", F.lit(salt)), F.lit(size))


def skewed(salt: int, size: int) -> Column:
    """As `pick`, small numbers far more often, as plays fall on tracks."""
    return F.floor(F.pow(pick(salt, 1_000_000) / 1_000_000, F.lit(4.0)) * size)


def text_id(number: Column) -> Column:
    """22 characters, as real identifiers have."""
    return F.substring(F.md5(number.cast("string")), 1, 22)


def write_silver(spark: SparkSession, lake: Lake, events: int) -> None:
    """Headline sizes; `events` in sessions of forty over 37 months, some users buying along the way."""
    genre = F.lit("genre ")
    users = spark.range(USERS).select(
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
        *((pick(10 + i, 1_000) / 1_000).alias(name) for i, name in enumerate(schemas.AUDIO_FEATURES)),
    )
    storage = spark.range(TRACKS).select(
        text_id(F.col("id")).alias("track_id"),
        F.lit("SLOW").alias("storage_class"),
        (pick(7, 10_000) / 1_000_000).alias("daily_cost"),
    )
    made = [users, artists, tracks, storage, events_of(spark, events)]
    for table, df in zip(schemas.SILVER, made, strict=True):
        lake.overwrite(table.conform(df), table)


def events_of(spark: SparkSession, events: int) -> DataFrame:
    """Grain: event. Sessions follow each other in time, so that files hold whole months."""
    session = F.floor(F.col("id") / SESSION)
    apart = int(MONTHS * 30.4 * 86_400e6 * SESSION / events)
    begin = F.unix_micros(F.lit(START).cast("timestamp")) + session * F.lit(apart)
    at = F.timestamp_micros((begin + (F.col("id") % SESSION) * 180_000_000).cast("bigint"))
    kinds = ["PLAY"] * 11 + ["SKIP"] * 3 + ["LIKE"] * 3 + ["ADVERTISEMENT"] * 3
    draw = pick(1, 20).cast("int")
    bought = (pick(2, events // (USERS // 2)) == 0) & (F.pmod(F.xxhash64(session), F.lit(10)) < 8)
    kind = F.when(bought, F.lit("BUY_PREMIUM")).otherwise(F.get(F.array(*map(F.lit, kinds)), draw))
    bare = kind.isin("ADVERTISEMENT", "BUY_PREMIUM")
    return spark.range(0, events, 1, 8).select(
        F.sha2(F.col("id").cast("string"), 256).alias("event_id"),
        at.alias("event_time"),
        kind.alias("event_type"),
        F.pmod(F.xxhash64(session), F.lit(USERS)).alias("user_id"),
        session.alias("session_id"),
        F.when(~bare, text_id(skewed(3, 10_708).cast("bigint"))).alias("track_id"),
        F.lit(False).alias("repaired"),
        F.lit(None).cast("string").alias("repair_reason"),
        schemas.month_of(at).alias("event_month"),
    )


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


def compute(
    silver: Mapping[str, DataFrame], features: Sequence[Feature], to: Path, keep: Callable[..., DataFrame]
) -> None:
    """All months, in one plan, as Parquet: what DuckDB does. `keep` computes a dimension once."""
    events = silver["events"]
    months = sorted(row[0] for row in events.select("event_month").distinct().collect())
    dimensions = dimensions_of(silver).map(keep)
    frame = features_from_events(events, events, dimensions, features, months)
    frame.write.mode("overwrite").parquet(str(to))


def compute_in_sail(lake: Lake, home: Path, runs: int) -> tuple[dict[str, list[float]], float]:
    """Seconds of the same two in Sail, in a process of its own, and its peak memory in GB."""
    names = [table.name for table in schemas.SILVER]
    order = Order(
        "sail", {name: (lake.path(name), lake.version(name)) for name in names}, [], True, str(home)
    )
    command = [sys.executable, "-m", "tests.bench.bench_features", "--sail", json.dumps(asdict(order)),
               "--runs", str(runs)]  # fmt: skip
    done = subprocess.run(command, capture_output=True, text=True, check=True)
    told = json.loads(done.stdout.splitlines()[-1])
    return told["seconds"], told["peak"]


def sail_process(order: Order, runs: int) -> None:
    """The process of `compute_in_sail`: tell the seconds of each run."""
    taken: dict[str, list[float]] = {"sail 25": [], "sail catalogue": []}
    with connected(order.remote) as spark:
        silver = {table.name: table.conform(delta(spark, order, table.name)) for table in schemas.SILVER}
        for _ in range(runs):
            for name, features in zip(taken, (ANALYSTS, CATALOGUE), strict=True):
                taken[name].append(
                    seconds(
                        lambda chosen=features: compute(
                            silver,
                            chosen,
                            Path(order.folder) / "sail",
                            Handed(spark, order, Months([], True)).kept,
                        )
                    )
                )
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1e6
    print(json.dumps({"seconds": taken, "peak": peak}))


def seconds(work: Callable[[], object]) -> float:
    """How long it took."""
    start = time.monotonic()
    work()
    return time.monotonic() - start


def shuffled(spark: SparkSession) -> int:
    """Bytes that all stages so far wrote to shuffles."""
    none, nothing = (
        spark._jvm.java.util.ArrayList(),
        spark.sparkContext._gateway.new_array(spark._jvm.double, 0),
    )
    stages = spark._jsc.sc().statusStore().stageList(none, False, False, nothing, none)
    return sum(stages.apply(i).shuffleWriteBytes() for i in range(stages.size()))


def peak_memory(spark: SparkSession) -> float:
    """The JVM's largest resident size, in GB."""
    status = Path(f"/proc/{spark._jvm.java.lang.ProcessHandle.current().pid()}/status").read_text()
    return int(re.search(r"VmHWM:\s+(\d+)", status).group(1)) / 1e6


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
        print(f"{events:>11,} peak memory of the JVM {peak_memory(spark):.2f} GB", flush=True)
    for engine in [part for part in ("spark", "sail") if part in parts and "stage" in parts]:
        whole_stage(
            spark,
            lake_of(*(["engine.remote=sail", "engine.accept_differences=true"] if engine == "sail" else [])),
            engine,
            tell,
        )
        others = resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss / 1e6
        print(f"{events:>11,} peak memory of the JVM so far {peak_memory(spark):.2f} GB", flush=True)
        print(f"{events:>11,} and of the processes started {others:.2f} GB", flush=True)


def against_duckdb(
    spark: SparkSession, lake: Lake, runs: int, memory: str, home: Path, tell: Tell, parts: Sequence[str]
) -> None:
    """The 25 and the catalogue, Parquet to Parquet: DuckDB, Spark and Sail, medians."""
    con, silver, out = duckdb_views(lake, memory), read_silver(lake), home / "out"
    times: dict[str, list[float]] = {"duckdb 25": [], "spark 25": [], "spark catalogue": []}
    query = f"copy ({oracle.analysts_query()}) to '{home}/duckdb.parquet' (format parquet)"
    for _ in range(runs):
        times["duckdb 25"].append(seconds(lambda: con.execute(query)))
        spark.catalog.clearCache()
        if "spark" in parts:
            times["spark 25"].append(seconds(lambda: compute(silver, ANALYSTS, out, persisted)))
            before = shuffled(spark)
            times["spark catalogue"].append(seconds(lambda: compute(silver, CATALOGUE, out, persisted)))
            moved = shuffled(spark) - before
            spark.catalog.clearCache()
    peak = 0.0
    if "sail" in parts:
        taken, peak = compute_in_sail(lake, home, runs)
        times |= taken
    for name, found in times.items():
        if found:
            tell(name, statistics.median(found), statistics.median(times["duckdb 25"]), "duckdb")
    if "spark" in parts:
        shuffles = f"{exchanges(spark, silver)} exchanges planned, {moved / 1e6:,.0f} MB shuffled"
        print(f"{'':>11} spark's catalogue: {shuffles}", flush=True)
    if peak:
        print(f"{'':>11} peak memory of Sail {peak:.2f} GB", flush=True)


def persisted(name: str, df: DataFrame) -> DataFrame:
    """As the stage keeps it."""
    return df.persist()


def exchanges(spark: SparkSession, silver: Mapping[str, DataFrame]) -> int:
    """Shuffles in the plan of the whole catalogue."""
    events = silver["events"]
    months = sorted(row[0] for row in events.select("event_month").distinct().collect())
    dimensions = dimensions_of(silver).map(persisted)
    frame = features_from_events(events, events, dimensions, CATALOGUE, months)
    plan = frame._jdf.queryExecution().executedPlan().toString()
    # what is reused is printed again under the same number
    return len(set(re.findall(r"[^t]Exchange hash[^\n]*plan_id=(\d+)", plan)))


def whole_stage(spark: SparkSession, opened: tuple[Settings, Lake], engine: str, tell: Tell) -> None:
    """The stage through the lake, guards and all: full, nothing new, one more month; seconds by step."""
    settings, lake = opened
    reports: list[FeaturesReport] = []

    def build(**chosen: Any) -> float:
        return seconds(lambda: reports.append(build_features(spark, settings, lake, **chosen)))

    full = build(full=True)
    steps, last = reports[-1].seconds, reports[-1].labels[-1]["month"]
    again = build()
    month = build(months=(last, last))
    for name, taken in (("full build", full), ("nothing new", again), ("one more month", month)):
        tell(f"{engine}: {name}", taken, full, "the full build")
    unguarded = full - steps["guards"]
    tell(
        f"{engine}: one more month, no guards",
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
    parser.add_argument("--sail", help=argparse.SUPPRESS)
    args = parser.parse_args()
    if args.sail:
        sail_process(Order(**json.loads(args.sail)), args.runs)
        return
    home = args.home or Path(tempfile.mkdtemp(prefix="bench-features-"))
    try:
        settings = load_settings(
            "local", [f"home={home}", "spark.master=local[2]", f"spark.driver_memory={args.memory}"]
        )
        spark = build_session(settings, "bench features")
        for events in args.events:
            measure(spark, events, args.runs, args.memory, home / str(events), args.parts)
        spark.stop()
    finally:
        if args.home is None:
            shutil.rmtree(home, ignore_errors=True)


if __name__ == "__main__":
    main()
