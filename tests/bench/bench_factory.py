"""A factory of many groups beside the same fits in two plain processes, and its guarantee by simulation.

    python -m tests.bench.bench_factory [--groups 1000] [--cases 2000]
    python -m tests.bench.bench_factory --proof [--groups 300] [--seed 7]
    python -m tests.bench.bench_factory --second-looks [--groups 100] [--seed 7]
    python -m tests.bench.bench_factory --across --cases 100000

Without `--proof`: seconds of `factory build --from` and of two processes that split and fit the same groups
and do nothing else. With it: of 300 groups in each world with ready scores, how many kept sides are truly
below 99%, and the coverage beside the published rule's and that of selection with guaranteed risk. With
`--second-looks`: the same of groups of 10,000 cases with 2% wrong verdicts, after each of three times that
a build asked and people answered, beside the coverage if nobody erred; and how many were asked. With
`--across`: one group built by one task and by two workers, seconds and coverage of each side.
"""

from __future__ import annotations

import argparse
import tempfile
from collections.abc import Mapping, Sequence
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass, field, replace
from multiprocessing import get_context
from pathlib import Path
from time import perf_counter

import numpy as np
import polars as pl

from pozytywka_spark.config import load_settings
from pozytywka_spark.factory.build import Asked, build, demands_of
from pozytywka_spark.factory.fit import as_matrix, fit
from pozytywka_spark.factory.labelled import as_rows
from pozytywka_spark.factory.proof.binomial import share_low
from pozytywka_spark.factory.proof.cases import SIDES
from pozytywka_spark.factory.proof.noise import NOBODY_ERRS, Noise
from pozytywka_spark.factory.proof.prove import prove
from pozytywka_spark.factory.proof.sequence import Demands
from pozytywka_spark.lake import open_lake
from pozytywka_spark.spark.session import build_session
from tests.bench.timed import seconds
from tests.factory.proof_worlds import NAMES, World, draw, halves, noisy_group, of_name, published, sgr


def table(groups: int, cases: int) -> pl.DataFrame:
    """Cases of all groups with eight features, one of which tells."""
    rng, count = np.random.default_rng(0), groups * cases
    bad = rng.random(count) < 0.4
    features = {f"x{place}": rng.normal(size=count) + (4.0 * bad if place == 0 else 0) for place in range(8)}
    start = np.datetime64("2024-01-01", "us")
    return pl.DataFrame(
        {
            "case_id": [f"c{place}" for place in range(count)],
            "group": [f"g{place % groups:04}" for place in range(count)],
            "user_id": np.arange(count),
            "cut_off": start + np.arange(count) * 1_000_000,
            "verdict": np.where(bad, "bad", "ok"),
            **features,
        }
    )


def plain(path: str, part: int) -> None:
    """One process's half of the groups, fitted one after another."""
    rows, features = as_rows(pl.read_parquet(path), path, "", True)
    settings = load_settings("local", [])
    for number, (_, mine) in enumerate(rows.partition_by("group", as_dict=True).items()):
        if number % 2 == part:
            half = mine.head(mine.height // 2)
            matrix = as_matrix(half, features, {})
            label = half.get_column("verdict").to_numpy()
            rounds = settings.factory.max_rounds
            fit(matrix, label, np.arange(half.height), rounds=rounds, seed=settings.training.seed)


def speed(groups: int, cases: int) -> None:
    """Print both times."""
    with tempfile.TemporaryDirectory() as folder:
        path = str(Path(folder) / "cases.parquet")
        table(groups, cases).write_parquet(path)
        with ProcessPoolExecutor(2, mp_context=get_context("spawn")) as pool:
            alone = seconds(lambda: list(pool.map(plain, [path, path], [0, 1])))
        settings = load_settings("local", [f"home={folder}"])
        spark = build_session(settings, "bench")
        lake = open_lake(settings, spark)
        ours = seconds(lambda: build(settings, lake, Asked(file=path)))
        spark.stop()
    print(f"{groups} groups x {cases} cases: factory {ours:.1f} s, two plain processes {alone:.1f} s")
    print(f"allowed {1.5 * alone + 30:.1f} s: {'met' if ours <= 1.5 * alone + 30 else 'NOT met'}")


def across(cases: int) -> None:
    """Print the line of each way."""
    with tempfile.TemporaryDirectory() as folder:
        path = str(Path(folder) / "cases.parquet")
        table(1, cases).write_parquet(path)
        for way, words in (
            ("one task", ["factory.max_cells=1000000000"]),
            ("two workers", [f"factory.max_cells={8 * cases - 1}", "training.num_workers=2"]),
        ):
            settings = load_settings("local", [f"home={folder}/{way}", *words])
            spark = build_session(settings, "bench")
            lake = open_lake(settings, spark)
            began = perf_counter()
            report = build(settings, lake, Asked(file=path))
            took = perf_counter() - began
            found = ", ".join(
                f"{row['side']} {row['coverage']:.4f} ({row['wrong']} of {row['tested']} wrong)"
                for row in report.sides
            )
            print(f"{cases:,} cases, {way}: {took:.1f} s; decided {found}", flush=True)
            spark.stop()


def guarantee(demands: Demands, groups: int, seed: int, names: Sequence[str]) -> None:
    """Print each world's line."""
    for name in names:
        for cases in (2_000, 10_000):
            rng, kept, below = np.random.default_rng(seed), 0, 0
            cover = dict.fromkeys(("factory", "published", "sgr"), 0.0)
            for _ in range(groups):
                world = of_name(name, rng)
                training, tested = halves(draw(world, cases, rng)[0])
                for side in SIDES:
                    proof, _ = prove(training, tested, side, demands)
                    found = {
                        "factory": proof.threshold,
                        "published": published(training, tested, side),
                        "sgr": sgr(tested, side),
                    }
                    for rule, threshold in found.items():
                        cover[rule] += 0.0 if threshold is None else world.decided(side, threshold)
                    kept += proof.is_kept
                    below += proof.threshold is not None and world.precision(side, proof.threshold) < 0.99
            shown = ", ".join(f"{rule} {value / groups:.3f}" for rule, value in cover.items())
            print(
                f"{name}, {cases}: {kept} of {2 * groups} kept, {below} truly below; coverage {shown}",
                flush=True,
            )


def second_looks(demands: Demands, most: int, groups: int, seed: int, names: Sequence[str]) -> None:
    """Print a line for each world and each time that people were asked."""
    wrong, cases, times = 0.02, 10_000, 3
    for name in names:
        ideal, done = 0.0, [Looked() for _ in range(times)]
        for number in range(groups):
            rng = np.random.default_rng([seed, number])
            world = replace(of_name(name, rng), noise=wrong)
            group, sure = noisy_group(world, cases, rng)
            ideal += covered(world, {side: prove(*sure, side, demands)[0].threshold for side in SIDES})
            _, again = group.build(demands, most, NOBODY_ERRS)
            for each in done:
                each.asked += np.array(
                    [
                        sum(len(one.tested) for one in again.values()),
                        sum(len(one.training) for one in again.values()),
                    ]
                )
                group = group.answered(again)
                # of 100 groups some 20,000 answers tell how often people err
                thresholds, again = group.build(demands, most, Noise(wrong, share_low(400, 20_000, 0.95)))
                each.coverage += covered(world, thresholds)
                kept = [(side, one) for side, one in thresholds.items() if one is not None]
                each.kept += len(kept)
                each.below += sum(world.precision(side, one) < 0.99 for side, one in kept)
        for time, each in enumerate(done, 1):
            tested, training = each.asked / (2 * groups)
            share = each.coverage / max(ideal, 1e-9)
            print(
                f"{name}, {cases}, asked {time} x: {each.kept} of {2 * groups} kept, {each.below} truly "
                f"below; coverage {each.coverage / groups:.3f}, {share:.2f} of that without errors; "
                f"this time {tested:.0f} tested and {training:.0f} training cases a side",
                flush=True,
            )


@dataclass
class Looked:
    """Sums over groups after second looks; `asked`: tested and training cases."""

    kept: int = 0
    below: int = 0
    coverage: float = 0.0
    asked: np.ndarray = field(default_factory=lambda: np.zeros(2))


def covered(world: World, thresholds: Mapping[str, float | None]) -> float:
    """The true share of cases that the sides decide."""
    return sum(world.decided(side, one) for side, one in thresholds.items() if one is not None)


def main() -> None:
    """Measure what was asked for."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--groups", type=int, default=0, help="default 1000, with --proof 300")
    parser.add_argument("--cases", type=int, default=2000)
    parser.add_argument("--proof", action="store_true")
    parser.add_argument("--second-looks", action="store_true")
    parser.add_argument("--across", action="store_true")
    parser.add_argument("--world", choices=NAMES, action="append", help="default all; may be given again")
    parser.add_argument("--seed", type=int, default=7)
    args = parser.parse_args()
    settings = load_settings("local", [])
    demands, names = demands_of(settings), args.world or NAMES
    if args.second_looks:
        second_looks(demands, settings.factory.second_looks, args.groups or 100, args.seed, names)
    elif args.proof:
        guarantee(demands, args.groups or 300, args.seed, names)
    elif args.across:
        across(args.cases)
    else:
        speed(args.groups or 1000, args.cases)


if __name__ == "__main__":
    main()
