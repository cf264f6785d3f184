"""Simulated messages: which share of what an all-knowing policy gains over the uniform one is learnt.

    python -m tests.bench.bench_messages [USERS] [SEED ...]
    python -m tests.bench.bench_messages 120000 3 means     with mean rewards besides

Fifteen days are uniform, nineteen are served; every morning is learnt from all days before it. Each policy
lives in a world of its own; it is valued by expected rewards, without its uniform share. `own`: its gain over
that of the uniform policy in its world, by the all-knowing policy's in its own, over the nineteen days.
`states`: the same at the states that the policy itself comes to, the mean of the days.
"""

from __future__ import annotations

import sys
import time
from collections.abc import Callable
from typing import Any

import numpy as np
import polars as pl

from pozytywka_spark.bandits.decide import probabilities
from pozytywka_spark.bandits.policy import Policy, parse_policy
from pozytywka_spark.bandits.softmax import PUBLISHED, Settings, learn
from tests.bench.messages_world import GROUP_NAMES, NAMES, Chances, Floats, Run, World

UNIFORM_DAYS, DAYS = 15, 34
EXPLORE = 0.05
Learn = Callable[[pl.DataFrame], dict[str, Any]]


def main() -> None:
    """A line a seed and policy, then the mean and the worst of each."""
    numbers = [int(text) for text in sys.argv[1:] if text != "means"]
    users = numbers[0] if numbers else 120_000
    rows = []
    for seed in numbers[1:] or range(12):
        for row in measured(seed, users):
            rows.append(row)
            print(
                " ".join(
                    f"{name} {value:.4g}" if name != "policy" else f"{value:10}"
                    for name, value in row.items()
                ),
                flush=True,
            )
    table = pl.DataFrame(rows).group_by("policy", maintain_order=True)
    with pl.Config(tbl_rows=-1, tbl_cols=-1, float_precision=3):
        print(
            table.agg(
                *(
                    getattr(pl.col(name), how)().alias(f"{name} {how}")
                    for name in ("own", "states")
                    for how in ("mean", "min")
                )
            )
        )


def learners() -> dict[str, Learn]:
    """What is compared."""
    published = Settings(**(vars(PUBLISHED) | {"window": "all", "explore": EXPLORE}))
    compared: dict[str, Learn] = {
        "learnt": lambda sums: learn(sums, "messages", Settings(explore=EXPLORE), arms=NAMES),
        "published": lambda sums: learn(sums, "messages", published, arms=NAMES),
    }
    if "means" in sys.argv:
        compared["means"] = mean_rewards
    return compared


def measured(seed: int, users: int) -> list[dict[str, Any]]:
    """A world under each policy."""
    world = World(seed, users)
    start = Run(world, seed=1000 + seed)
    for day in range(UNIFORM_DAYS):
        start.serve(day, uniform, 1.0)
    served = range(UNIFORM_DAYS, DAYS)
    run = start.copy(seed)
    of_uniform = sum(run.serve(day, uniform, 1.0, log=False)[0] for day in served)
    run = start.copy(seed)
    of_best = sum(run.serve(day, all_knowing(world), 0.0, log=False)[0] for day in served)
    rows = []
    for name, learner in learners().items():
        run, began, values, states = start.copy(seed), time.perf_counter(), [], []
        for day in served:
            policy = parse_policy(learner(pl.concat(run.sums)))
            value, share = run.serve(day, chances_of(world, policy), policy.explore)
            values.append(value)
            states.append(share)
        own = (sum(values) - of_uniform) / (of_best - of_uniform)
        rows.append(
            {
                "policy": name,
                "seed": seed,
                "own": own,
                "states": float(np.mean(states)),
                "first": states[0],
                "last": states[-1],
                "gamma": policy.gamma,
                "half_life": policy.half_life_days,
                "temperature": policy.temperature,
                "seconds": time.perf_counter() - began,
            }
        )
    return rows


def uniform(day: int, since: Floats, eligible: Any) -> Floats:
    """All alike."""
    chances: Floats = eligible / eligible.sum(1, keepdims=True)
    return chances


def all_knowing(world: World) -> Chances:
    """The best arm of each user's day."""

    def chances(day: int, since: Floats, eligible: Any) -> Floats:
        best = np.where(eligible, world.rewards(since), 0).argmax(1)
        return np.eye(len(NAMES))[best]

    return chances


def chances_of(world: World, policy: Policy) -> Chances:
    """The policy's without its uniform share, which are those of `decide` at some users' states."""
    scores = np.array([[policy.of_group(group)[arm] for arm in NAMES] for group in GROUP_NAMES])

    def chances(day: int, since: Floats, eligible: Any) -> Floats:
        exponents = scores[world.group] - policy.gamma * np.exp2(-since / policy.half_life_days)
        exponents = np.where(eligible, exponents, -np.inf)
        weights = np.exp((exponents - exponents.max(1, keepdims=True)) / policy.temperature)
        weights /= weights.sum(1, keepdims=True)
        for user in range(0, world.users, world.users // 10):
            arms = [arm for arm, may in zip(NAMES, eligible[user], strict=True) if may]
            days = dict(zip(NAMES, (float(d) if d < np.inf else None for d in since[user]), strict=True))
            said = probabilities(policy, group=GROUP_NAMES[world.group[user]], eligible=arms, days_since=days)
            mixture = policy.explore / len(arms) + (1 - policy.explore) * weights[user][eligible[user]]
            np.testing.assert_allclose(mixture, list(said.values()), atol=1e-12)
        return weights

    return chances


def mean_rewards(sums: pl.DataFrame) -> dict[str, Any]:
    """A softmax of arms' mean rewards, which mistakes for whom an arm is for what it does."""
    means = sums.group_by("arm", "group").agg(pl.col("chosen_reward").sum() / pl.col("chosen_weight").sum())
    by_arm = {arm: {"": 0.0} for arm in NAMES}
    for arm, group, mean in means.iter_rows():
        by_arm[arm][group] = mean / 0.13
    return {
        "kind": "recovering_softmax",
        "arms": NAMES,
        "scores": by_arm,
        "recency": {"gamma": 0.017, "half_life_days": 15.0},
        "temperature": 0.0025,
        "explore": EXPLORE,
    }


if __name__ == "__main__":
    main()
