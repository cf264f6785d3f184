"""The feed in worlds with taste: how good it is beside simpler rankings and beside the true chances.

    python -m tests.bench.bench_feed --baselines [--seeds 1 2 3] [--development] [--ridges]

`--baselines`: the rankings that need no training, and the true chances. `--development`: a month earlier, the
cut-off that may be tuned on; nothing is to be tuned on the other one.
"""

from __future__ import annotations

import argparse

from pozytywka_spark.feed.evaluation.judge import ALL, HEAVY, LIGHT, NEWCOMERS, Tally
from pozytywka_spark.feed.evaluation.rankings import LATELY, LINEAR
from tests.bench.taste_rankings import DEVELOPMENT, TEST, TRUTH, Case, bench_world, figures, ridges, tally

TITLE = "plays @10     @50  novel@10     @50  worth@10     @50  novel@10     @50"


def show(result: Tally) -> None:
    """All rankings, then each slice's."""
    for part in (ALL, NEWCOMERS, LIGHT, HEAVY):
        users = result.sums[(TRUTH, "novel_plays_ndcg_10", part)].users
        print(f"-- {part}: {users} users with something new\n{'':20}{TITLE}")
        for name in dict.fromkeys(ranking for ranking, _, _ in result.sums):
            print(f"{name:20}{figures(result.sums, name, part)}")


def strength(result: Tally) -> None:
    """How strong the taste is."""
    for part in (ALL, LIGHT, HEAVY):
        truth, linear, lately = (
            result.sums[(name, "novel_plays_ndcg_10", part)].mean for name in (TRUTH, LINEAR, LATELY)
        )
        print(
            f"{part}: true chances {truth / linear:.2f} x the linear item model's novel nDCG@10 (at least 1.4), "
            f"{truth / lately:.1f} x last month's popularity"
        )


def main() -> None:
    """Measure what was asked for."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--baselines", action="store_true")
    parser.add_argument("--development", action="store_true")
    parser.add_argument("--ridges", action="store_true")
    parser.add_argument("--seeds", type=int, nargs="+", default=[1])
    parser.add_argument("--users", type=int, default=2000)
    args = parser.parse_args()
    for seed in args.seeds:
        case = Case(bench_world(seed, args.users), DEVELOPMENT if args.development else TEST)
        print(f"== seed {seed}, {args.users} users, cut-off {case.cut_off}")
        if args.ridges:
            print(*ridges(case), sep="\n")
        if args.baselines:
            result = tally(case)
            show(result)
            strength(result)


if __name__ == "__main__":
    main()
