"""The feed in worlds with taste: how good it is beside simpler rankings and beside the true chances.

    python -m tests.bench.bench_feed [--seeds 1 2 3] [--keep FOLDER] [--surveys]
    python -m tests.bench.bench_feed --baselines [--linear] [--seeds 1 2 3]
    python -m tests.bench.bench_feed --survey-worlds 50

The first writes a world (2,000 users, 7 months), ingests it, trains, ranks in the order of the value, and
prints every bound; with `--surveys` the value's weights come from the world's answers. `--baselines`: only
the rankings that need no training, and the true chances, in memory. `--survey-worlds`: how often intervals
of the weights cover the known ones. `--development`: a month earlier, the cut-off that may be tuned on;
nothing is to be tuned on the other one.
"""

from __future__ import annotations

import argparse
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from pathlib import Path

import numpy as np

from pozytywka_spark.config import Synthetic
from pozytywka_spark.feed.evaluation.judge import ALL, HEAVY, LIGHT, NEWCOMERS, Tally
from pozytywka_spark.feed.weights import weights_of
from pozytywka_spark.names import HEADS
from pozytywka_spark.synthetic.plan import Plan
from pozytywka_spark.synthetic.taste.surveys import surveys_of
from tests.bench.feed_bounds import bounds, habits, strength
from tests.bench.feed_jobs import pages_of, run_jobs
from tests.bench.kept_worlds import worlds
from tests.bench.taste_rankings import (
    DEVELOPMENT,
    FEED,
    TEST,
    TRUTH,
    Case,
    bench_world,
    figures,
    linear_models,
    tally,
)

TITLE = "plays @10     @50  novel@10     @50  worth@10     @50  novel@10     @50"


def show(result: Tally) -> None:
    """All rankings, then each slice's."""
    for part in (ALL, NEWCOMERS, LIGHT, HEAVY):
        users = result.sums[(TRUTH, "novel_plays_ndcg_10", part)].users
        print(f"-- {part}: {users} users with something new\n{'':20}{TITLE}")
        for name in dict.fromkeys(ranking for ranking, _, _ in result.sums):
            print(f"{name:20}{figures(result.sums, name, part)}")


@dataclass(frozen=True)
class Asked:
    """What is measured."""

    users: int
    cut_off: date
    settings: list[str]
    surveys: bool
    keep: Path | None


def whole(seed: int, asked: Asked) -> None:
    """Through the jobs."""
    case = Case(bench_world(seed, asked.users), asked.cut_off)
    with worlds(asked.keep) as folder:
        place = folder / f"{seed}-{asked.users}-{asked.cut_off}"
        run_jobs(place, seed, asked.users, asked.cut_off, asked.settings, asked.surveys)
        pages = pages_of(place, case)
    result = tally(case, {FEED: pages.value})
    show(result)
    print(*bounds(result.sums), sep="\n")
    print(*habits(case.judged(), pages.chances, case.weights), sep="\n")


def survey_worlds(count: int) -> None:
    """Weights from 4,000 answers of each world, beside the known ones."""
    covered, near = np.zeros(len(HEADS), dtype=int), np.zeros(len(HEADS), dtype=int)
    for seed in range(count):
        settings = {"users": 1000, "months": 7, "seed": seed, "taste": {"on": True}}
        plan = Plan(Synthetic.model_validate(settings), level=0.001)  # who buys when is all one here
        parts = [surveys_of(plan, chunk) for chunk in range(plan.chunks)]
        user, answer, done = (
            np.concatenate([part[name] for part in parts]) for name in ("user_id", "answer", "done")
        )
        found = weights_of(user, answer, done, dict.fromkeys(HEADS, 1.0), 500, 100).weights
        known = np.array(plan.world.taste.survey_weights) / plan.world.taste.survey_weights[0]
        covered += [low.low <= weight <= low.high for low, weight in zip(found, known, strict=True)]
        near += [abs(each.weight / weight - 1) <= 0.2 for each, weight in zip(found, known, strict=True)]
    for number, head in enumerate(HEADS[1:], 1):
        print(f"{head}: covered in {covered[number]} of {count} worlds, within 20% in {near[number]}")


def main(argv: Sequence[str] | None = None) -> None:
    """Measure what was asked for."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--baselines", action="store_true")
    parser.add_argument("--development", action="store_true")
    parser.add_argument("--linear", action="store_true")
    parser.add_argument("--survey-worlds", type=int, default=0, metavar="N")
    parser.add_argument("--surveys", action="store_true")
    parser.add_argument("--seeds", type=int, nargs="+", default=[1])
    parser.add_argument("--users", type=int, default=2000)
    parser.add_argument("--keep", type=Path, metavar="FOLDER", help="what the jobs write")
    parser.add_argument("--set", dest="settings", action="append", default=[], metavar="KEY=VALUE")
    args = parser.parse_args(argv)
    if args.survey_worlds:
        survey_worlds(args.survey_worlds)
        return
    cut_off = DEVELOPMENT if args.development else TEST
    for seed in args.seeds:
        print(f"== seed {seed}, {args.users} users, cut-off {cut_off}")
        if args.linear:
            print(*linear_models(Case(bench_world(seed, args.users), cut_off)), sep="\n")
        if args.baselines:
            result = tally(Case(bench_world(seed, args.users), cut_off))
            show(result)
            print(*strength(result.sums), sep="\n")
        elif not args.linear:
            whole(seed, Asked(args.users, cut_off, args.settings, args.surveys, args.keep))


if __name__ == "__main__":
    main()
