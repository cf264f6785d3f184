"""A front page whose artists have seasons: what share of an all-knowing policy's gain is had, what is found.

    python -m tests.bench.bench_spotlight [--worlds 6] [--first 0] [--base 0.02]
    python -m tests.bench.bench_spotlight --thompson [--worlds 2]
    python -m tests.bench.bench_spotlight --without [--worlds 20] [--log uniform|thompson|ours]

The worlds: 60 artists of 8 genres, 20,000 decisions a day, 900 days from 1 January 2023. Log levels spread
by 0.25 and drift by 1% a day; one genre doubles until 26 December, one rises by 1.8 in the ten days to
Easter, one by 1.3 at weekends, one by 1.4 from June to August; ten artists are launched, at first above their
level, by what halves every ten days. With `--thompson` the yardstick, with half-lives of 7, 15 and 30 days.
`--without`: what `season` finds in worlds without any.
"""

from __future__ import annotations

import argparse
import time
from dataclasses import replace

import numpy as np
import pandas as pd

from pozytywka_spark.bandits.seasonal import probabilities, season
from pozytywka_spark.config.bandits import Bandits
from tests.bench.spotlight_world import Policy, Shape, Thompson, World, play, shares, world_of

BOUNDS = {
    "after day 60": 0.88,
    "Christmas": 0.86,
    "Easter": 0.84,
    "Christmas, 4 days": 0.76,
    "Easter, 4 days": 0.72,
}
BANDITS = Bandits()
PLANTED = {("genre-0", "year"), ("genre-1", "easter"), ("genre-2", "weekday"), ("genre-3", "year")}


class Ours:
    """The seasonal policy, which remembers the last log that it was asked about."""

    def __init__(self, world: World) -> None:
        self._genre_of = world.genre_of
        self.sums = pd.DataFrame()

    def __call__(self, sums: pd.DataFrame, arms: list[str], day):  # type: ignore[no-untyped-def]
        """Its probabilities."""
        self.sums = sums
        return probabilities(sums, self._genre_of, arms, day, BANDITS)["probability"].to_numpy()


class Remembers:
    """Any policy, with the last log that it was asked about."""

    def __init__(self, policy: Policy) -> None:
        self._policy, self.sums = policy, pd.DataFrame()

    def __call__(self, sums: pd.DataFrame, arms: list[str], day):  # type: ignore[no-untyped-def]
        """Its probabilities."""
        self.sums = sums
        return self._policy(sums, arms, day)


def show(name: str, result: dict[str, float]) -> None:
    """A line."""
    print(f"{name:24}" + "  ".join(f"{period} {share:.3f}" for period, share in result.items()), flush=True)


def gains(shape: Shape, seeds: range) -> None:
    """Ours, world by world, and what `season` finds in its logs."""
    results = []
    for seed in seeds:
        world = world_of(seed, shape)
        ours, started = Ours(world), time.process_time()
        values = play(world, ours, seed, least=BANDITS.min_probability)
        results.append(shares(values, world.days))
        show(f"world {seed}", results[-1])
        print(f"  {(time.process_time() - started) / len(world.days):.3f} s of CPU a day")
        found = season(ours.sums, world.genre_of)
        at = set(zip(found.genre, found.season, strict=True))
        print(f"  found {len(PLANTED & at)} of 4, {len(at - PLANTED)} false")
        print(found.round(3).to_string(index=False))
    mean = {name: float(np.mean([result[name] for result in results])) for name in BOUNDS}
    show("mean", mean)
    show("bounds", BOUNDS)
    print("met" if all(mean[name] >= bound for name, bound in BOUNDS.items()) else "NOT met")


def thompson(shape: Shape, seeds: range) -> None:
    """The yardstick by its half-life."""
    for half_life in (7, 15, 30):
        results = []
        for seed in seeds:
            world = world_of(seed, shape)
            results.append(shares(play(world, Thompson(half_life, shape.arms, draws=1000), seed), world.days))
        show(f"Thompson, {half_life} days", {k: float(np.mean([r[k] for r in results])) for k in BOUNDS})


def without(shape: Shape, seeds: range, log: str) -> None:
    """False findings."""
    plain = replace(shape, christmas=1.0, easter=1.0, weekends=1.0, summer=1.0)
    false = 0
    for seed in seeds:
        world = world_of(seed, plain)
        policies = {
            "uniform": lambda sums, arms, day: np.full(len(arms), 1 / len(arms)),
            "thompson": Thompson(30, shape.arms, draws=300),
            "ours": Ours(world),
        }
        policy = Remembers(policies[log])
        play(world, policy, seed, least=BANDITS.min_probability if log == "ours" else 0.0)
        found = season(policy.sums, world.genre_of)
        false += len(found) > 0
        if len(found):
            print(f"world {seed}\n{found.round(3).to_string(index=False)}", flush=True)
    print(f"logs {log}: {false} of {len(seeds)} worlds with a false season")


def main() -> None:
    """As asked."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    parser.add_argument("--worlds", type=int, default=6)
    parser.add_argument("--first", type=int, default=0)
    parser.add_argument("--base", type=float, default=0.02)
    parser.add_argument("--thompson", action="store_true")
    parser.add_argument("--without", action="store_true")
    parser.add_argument("--log", choices=["uniform", "thompson", "ours"], default="uniform")
    args = parser.parse_args()
    shape, seeds = Shape(base=args.base), range(args.first, args.first + args.worlds)
    if args.without:
        without(shape, seeds, args.log)
    elif args.thompson:
        thompson(shape, seeds)
    else:
        gains(shape, seeds)


if __name__ == "__main__":
    main()
