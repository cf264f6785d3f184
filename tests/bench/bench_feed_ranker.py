"""The ranker alone in worlds with taste, in memory: how good its order is, how calibrated, how fast.

    python -m tests.bench.bench_feed_ranker [--seeds 1 2 3] [--development] [--users N]
    OMP_NUM_THREADS=1 OPENBLAS_NUM_THREADS=1 python -m tests.bench.bench_feed_ranker --speed [--users N]

Figures of speed are of processor time, so that a busy machine tells the same.
"""

from __future__ import annotations

import argparse
import time
from collections.abc import Callable
from datetime import timedelta

import numpy as np

from pozytywka_spark.config import Synthetic
from pozytywka_spark.config.feed import Feed
from pozytywka_spark.feed import light
from pozytywka_spark.feed.about import about, batches
from pozytywka_spark.feed.evaluation.judge import ALL, Tally
from pozytywka_spark.feed.evaluation.rankings import LATELY, LINEAR, OWN
from pozytywka_spark.feed.heads.features import NAMES, features_of
from pozytywka_spark.feed.heads.model import own_rate
from pozytywka_spark.feed.inventory.collect import Wanted, collect
from pozytywka_spark.feed.inventory.sources import lists_of
from pozytywka_spark.feed.listening import Listeners
from pozytywka_spark.feed.outcomes import outcomes_of
from pozytywka_spark.feed.value import value_of
from pozytywka_spark.months import start_micros
from pozytywka_spark.names import HEADS
from tests.bench.feed_ranker import Ranker, Scored, scored, side_of, trained
from tests.bench.feed_rules_cost import rules_cost
from tests.bench.taste_rankings import DEVELOPMENT, TEST, TRUE_VALUE, TRUTH, Case, bench_world, figures, tally
from tests.worlds.taste_world import taste_world

WEIGHTS = Feed().weights
FIFTHS, MANY = 5, 100


def ranker_of(case: Case, listeners: Listeners) -> tuple[Ranker, Scored]:
    """Trained before the case's cut-off, asked at it."""
    at = start_micros(case.cut_off)
    catalogue = case.world.catalogue
    ranker = trained(listeners, catalogue, at, WEIGHTS, wanted=Wanted(), horizon_days=case.horizon)
    return ranker, scored(ranker, listeners, side_of(listeners, catalogue, at), WEIGHTS, Wanted())


def quality(case: Case) -> None:
    """All bounds on the order of the value, the light pass, rates and habits."""
    listeners = case.world.listeners(case.cut_off + timedelta(days=case.horizon))
    _, found = ranker_of(case, listeners)
    size = len(case.world.catalogue)
    more = {"feed": found.dense(found.value, size), "light": found.dense(found.light, size)}
    bounds(tally(case, more))
    recall = light.recall_of(found.light, found.value, found.pairs, 500)
    print(f"first 50 kept by the light pass at 500 of 1,000: {recall.mean():.4f} (at least 0.98)")
    rates(case, listeners, found)
    habits(found)
    tracks = side_of(listeners, case.world.catalogue, start_micros(case.cut_off))
    print(*rules_cost(case, found, tracks), sep="\n")


def bounds(result: Tally) -> None:
    """Lines of rankings, then of bounds."""
    for name in dict.fromkeys(ranking for ranking, _, _ in result.sums):
        print(f"{name:20}{figures(result.sums, name)}")

    def at(name: str, metric: str) -> float:
        return result.sums[(name, metric, ALL)].mean

    novel, linear = "novel_plays_ndcg_10", at(LINEAR, "novel_plays_ndcg_10")
    way = (at("feed", novel) - linear) / (at(TRUTH, novel) - linear)
    own, whole = at(OWN, "plays_ndcg_10"), at("feed", "plays_ndcg_50")
    print(f"novel plays @10: {at('feed', novel) / linear:.3f} x the linear model's (at least 1.15)")
    print(f"novel plays @10: {at('feed', novel) / at(LATELY, novel):.2f} x last month's (at least 3)")
    print(f"novel plays @10: {way:.0%} of the way to the true chances (at least 35%)")
    for k, least in ((10, 1.2), (50, 1.03)):
        worth = f"novel_worth_ndcg_{k}"
        print(
            f"novel worth @{k}: {at('feed', worth) / at(LINEAR, worth):.3f} x the linear (at least {least})"
        )
    print(f"plays @10: {at('feed', 'plays_ndcg_10'):.4f}, own most played {own:.4f} (not below)")
    for name in (TRUTH, TRUE_VALUE):
        print(f"plays @50: {whole / at(name, 'plays_ndcg_50'):.3f} of {name}'s (at least 0.87)")
    first = at("light", "plays_ndcg_10") / at("feed", "plays_ndcg_10")
    print(f"light pass, plays @10: {first:.3f} of the full ranker's (at least 0.9)")


def rates(case: Case, listeners: Listeners, found: Scored) -> None:
    """Predicted and observed, in percent, by fifth of users by their own rate; last, newcomers."""
    at, size = start_micros(case.cut_off), len(case.world.catalogue)
    pairs, first = found.pairs, found.pairs.start[:-1]
    done = outcomes_of(listeners.listening, at, case.horizon, size).of(pairs.user, pairs.track, size)
    past = found.features[NAMES.index("user_plays")][first] > 0
    for column, head in enumerate(HEADS):
        own = own_rate(found.features, head).rate[first]
        edges = np.quantile(own[past], np.arange(1, FIFTHS) / FIFTHS)
        group = np.where(past, np.searchsorted(edges, own, side="right"), FIFTHS)[pairs.user]
        told = []
        for fifth in range(FIFTHS + 1):
            mine = group == fifth
            if not mine.any():  # many have the same rate
                continue
            predicted, observed = found.chances[mine, column].mean(), done[mine, column].mean()
            right = abs(predicted - observed) <= max(0.25 * observed, 0.001)
            told.append(f"{100 * predicted:.2f}/{100 * observed:.2f}{'' if right else ' (out)'}")
        print(f"{head}: predicted/observed % by fifth of own rate, newcomers: {', '.join(told)}")


def habits(found: Scored) -> None:
    """What the like term makes of the spread of V."""
    users = len(found.pairs.user_id)
    count = np.maximum(np.diff(found.pairs.start), 1)

    def spread(values: np.ndarray) -> np.ndarray:
        mean = np.bincount(found.pairs.user, values, users) / count
        square = np.bincount(found.pairs.user, values.astype(np.float64) ** 2, users) / count
        return np.sqrt(np.maximum(square - mean**2, 0))

    like = spread(WEIGHTS["like"] * found.chances[:, HEADS.index("like")])
    share = like / np.maximum(spread(found.value), 1e-12)
    first = found.pairs.start[:-1]
    plays, likes = (found.features[NAMES.index(name)][first] for name in ("user_plays", "user_likes"))
    never = (plays >= MANY) & (likes == 0)
    print(
        f"like term of V's spread, {never.sum()} who never like: {np.median(share[never]):.2%} (at most 2%)"
    )
    print(f"like term of V's spread, who like: {np.median(share[likes > 0]):.2%} (well over 5%)")


def speed(users: int) -> None:
    """Of each part, on candidates of `users`; trained on a small world of the same kind."""
    case = Case(bench_world(1), TEST)
    ranker, _ = ranker_of(case, case.world.listeners(TEST))
    settings = {"users": users, "months": 7, "seed": 2, "truth_paths": 0, "taste": {"on": True}}
    world = taste_world(Synthetic.model_validate(settings))
    at = start_micros(TEST)
    listeners = world.listeners(TEST)
    tracks = side_of(listeners, world.catalogue, at)
    lists = lists_of(tracks, 1000)
    seconds = dict.fromkeys(("about", "inventory", "light", "features", "heads and value"), 0.0)
    entries = kept = 0

    def timed(name: str, work: Callable[[], object]) -> object:
        start = time.process_time()
        made = work()
        seconds[name] += time.process_time() - start
        return made

    for some in batches(listeners, len(tracks.side)):
        known = timed("about", lambda some=some: about(some, tracks))
        pairs = timed("inventory", lambda known=known: collect(known, tracks, lists, Wanted()))
        score = timed("light", lambda k=known, p=pairs: ranker.light.scores(p, k, tracks))
        part = light.some_of(pairs, light.first_of(score, pairs, 500))
        features = timed("features", lambda k=known, p=part: features_of(p, k, tracks))
        timed("heads and value", lambda f=features: value_of(ranker.heads.chances(f), WEIGHTS))
        entries, kept = entries + len(pairs), kept + len(part)
    for name, spent in seconds.items():
        done = entries if name in ("about", "inventory", "light") else kept
        print(f"{name:16} {spent:7.2f} s, {done / spent:12,.0f} pairs a second and core")
    both = seconds["features"] + seconds["heads and value"]
    print(f"with features    {both:7.2f} s, {kept / both:12,.0f} pairs a second and core (at least 200,000)")
    print(f"light pass of {entries / 1000:,.0f} x 1,000 candidates: {seconds['light']:.1f} s (10 at 10,000)")


def main() -> None:
    """Measure what was asked for."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--seeds", type=int, nargs="+", default=[1])
    parser.add_argument("--development", action="store_true")
    parser.add_argument("--speed", action="store_true")
    parser.add_argument("--users", type=int, default=2000)
    args = parser.parse_args()
    if args.speed:
        speed(args.users)
        return
    for seed in args.seeds:
        case = Case(bench_world(seed, args.users), DEVELOPMENT if args.development else TEST)
        print(f"== seed {seed}, {args.users} users, cut-off {case.cut_off}")
        quality(case)


if __name__ == "__main__":
    main()
