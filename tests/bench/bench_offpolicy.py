"""Off-policy evaluation of bandits: does it tell the truth, when does the gate pass, how fast is it.

    python -m tests.bench.bench_offpolicy coverage [--logs 200] [--users 2000]
    python -m tests.bench.bench_offpolicy gate [--logs 40] [--users 200000] [--first 0]
    python -m tests.bench.bench_offpolicy obp
    python -m tests.bench.bench_offpolicy speed [--decisions 20000000]

coverage: bias, coverage and widths over logs of known truth. gate: how often a challenger of equal value and
one worse by 2% pass, over logs of a million decisions by default. obp: Open Bandit samples (Saito et al.
2021), out of the wheel of obp 0.4.1, which pip downloads into a temporary folder. speed: seconds and memory
of an evaluation over shards of the lake.
"""

from __future__ import annotations

import argparse
import os
import tempfile
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import date, timedelta
from typing import Any

import numpy as np
import polars as pl

from pozytywka_spark.bandits.gate import ESTIMATOR, bound
from pozytywka_spark.bandits.offpolicy import evaluate
from pozytywka_spark.bandits.offpolicy.blocks import blocks, names_of
from pozytywka_spark.bandits.offpolicy.estimates import (
    ESTIMATORS,
    UNIFORM,
    compared,
    estimates_of,
    evaluation_of,
    standard_error,
    valued,
)
from pozytywka_spark.bandits.offpolicy.evaluate import UNIFORM_POLICY
from pozytywka_spark.bandits.offpolicy.over_shards import buckets_of, sums_over
from pozytywka_spark.bandits.offpolicy.reward_model import cells_of, fit
from pozytywka_spark.bandits.offpolicy.shard_work import AsLogged
from pozytywka_spark.bandits.offpolicy.sums import Summing, Sums
from pozytywka_spark.bandits.policy import Policy
from pozytywka_spark.config import load_settings
from pozytywka_spark.config.bandits import Bandits
from pozytywka_spark.lake import open_lake
from pozytywka_spark.lake.shards import Parcel
from pozytywka_spark.lake.tasks import TaskFiles
from pozytywka_spark.schemas import SLOT_DECISIONS
from pozytywka_spark.spark.session import build_session
from tests.bandits.message_logs import MessageWorld, drawn_log, true_value
from tests.bench.memory import jvm_peak, peak_of, processor_seconds, workers_peak
from tests.bench.obp_samples import samples

FIRST, DAYS, BUCKETS = date(2024, 3, 1), 8, 10


def coverage(logs: int, users: int) -> None:
    """Of each estimator, and of its difference to the log's own policy: bias, coverage, widths."""
    world = MessageWorld.drawn(1)
    by, target = world.policy(5), world.policy(6, noise=0.0, explore=0.05)
    even = drawn_log(world, by, 200_000, 999, even=True)  # with everybody's base rate the same: less noise
    truth = true_value(even, target)
    truths = {
        "": truth,
        "log": truth - true_value(even, by),
        UNIFORM: truth - true_value(even, UNIFORM_POLICY),
    }
    rows = []
    for seed in range(logs):
        evaluation = evaluate(drawn_log(world, by, users, seed), target, Bandits())
        rows += [(e.against, e.estimator, e.value, e.low, e.high) for e in evaluation.estimates]
    found = pl.DataFrame(rows, schema=["against", "estimator", "value", "low", "high"], orient="row")
    for against, true in truths.items():
        widths = {}
        for estimator in ESTIMATORS:
            mine = found.filter((pl.col("against") == against) & (pl.col("estimator") == estimator))
            value, low, high = (mine.get_column(name).to_numpy() for name in ("value", "low", "high"))
            spread = value.std(ddof=1)
            widths[estimator] = high - low
            bias = (value.mean() - true) / spread
            print(
                f"{'difference to ' + against if against else 'value':22} {estimator:5}: "
                f"bias {bias:+.3f} of a standard error ({bias * np.sqrt(logs):+.2f} of the mean's), "
                f"coverage {np.mean((low <= true) & (true <= high)):.1%}, "
                f"width {widths[estimator].mean():.5f} (3.92 deviations: {3.92 * spread:.5f})"
            )
        ratio = widths["dr"] / widths["snips"]
        print(f"  dr's width by snips': mean {ratio.mean():.4f}, at most {ratio.max():.6f}", flush=True)


def gate(logs: int, users: int, first: int) -> None:
    """How often an equal challenger passes, and one that is worse by 2%."""
    world = MessageWorld.drawn(3, arms=12, spread=0.05)
    champion = world.policy(7, noise=0.02, temperature=0.03)
    even = drawn_log(world, champion, 40_000, 999, even=True)
    value = true_value(even, champion)

    def as_good_as(share: float) -> Policy:
        return _valued_at(share * value, even, lambda belief: _challenger(world, belief))

    contenders = {"equal": as_good_as(1.0), "worse by 2%": as_good_as(0.98)}
    policies = [champion, *contenders.values()]
    passed = dict.fromkeys(contenders, 0)
    distances: dict[str, list[float]] = {name: [] for name in contenders}
    for place in range(logs):
        rows = drawn_log(world, champion, users, first + place)
        sums = _sums(rows, policies)
        for number, name in enumerate(contenders, 1):
            difference = compared(sums, number, 0, ESTIMATOR)
            error = standard_error(difference, sums)
            distances[name].append(difference.value / error)
            passed[name] += difference.value >= -bound(valued(sums, 0, ESTIMATOR).value, error) * error
            z = np.array(distances[name])
            sample = estimates_of(sums, number, name, [])[0].effective_sample
            print(
                f"{name}: passes {passed[name]} of {place + 1} logs of {rows.height:,}; difference in "
                f"standard errors {z.mean():+.2f}, deviation {z.std():.2f}; one is {error / value:.2%} of "
                f"the value; effective sample {sample:,.0f}",
                flush=True,
            )


def _challenger(world: MessageWorld, belief: float) -> Policy:
    return world.policy(8, noise=0.02, temperature=0.03, belief=belief)


def _valued_at(wanted: float, rows: pl.DataFrame, made: Callable[[float], Policy]) -> Policy:
    """The policy of such a belief that its value is what is wanted."""
    from scipy.optimize import brentq

    belief = brentq(lambda belief: true_value(rows, made(belief)) - wanted, -3.0, 3.0, xtol=1e-4)
    return made(belief)


def _sums(rows: pl.DataFrame, policies: Sequence[Policy]) -> Sums:
    names = names_of(rows)
    model = fit(cells_of(blocks(rows, names), names)).laid_out(names)
    summing = Summing(policies)
    summing.add(blocks(rows, names), names, model)
    return summing.done()


def obp() -> None:
    """Uniform on Thompson's logs, Thompson's marginals on uniform logs."""
    for campaign, thompson, uniform in samples():
        try:
            said = "NOT refused"
            evaluation = evaluate(thompson, {"kind": "uniform"}, Bandits())
        except Exception as error:
            said, evaluation = f"refused: {error}", error.evaluation
        figures = ", ".join(f"{e} {evaluation.of(e).value:.4f}" for e in ESTIMATORS)
        print(f"{campaign}, uniform on Thompson's log ({figures}): {said}")
        counts = thompson.group_by("group", "chosen").len()
        totals = thompson.group_by("group").len(name="total")
        table: dict[str, dict[str, float]] = {}
        for group, arm, count, total in counts.join(totals, on="group").iter_rows():
            table.setdefault(group, {})[arm] = count / total
        found = evaluate(uniform, {"kind": "fixed", "probabilities": table}, Bandits())
        rate = thompson.get_column("reward").mean()
        for each in (found.of(name) for name in ESTIMATORS):
            covers = "covers" if each.low <= rate <= each.high else "does NOT cover"
            print(
                f"  Thompson's marginals on the uniform log, {each.estimator}: {each.value:.4f} "
                f"({each.low:.4f} to {each.high:.4f}) {covers} its rate {rate:.4f}"
            )


@dataclass(frozen=True)
class Copy:
    """Work on buckets: writes the base log as that of other users."""

    base: Parcel

    def __call__(self, items: Sequence[int], files: TaskFiles) -> Iterator[dict[str, Any]]:
        """Nothing is told."""
        for bucket in items:
            rows = files.shared([self.base]).with_columns(
                pl.col("decided_at").dt.replace_time_zone("UTC"), pl.col("user_id") + bucket * 1_000_000
            )
            files.write(SLOT_DECISIONS, rows, {"day": FIRST, "user_bucket": bucket})
        yield from ()


def speed(decisions: int) -> None:
    """Seconds of the clock and of processors, and memory.

    A day's files are written and read once for each of the days: what is read is as much as if each day had
    files of its own.
    """
    world = MessageWorld(MessageWorld.drawn(1, arms=10).effects, rare=0)
    by, target = world.policy(5), world.policy(6)
    rows = decisions // (DAYS * BUCKETS)
    base = drawn_log(world, by, rows // 4, 1, days=1).head(rows).drop("expected")
    ids = pl.int_range(pl.len()).cast(pl.String)
    base = base.with_columns(decision_id=ids, policy=pl.lit("5"), stream=pl.lit("policy"))
    base = base.select([name for name in SLOT_DECISIONS.columns if name not in ("day", "user_bucket")])
    with tempfile.TemporaryDirectory(dir="/tmp") as folder:
        settings = load_settings("local", [f"home={folder}", "spark.master=local[2]"])
        spark = build_session(settings, "bench")
        lake = open_lake(settings, spark)
        with lake.tasks() as tasks:
            work = Copy(tasks.put("base", base))
            done = tasks.run(list(range(BUCKETS)), work, weight=lambda _: 64 << 20, named=str)
            lake.append(done.written, SLOT_DECISIONS)
        begin, before = time.perf_counter(), processor_seconds(spark)
        with lake.tasks() as tasks:
            written = [file for shard in lake.shards(SLOT_DECISIONS.name, tasks) for file in shard.files]
            days = [FIRST + timedelta(days=day) for day in range(DAYS)]
            files = [
                replace(file, partition={**file.partition, "day": day}) for file in written for day in days
            ]
            sums = sums_over(
                tasks, buckets_of(files, days[0], days[-1]), AsLogged("prompt"), [target, UNIFORM_POLICY]
            )
        estimate = evaluation_of(sums, 0, "target", [(UNIFORM, 1)]).of("dr")
        took, used = time.perf_counter() - begin, processor_seconds(spark) - before
        memory = jvm_peak(spark), workers_peak(spark), peak_of(os.getpid())
        spark.stop()
    print(
        f"{estimate.decisions:,} decisions x 10 arms ({sum(file.size for file in files) / 1e6:.0f} MB) of "
        f"{sums.users:,} users: {took:.1f} s, {used:.1f} s of processors; JVM {memory[0]:.2f}, workers "
        f"{memory[1]:.2f}, driver {memory[2]:.2f} GB; dr {estimate.value:.5f}"
    )


def main() -> None:
    """Measure what was asked for."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("what", choices=["coverage", "gate", "obp", "speed"])
    parser.add_argument("--logs", type=int, default=0)
    parser.add_argument("--users", type=int, default=0)
    parser.add_argument("--first", type=int, default=0, help="seed of the gate's first log")
    parser.add_argument("--decisions", type=int, default=20_000_000)
    args = parser.parse_args()
    if args.what == "coverage":
        coverage(args.logs or 200, args.users or 2_000)
    elif args.what == "gate":
        gate(args.logs or 40, args.users or 200_000, args.first)
    elif args.what == "obp":
        obp()
    else:
        speed(args.decisions)


if __name__ == "__main__":
    main()
