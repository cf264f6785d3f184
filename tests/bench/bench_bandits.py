"""A log of twenty million decisions with ten eligible arms: sums, evaluation, one more day, a day's plan.

    python -m tests.bench.bench_bandits [--days 20] [--a-day 1000000] [--home FOLDER]
                                        [--only sums evaluate day plan]

The log is made straight as the table's Parquet, by tasks: every user once a day, shares of a Dirichlet's,
days since each arm was shown. Printed: seconds of each, the exponent from a tenth of the days to all of them, and
the largest resident size of the JVM and of its workers.
"""

from __future__ import annotations

import argparse
import json
import math
import shutil
import tempfile
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from pathlib import Path
from typing import Any

import numpy as np
import polars as pl

from pozytywka_spark.bandits.sum_days import sum_days
from pozytywka_spark.bandits.take_in_work import buckets_for
from pozytywka_spark.config import Settings, load_settings
from pozytywka_spark.hashing.identity import user_bucket
from pozytywka_spark.lake import open_lake
from pozytywka_spark.lake.api import Lake, Txn
from pozytywka_spark.lake.tasks import TaskFiles
from pozytywka_spark.schemas import SLOT_DECISIONS
from pozytywka_spark.spark.session import build_session
from tests.bench.memory import jvm_peak, workers_peak
from tests.bench.timed import seconds

FIRST = date(2024, 1, 1)
ARMS = tuple(f"message_{number}" for number in range(10))
PLAN_ARMS = tuple(f"message_{number}" for number in range(12))
GROUPS = ("north", "south", "east", "west", "islands")
BOUNDS = {"sums": 60.0, "evaluate": 90.0, "day": 10.0, "plan": 25.0}
EXPONENT, MEMORY = 1.05, 6.0


@dataclass(frozen=True)
class MakeDay:
    """Work on (day, bucket): writes every user's decision of the day."""

    users: int
    buckets: int

    def __call__(self, items: Sequence[tuple[date, int]], files: TaskFiles) -> Iterator[dict[str, Any]]:
        """How many."""
        ids = pl.DataFrame({"user_id": np.arange(1, self.users + 1)})
        ids = ids.with_columns(user_bucket(pl.col("user_id"), self.buckets).alias("bucket"))
        for day, bucket in items:
            users = ids.filter(pl.col("bucket") == bucket).get_column("user_id").to_numpy()
            rng = np.random.default_rng([day.toordinal(), bucket])
            rows = decisions(day, users, rng)
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


def settings_of(home: str) -> Settings:
    """One slot whose reward is logged."""
    slot = {"kind": "recovering_softmax", "reward": "logged", "arms": {arm: {} for arm in ARMS}}
    return load_settings("local", [f"home={home}", "bandits.slots=" + json.dumps({"prompt": slot})])


def make(lake: Lake, first: int, days: int, a_day: int) -> None:
    """Append so many days to the log."""
    buckets = buckets_for(a_day)
    if not lake.exists(SLOT_DECISIONS.name):
        lake.append([], SLOT_DECISIONS, txn=Txn("user_buckets", 1_000_000 + buckets))
    items = [
        (FIRST + timedelta(days=first + day), bucket) for day in range(days) for bucket in range(buckets)
    ]
    with lake.tasks() as tasks:
        done = tasks.run(items, MakeDay(a_day, buckets), weight=lambda _: 1 << 22, named=str)
        lake.append(done.written, SLOT_DECISIONS)


def policy(home: str) -> str:
    """A softmax of the arms, in a file."""
    document = {
        "format": 1,
        "kind": "recovering_softmax",
        "slot": "prompt",
        "version": "bench",
        "arms": list(ARMS),
        "scores": {arm: {"": 0.002 * place} for place, arm in enumerate(ARMS)},
        "recency": {"gamma": 0.017, "half_life_days": 15},
        "temperature": 0.0025 * 10,
        "explore": 0.05,
        "salt": "bench",
    }
    path = Path(home) / "policy.json"
    path.write_text(json.dumps(document), encoding="utf-8")
    return str(path)


def told(name: str, took: float, note: str = "") -> None:
    """A line, beside the bound."""
    bound = BOUNDS.get(name)
    beside = "" if bound is None else f" (at most {bound:.0f}: {'met' if took <= bound else 'NOT met'})"
    print(f"{name:10} {took:7.1f} s{beside}{note}", flush=True)


def sums_and_values(home: str, days: int, a_day: int, only: Sequence[str]) -> None:
    """A tenth of the days first, then all: seconds and the exponent between."""
    from pozytywka_spark.bandits.value import evaluate

    settings = settings_of(home)
    spark = build_session(settings, "bench")
    lake = open_lake(settings, spark)
    tenth = max(1, days // 10)
    found: dict[str, list[float]] = {"sums": [], "evaluate": []}
    path = policy(home)
    for first, count in ((0, tenth), (tenth, days - tenth)):
        made = seconds(lambda first=first, count=count: make(lake, first, count, a_day))  # type: ignore[misc]
        print(f"made       {made:7.1f} s, {(first + count) * a_day:,} decisions", flush=True)
        last = FIRST + timedelta(days=first + count - 1)
        if "sums" in only:
            found["sums"].append(seconds(lambda: sum_days(settings, lake, full=True)))
            _peaks(spark, "sums")
        if "evaluate" in only:
            run = lambda last=last: evaluate(settings, lake, "prompt", path, (FIRST, last))  # noqa: E731
            found["evaluate"].append(seconds(run))
            _peaks(spark, "evaluate")
        print({name: [round(each, 1) for each in took] for name, took in found.items()}, flush=True)
    for name, took in found.items():
        if len(took) == 2:
            exponent = math.log(took[1] / took[0]) / math.log(days / tenth)
            told(name, took[1], f", exponent {exponent:.2f} (at most {EXPONENT})")
    if "day" in only:
        make(lake, days, 1, a_day)
        told("day", seconds(lambda: sum_days(settings, lake)))
    spark.stop()


def _peaks(spark: Any, name: str) -> None:
    jvm, workers = jvm_peak(spark), workers_peak(spark)
    print(f"{name:10} JVM {jvm:.1f} GB + workers {workers:.1f} GB (at most {MEMORY:.0f})", flush=True)


def main() -> None:
    """Measure what was asked for."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--days", type=int, default=20)
    parser.add_argument("--a-day", type=int, default=1_000_000)
    parser.add_argument("--home", help="an empty folder with room; default: a temporary one")
    parser.add_argument("--only", nargs="+", default=list(BOUNDS), choices=list(BOUNDS))
    args = parser.parse_args()
    home = args.home or tempfile.mkdtemp(prefix="bandits-")
    try:
        if {"sums", "evaluate", "day"} & set(args.only):
            sums_and_values(home, args.days, args.a_day, args.only)
    finally:
        if args.home is None:
            shutil.rmtree(home, ignore_errors=True)


if __name__ == "__main__":
    main()
