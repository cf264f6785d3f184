"""Everybody's pages: how long `rank` takes, whole and by stage, how that grows, and what memory it needs.

    python -m tests.bench.bench_feed_rank [--users 2500 10000 20000] [--tracks 10000] [--keep FOLDER]

Each world (with taste, 7 months) is written and ingested by the jobs; the first one's training ranks them
all. Seconds count from a session that has started. Printed beside them: seconds of processor time of the JVM
and of Python, which a busy machine changes less, and the most memory that all of them had at one instant.
"""

from __future__ import annotations

import argparse
import json
import math
import shutil
import subprocess
import sys
import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import psutil

from pozytywka_spark.config import load_settings
from pozytywka_spark.feed.ranking import ALL, LIGHT, PAGE
from pozytywka_spark.feed.stage import rank
from pozytywka_spark.lake import open_lake
from pozytywka_spark.spark.session import build_session
from tests.bench.feed_jobs import job
from tests.bench.kept_worlds import worlds
from tests.bench.memory import most_together
from tests.bench.taste_rankings import TEST

ROOT = Path(__file__).resolve().parents[2]
BOUNDS = {LIGHT: 10.0, PAGE: 10.0, "rank": 120.0}  # seconds at 10,000 users
EXPONENT, MEMORY = 1.05, 6.0


@dataclass(frozen=True)
class Measured:
    """Of one ranking: seconds, processor seconds, by stage seconds (all tasks' summed) and pairs; GB."""

    users: int
    seconds: float
    cpu: float
    stages: dict[str, float]
    pairs: dict[str, int]
    memory: float


def made(folder: Path, users: int, tracks: int) -> None:
    """A world's lake, unless it is there."""
    if (folder / "lake" / "events").exists():
        return
    raw = folder / "raw"
    settings = [f"home={folder}", f"raw.path={raw}", "synthetic.truth_paths=0", f"synthetic.tracks={tracks}"]
    size = ["--users", str(users), "--months", "7", "--seed", "1"]
    job("synthesize", [*size, "--taste", "--out", str(raw)], settings)
    job("ingest", [], settings)


def settings_of(folder: Path, model: Path) -> list[str]:
    """The model is the first world's."""
    return [f"home={folder}", f"mlflow.tracking_uri=sqlite:///{model}/mlflow.db"]


def measured(folder: Path, model: Path, users: int) -> Measured:
    """One ranking in a process of its own."""
    for table in ("feed", "feed_stages"):
        shutil.rmtree(folder / "lake" / table, ignore_errors=True)
    argv = [
        sys.executable,
        "-m",
        "tests.bench.bench_feed_rank",
        "--alone",
        str(folder),
        "--model",
        str(model),
    ]
    process = subprocess.Popen(argv, cwd=ROOT, stdout=subprocess.PIPE, text=True)
    memory = most_together(process)
    out = process.communicate()[0].strip().splitlines()
    if process.returncode:
        raise SystemExit(f"the ranking of {folder} ended with exit code {process.returncode}")
    told = json.loads(out[-1])
    return Measured(users, told["seconds"], told["cpu"], told["stages"], told["pairs"], memory)


def alone(folder: Path, model: Path) -> None:
    """Rank in this process; its last line is what was measured."""
    settings = load_settings("local", settings_of(folder, model))
    spark = build_session(settings, "bench of rank")
    spark.range(1).count()
    lake = open_lake(settings, spark)
    begin, used = time.perf_counter(), processor_seconds()
    report = rank(settings, lake, TEST)
    whole = {stage: count for (stage, rule), count in report.counts.items() if rule == ALL}
    told = {
        "seconds": time.perf_counter() - begin,
        "cpu": processor_seconds() - used,
        "stages": {stage: count.seconds for stage, count in whole.items()},
        "pairs": {stage: max(count.tracks_in, count.tracks_out) for stage, count in whole.items()},
    }
    print(json.dumps(told))
    spark.stop()


def processor_seconds() -> float:
    """Of this process and all that it started."""
    me = psutil.Process()
    times = [one.cpu_times() for one in (me, *me.children(recursive=True))]
    # those of workers that ended already are with whoever started them
    return sum(each.user + each.system + each.children_user + each.children_system for each in times)


def show(one: Measured) -> None:
    """Lines of one size; bounds are those of 10,000 users."""
    share = one.users / 10_000
    print(
        f"{one.users:,} users: {one.seconds:.1f} s ({BOUNDS['rank'] * share:.0f}), "
        f"{one.cpu:.1f} s of processors, {one.memory:.2f} GB ({MEMORY:.0f})"
    )
    for stage, spent in one.stages.items():
        bound = f" ({BOUNDS[stage] * share:.1f})" if stage in BOUNDS else ""
        pairs = one.pairs[stage]
        print(
            f"   {stage:10} {spent:7.2f} s{bound}, {pairs:,} pairs, {pairs / max(spent, 1e-9):,.0f} a second"
        )
    print(flush=True)


def exponent(few: Measured, many: Measured) -> float:
    """How processor time grows with users."""
    return math.log(many.cpu / few.cpu) / math.log(many.users / few.users)


def main(argv: Sequence[str] | None = None) -> None:
    """Measure each size."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--users", type=int, nargs="+", default=[2500, 10_000, 20_000])
    parser.add_argument("--tracks", type=int, default=10_000)
    parser.add_argument("--keep", type=Path, metavar="FOLDER", help="where worlds stay")
    parser.add_argument("--alone", type=Path, help=argparse.SUPPRESS)
    parser.add_argument("--model", type=Path, help=argparse.SUPPRESS)
    args = parser.parse_args(argv)
    if args.alone:
        alone(args.alone, args.model)
        return
    with worlds(args.keep) as folder:
        model, found = folder / f"w{args.users[0]}", []
        for users in args.users:
            place = folder / f"w{users}"
            made(place, users, args.tracks)
            if place == model and not (model / "mlflow.db").exists():
                job("feed", ["train", "--at", str(TEST)], settings_of(place, model))
            found.append(measured(place, model, users))
            show(found[-1])
        for few, many in zip(found[:1], found[-1:], strict=True):
            if many.users > few.users:
                print(f"exponent {exponent(few, many):.3f} of processor time (at most {EXPONENT})")


if __name__ == "__main__":
    main()
