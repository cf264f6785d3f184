"""Silver tables to features, beside DuckDB computing the analysts' 25 from the same Parquet files.

    python -m tests.bench.bench_features [--events 1000000 10000000] [--runs 3] [--unusual] [--embedded]

Run on a quiet machine. One run, two cores each; worlds are made, and DuckDB runs, in processes of their own,
and the start of sessions isn't counted. Told of each size: DuckDB's 25 and our 25 (the median of `--runs`,
and the session's first), the whole catalogue, a full build with all guards, one more month with all guards,
nothing new, the page; the 25 and the catalogue without the guards' seconds. Each with the memory that the
JVM, its Python workers and this process together had so far. The fixed cost is a full build of `FEW` events.

`--unusual`: a full build of as many events, but a million of them by one user in one month, and one of eight
buckets of users of which one has ten times the events of any other, beside the same of usual worlds; with the
largest worker. `--embedded`: a full build of the embedded data.
"""

from __future__ import annotations

import argparse
import math
import multiprocessing
import os
import statistics
from collections import defaultdict
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from pyspark.sql import SparkSession

from pozytywka_spark import schemas
from pozytywka_spark.config import Settings, load_settings
from pozytywka_spark.features.declared.catalogue import ANALYSTS, CATALOGUE
from pozytywka_spark.features.page.features_page import render_report
from pozytywka_spark.features.stage import FeaturesReport, build_features
from pozytywka_spark.ingest.stage import ingest
from pozytywka_spark.lake import open_lake
from pozytywka_spark.lake.api import Lake
from pozytywka_spark.spark.session import build_session
from pozytywka_spark.synthetic.world import write_world
from tests.bench.duckdb_25 import with_duckdb
from tests.bench.everything import exponent
from tests.bench.kept_worlds import worlds
from tests.bench.memory import jvm_peak, largest_worker, peak_of, workers_peak
from tests.bench.silver_world import World, write_silver
from tests.bench.timed import seconds

FEW = 2_000
ROBOT = 1_000_000
BUCKETS = 8
_JVM = "2g"
UNGUARDED = "guards.perturbation=false"


@dataclass
class Bench:
    """The session, where worlds are, and what was told: seconds by name and number of events."""

    spark: SparkSession
    home: Path
    results: dict[str, dict[int, float]] = field(default_factory=lambda: defaultdict(dict))

    def settings(self, folder: str, *more: str) -> Settings:
        """For the lake in a folder."""
        return settings_of(self.home / folder, *more)

    def tell(self, events: int, name: str, taken: float, base: float = math.nan, of: str = "") -> None:
        """A line that `tests.bench.everything` reads."""
        self.results[name][events] = taken
        peak = jvm_peak(self.spark) + workers_peak(self.spark) + peak_of(os.getpid())
        ratio = f"{taken / base:6.2f} x {of}" if of else ""
        print(f"{events:>11,} {name:<34} {taken:8.2f} s  peak {1e3 * peak:6,.0f} MB  {ratio}", flush=True)

    def build(self, settings: Settings, lake: Lake, **chosen: Any) -> tuple[float, FeaturesReport]:
        """Seconds of a build, and what it reported."""
        reports: list[FeaturesReport] = []
        taken = seconds(lambda: reports.append(build_features(self.spark, settings, lake, **chosen)))
        return taken, reports[0]


def settings_of(home: Path, *more: str) -> Settings:
    """Of a lake, with the session of two cores that all of the bench goes by."""
    always = (f"home={home}", "spark.master=local[2]", f"spark.driver_memory={_JVM}")
    return load_settings("local", [*always, *more])


def make(home: Path, world: World) -> None:
    """Write a world's silver tables, unless they are there; in a process of its own."""
    settings = settings_of(home, "spark.driver_memory=4g")
    if (home / "made").exists():
        return
    spark = build_session(settings, "make a world")
    write_silver(spark, open_lake(settings, spark), world)
    spark.stop()
    (home / "made").touch()


def apart(work: Callable[..., Any], *arguments: Any) -> Any:
    """What work returns from a process of its own, whose memory is no part of ours."""
    with multiprocessing.get_context("spawn").Pool(1) as pool:
        return pool.apply(work, arguments)


def beside_duckdb(bench: Bench, events: int, runs: int, memory: str) -> None:
    """The 25: DuckDB and ours, run by run."""
    analysts = bench.settings(str(events), UNGUARDED, f"lake.root={bench.home}/{events}/analysts")
    lake = with_silver_of(bench, events, analysts)
    root = bench.settings(str(events)).lake.root
    theirs, ours, peaks = [], [], []
    for _ in range(runs):
        taken, peak = apart(with_duckdb, root, bench.home / "duckdb.parquet", memory)
        theirs.append(taken)
        peaks.append(peak)
        ours.append(without_guards(*bench.build(analysts, lake, full=True, features=ANALYSTS)))
    base = statistics.median(theirs)
    bench.results["duckdb 25"][events] = base
    print(f"{events:>11,} {'duckdb 25':<34} {base:8.2f} s  peak {1e3 * max(peaks):6,.0f} MB", flush=True)
    bench.tell(events, "25, the session's first", ours[0], base, "duckdb")
    bench.tell(events, "25", statistics.median(ours[1:] or ours), base, "duckdb")
    taken = without_guards(*bench.build(analysts, lake, full=True))
    bench.tell(events, "catalogue", taken, base, "duckdb")


def without_guards(taken: float, report: FeaturesReport) -> float:
    """Of a build with guard 1 off: the others can't be turned off, and DuckDB's statement has none."""
    return taken - report.seconds["guards"]


def with_silver_of(bench: Bench, events: int, settings: Settings) -> Lake:
    """A lake with the silver tables of the size's own: features of one catalogue aren't those of another."""
    lake, own = open_lake(settings, bench.spark), bench.settings(str(events)).lake.root
    for table in schemas.SILVER:
        link = Path(lake.path(table.name).removeprefix("file:"))
        link.parent.mkdir(parents=True, exist_ok=True)
        if not link.exists():
            link.symlink_to(Path(own.removeprefix("file:")).absolute() / table.name)
    return lake


def whole_stage(bench: Bench, events: int) -> None:
    """With all guards: full, one more month, nothing new; and the page."""
    settings = bench.settings(str(events))
    lake = open_lake(settings, bench.spark)
    base = bench.results["duckdb 25"].get(events, math.nan)
    full, report = bench.build(settings, lake, full=True)
    bench.tell(events, "full build, all guards", full, base, "duckdb")
    last = report.labels[-1]["month"]
    month, _ = bench.build(settings, lake, months=(last, last))
    bench.tell(events, "one more month, all guards", month, full, "the full build")
    nothing, again = bench.build(settings, lake)
    assert not again.months, "something was built anew"
    bench.tell(events, "nothing new", nothing)
    page = seconds(lambda: render_report(lake, settings, CATALOGUE, report.labels, report.guards))
    bench.tell(events, "page", page)
    for name, taken in report.seconds.items():
        print(f"{'':>11} of the full build, {name}: {taken:.1f}", flush=True)


def unusual(bench: Bench, events: int) -> None:
    """Full builds, all guards, of worlds with a robot and with a crowded bucket, beside usual ones."""
    made = {
        "a million by one user": World(max(events - ROBOT, events // 2), robot=min(ROBOT, events // 2)),
        f"{BUCKETS} buckets": World(events, BUCKETS),
        f"{BUCKETS} buckets, one crowded": World(events, BUCKETS, crowded=True),
    }
    usual = bench.results["full build, all guards"].get(events, math.nan)
    for name, world in made.items():
        folder = f"{events}-{name.replace(' ', '-').replace(',', '')}"
        apart(make, bench.home / folder, world)
        settings = bench.settings(folder)
        taken, _ = bench.build(settings, open_lake(settings, bench.spark), full=True)
        bench.tell(events, f"full build, {name}", taken, usual, "a usual one")
        print(f"{'':>11} the largest worker so far: {1e3 * largest_worker(bench.spark):,.0f} MB", flush=True)


def make_embedded(home: Path) -> None:
    """Make and ingest the embedded data, unless that was done; in a process of its own."""
    settings = settings_of(home)
    if (home / "made").exists():
        return
    spark = build_session(settings, "make the embedded data")
    write_world(spark, settings, settings.raw_path)
    ingest(spark, settings, open_lake(settings, spark))
    spark.stop()
    (home / "made").touch()


def embedded(bench: Bench) -> None:
    """A full build of the embedded data, all guards."""
    settings = bench.settings("embedded")
    lake = open_lake(settings, bench.spark)
    with lake.tasks() as tasks:
        events = sum(shard.rows for shard in lake.shards(schemas.EVENTS.name, tasks))
    taken, _ = bench.build(settings, lake, full=True)
    bench.tell(events, "embedded: full build, all guards", taken)


def main() -> None:
    """Parse, measure each size in a folder of its own."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--events", type=int, nargs="+", default=[1_000_000, 10_000_000, 40_000_000])
    parser.add_argument("--runs", type=int, default=3)
    parser.add_argument("--memory", default="4g", help="DuckDB's limit")
    parser.add_argument("--unusual", action="store_true", help="a robot, a crowded bucket")
    parser.add_argument("--embedded", action="store_true", help="the embedded data too")
    parser.add_argument("--home", type=Path, help="keep the worlds here, and use those that are there")
    args = parser.parse_args()
    with worlds(args.home) as home:
        for events in [FEW, *args.events]:
            apart(make, home / str(events), World(events))
        if args.embedded:
            apart(make_embedded, home / "embedded")
        spark = build_session(settings_of(home), "bench features")
        bench = Bench(spark, home)
        for events in args.events:
            beside_duckdb(bench, events, args.runs, args.memory)
            whole_stage(bench, events)
            if args.unusual:
                unusual(bench, events)
        settings = bench.settings(str(FEW))
        fixed, _ = bench.build(settings, open_lake(settings, spark), full=True)
        bench.tell(FEW, "fixed cost: full build, all guards", fixed)
        if args.embedded:
            embedded(bench)
        for name, by_size in bench.results.items():
            if grows := exponent(by_size):
                print(f"{'':>11} {name} grows as events to the {grows:.2f}", flush=True)
        spark.stop()


if __name__ == "__main__":
    main()
