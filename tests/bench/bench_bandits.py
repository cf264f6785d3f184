"""A log of twenty million decisions with ten eligible arms: sums, evaluation, one more day, a day's plan.

    python -m tests.bench.bench_bandits [--days 20] [--a-day 1000000] [--home FOLDER]
                                        [--only sums evaluate day plan] [--bare]

The log is made straight as the table's Parquet, by tasks: every user once a day, shares of a Dirichlet's,
days since each arm was shown (`--bare`: none, so that they are worked out). Printed: seconds of each, the
exponent from a tenth of the days to all, the largest resident size of the JVM and of its workers, and
processors' seconds.
"""

from __future__ import annotations

import argparse
import json
import math
import shutil
import tempfile
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from pathlib import Path
from typing import Any

import numpy as np
import polars as pl

from pozytywka_spark.bandits.plan import plan
from pozytywka_spark.bandits.sum_days import sum_days
from pozytywka_spark.bandits.take_in_work import buckets_for
from pozytywka_spark.bandits.value import evaluate
from pozytywka_spark.config import Settings, load_settings
from pozytywka_spark.hashing.identity import user_bucket
from pozytywka_spark.lake import open_lake
from pozytywka_spark.lake.api import Lake, Txn
from pozytywka_spark.lake.tasks import TaskFiles
from pozytywka_spark.schemas import SLOT_DECISIONS, USERS, Table, features_table
from pozytywka_spark.spark.session import build_session
from tests.bench.memory import jvm_peak, processor_seconds, workers_peak
from tests.bench.timed import seconds

FIRST = date(2024, 1, 1)
ARMS = tuple(f"message_{number}" for number in range(10))
FEATURE = "number_of_tracks"
PLAN_ARMS = tuple(f"message_{number}" for number in range(12))
GROUPS = ("north", "south", "east", "west", "islands")
BOUNDS = {"sums": 60.0, "evaluate": 90.0, "day": 10.0, "plan": 25.0}
EXPONENT, MEMORY = 1.05, 6.0


@dataclass(frozen=True)
class MakeDay:
    """Work on (day, bucket): writes every user's decision of the day."""

    users: int
    buckets: int
    bare: bool

    def __call__(self, items: Sequence[tuple[date, int]], files: TaskFiles) -> Iterator[dict[str, Any]]:
        """How many."""
        ids = pl.DataFrame({"user_id": np.arange(1, self.users + 1)})
        ids = ids.with_columns(user_bucket(pl.col("user_id"), self.buckets).alias("bucket"))
        for day, bucket in items:
            users = ids.filter(pl.col("bucket") == bucket).get_column("user_id").to_numpy()
            rng = np.random.default_rng([day.toordinal(), bucket])
            rows = decisions(day, users, rng)
            if self.bare:
                rows = rows.with_columns(pl.lit(None, pl.List(pl.Float64)).alias("days_since"))
            files.write(SLOT_DECISIONS, rows, {"day": day, "user_bucket": bucket})
            yield {"rows": rows.height}


def decisions(day: date, users: np.ndarray, rng: np.random.Generator) -> pl.DataFrame:
    """A decision a user: near uniform, and a little better for some arms."""
    count, arms = len(users), len(ARMS)
    raw = rng.gamma(6.0, size=(count, arms))
    shares = 0.05 / arms + 0.95 * raw / raw.sum(axis=1, keepdims=True)
    place = (np.cumsum(shares, axis=1) < rng.random(count)[:, None] * shares.sum(axis=1)[:, None]).sum(axis=1)
    place = np.minimum(place, arms - 1)
    days = rng.integers(1, 45, size=(count, arms)).astype(float)
    days[rng.random((count, arms)) < 0.25] = np.nan
    chance = 0.13 * (1 + 0.02 * (place - arms / 2) / arms)
    seconds_of_day = np.sort(rng.integers(0, 86_400, count))
    midnight = int(datetime.combine(day, time(), UTC).timestamp()) * 1_000_000
    every = pl.Series("eligible", [list(ARMS)], dtype=pl.List(pl.String))
    return pl.DataFrame(
        {
            "decision_id": pl.Series(users).cast(pl.String) + f"-{day}",
            "slot": pl.repeat("prompt", count, eager=True),
            "user_id": users,
            "decided_at": pl.Series(midnight + seconds_of_day * 1_000_000).cast(pl.Datetime("us", "UTC")),
            "group": pl.Series(GROUPS).gather(users % len(GROUPS)),
            "eligible": every.new_from_index(0, count),
            "chosen": pl.Series(ARMS).gather(place),
            "probability": shares[np.arange(count), place],
            "probabilities": pl.Series(shares).arr.to_list(),
            "days_since": pl.Series(days).arr.to_list().list.eval(pl.element().fill_nan(None)),
            "policy": pl.repeat("bench", count, eager=True),
            "stream": pl.Series(["policy", "explore"]).gather((rng.random(count) < 0.05).astype(int)),
            "reward": (rng.random(count) < chance).astype(float),
        }
    )


def settings_of(home: str, arms: Sequence[str] = ARMS) -> Settings:
    """One slot whose reward is logged."""
    slot = {"kind": "recovering_softmax", "reward": "logged", "arms": {arm: {} for arm in arms}}
    return load_settings("local", [f"home={home}", "bandits.slots=" + json.dumps({"prompt": slot})])


def make(lake: Lake, first: int, days: int, a_day: int, *, bare: bool = False) -> None:
    """Append so many days to the log."""
    buckets = buckets_for(a_day)
    if not lake.exists(SLOT_DECISIONS.name):
        lake.append([], SLOT_DECISIONS, txn=Txn("user_buckets", 1_000_000 + buckets))
    items = [
        (FIRST + timedelta(days=first + day), bucket) for day in range(days) for bucket in range(buckets)
    ]
    with lake.tasks() as tasks:
        done = tasks.run(items, MakeDay(a_day, buckets, bare), weight=lambda _: 1 << 22, named=str)
        lake.append(done.written, SLOT_DECISIONS)


def policy(home: str, arms: Sequence[str] = ARMS, rules: Mapping[str, Any] | None = None) -> str:
    """A softmax of the arms, in a file."""
    document = {
        "format": 1,
        "kind": "recovering_softmax",
        "slot": "prompt",
        "version": "bench",
        "arms": list(arms),
        "scores": {arm: {"": 0.002 * place} for place, arm in enumerate(arms)},
        "rules": rules or {},
        "recency": {"gamma": 0.017, "half_life_days": 15},
        "temperature": 0.0025 * 10,
        "explore": 0.05,
        "salt": "bench",
    }
    path = Path(home) / "policy.json"
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(json.dumps(document), encoding="utf-8")
    return str(path)


def told(name: str, took: float, note: str = "") -> None:
    """A line, beside the bound."""
    bound = BOUNDS.get(name)
    beside = "" if bound is None else f" (at most {bound:.0f}: {'met' if took <= bound else 'NOT met'})"
    print(f"{name:10} {took:7.1f} s{beside}{note}", flush=True)


def sums_and_values(home: str, days: int, a_day: int, only: Sequence[str], *, bare: bool) -> dict[str, float]:
    """Seconds of a log of so many days, which is made unless it is there."""
    settings = settings_of(home)
    spark = build_session(settings, "bench")
    lake = open_lake(settings, spark)
    if not lake.exists(SLOT_DECISIONS.name):
        took = seconds(lambda: make(lake, 0, days, a_day, bare=bare))
        print(f"made       {took:7.1f} s, {days * a_day:,} decisions", flush=True)
    path, last, found = policy(home), FIRST + timedelta(days=days - 1), {}
    if "sums" in only:
        before = processor_seconds(spark)
        found["sums"] = seconds(lambda: sum_days(settings, lake, full=True))
        _peaks(spark, "sums", before)
    if "evaluate" in only:
        before = processor_seconds(spark)
        found["evaluate"] = seconds(lambda: evaluate(settings, lake, "prompt", path, (FIRST, last)))
        _peaks(spark, "evaluate", before)
    if "day" in only:
        sum_days(settings, lake)
        make(lake, days, 1, a_day, bare=bare)
        before = processor_seconds(spark)
        found["day"] = seconds(lambda: sum_days(settings, lake))
        _peaks(spark, "day", before)
    spark.stop()
    print(f"{days * a_day:,}: {found}", flush=True)
    return found


def compare(tenth: Mapping[str, float], whole: Mapping[str, float], times: float) -> None:
    """Lines beside the bounds."""
    for name, took in whole.items():
        note = ""
        if name in tenth and name != "day":
            note = f", exponent {math.log(took / tenth[name]) / math.log(times):.2f} (at most {EXPONENT})"
        told(name, took, note)


@dataclass(frozen=True)
class MakeUsers:
    """Work on numbers of buckets: writes users and a month of their features."""

    users: int
    buckets: int
    features: Table

    def __call__(self, items: Sequence[int], files: TaskFiles) -> Iterator[dict[str, Any]]:
        """Nothing is told."""
        for bucket in items:
            ids = pl.DataFrame({"user_id": np.arange(1, self.users + 1)})
            mine = ids.filter(user_bucket(pl.col("user_id"), self.buckets) == bucket)
            rng = np.random.default_rng(bucket)
            count = mine.height
            users = mine.with_columns(
                pl.Series("city", GROUPS).gather(rng.integers(len(GROUPS), size=count)),
                pl.lit(None, pl.List(pl.String)).alias("favourite_genres"),
                pl.Series("premium_user", rng.random(count) < 0.0),
            )
            files.write(USERS, users)
            features = mine.with_columns(pl.Series(FEATURE, rng.poisson(20, count).astype(float)))
            files.write(self.features, features, {"month": FIRST})
        yield from ()


def plan_of_a_day(home: str, users: int) -> None:
    """For all users at twelve arms, of which some are for heavy listeners, and whom the log has shown all."""
    settings = settings_of(home, PLAN_ARMS)
    spark = build_session(settings, "bench")
    lake = open_lake(settings, spark)
    table = features_table([FEATURE])
    with lake.tasks() as tasks:
        buckets = buckets_for(users)
        work = MakeUsers(users, buckets, table)
        done = tasks.run(list(range(buckets)), work, weight=lambda _: 1 << 22, named=str)
        for each in (USERS, table):
            lake.append([file for file in done.written if file.table == each.name], each)
    if not lake.exists(SLOT_DECISIONS.name):
        make(lake, 0, 20, users)
    heavy = {arm: [{"column": FEATURE, "op": "ge", "value": 20}] for arm in PLAN_ARMS[6:9]}
    weekday = {PLAN_ARMS[9]: [{"column": "weekday", "op": "eq", "value": "thursday"}]}
    path = policy(home, PLAN_ARMS, {**heavy, **weekday})
    before = processor_seconds(spark)
    told("plan", seconds(lambda: plan(settings, lake, "prompt", date(2024, 2, 1), path)))
    _peaks(spark, "plan", before)
    spark.stop()


def _peaks(spark: Any, name: str, before: float) -> None:
    jvm, workers, used = jvm_peak(spark), workers_peak(spark), processor_seconds(spark) - before
    memory = f"JVM {jvm:.1f} GB + workers {workers:.1f} GB (at most {MEMORY:.0f})"
    print(f"{name:10} {memory}; {used:.1f} s of processors", flush=True)


def main() -> None:
    """Measure what was asked for."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--days", type=int, default=20)
    parser.add_argument("--a-day", type=int, default=1_000_000)
    parser.add_argument("--home", help="a folder for the logs, which stay; default: a temporary one")
    parser.add_argument(
        "--bare", action="store_true", help="a log that doesn't say days since arms were shown"
    )
    parser.add_argument("--only", nargs="+", default=list(BOUNDS), choices=list(BOUNDS))
    args = parser.parse_args()
    home = args.home or tempfile.mkdtemp(prefix="bandits-")
    try:
        if {"sums", "evaluate", "day"} & set(args.only):
            few = max(1, args.days // 10)
            found = [
                sums_and_values(str(Path(home) / f"{days}"), days, args.a_day, args.only, bare=args.bare)
                for days in dict.fromkeys((few, args.days))
            ]
            compare(found[0], found[-1], args.days / few)
        if "plan" in args.only:
            plan_of_a_day(str(Path(home) / "plan"), args.a_day)
    finally:
        if args.home is None:
            shutil.rmtree(home, ignore_errors=True)


if __name__ == "__main__":
    main()
