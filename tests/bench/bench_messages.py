"""Simulated messages: which share of what an all-knowing policy gains over the uniform one is learnt.

    python -m tests.bench.bench_messages [USERS] [SEED ...]
    python -m tests.bench.bench_messages 120000 3 means lag     with mean rewards besides, and learning late


Fifteen days are uniform, nineteen are served; every morning is learnt from all days before it. Each policy
lives in a world of its own; it is valued by expected rewards, without its uniform share. `own`: its gain over
that of the uniform policy in its world, by the all-knowing policy's in its own, over the nineteen days.
`states`: the same at the states that the policy itself comes to, the mean of the days. `late`: as learnt, but
without the two latest days, as `bandits learn` leaves them to the gate.

The world was set up by what the published parameters and mean rewards reach in it, on seeds 900 to 911.
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
from tests.bench.messages_world import GROUP_NAMES, NAMES, NEVER, Array, Choose, Morning, Run, World, faded

UNIFORM_DAYS, DAYS = 15, 34
LATE = 2
EXPLORE = 0.05
Learn = Callable[[pl.DataFrame], dict[str, Any]]


def main() -> None:
    """A line a seed and policy, then the mean and the worst of each."""
    numbers = [int(text) for text in sys.argv[1:] if text.isdecimal()]
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
    if "lag" in sys.argv:
        compared["late"] = lambda sums: compared["learnt"](_without_latest(sums))
    return compared


def measured(seed: int, users: int) -> list[dict[str, Any]]:
    """A world under each policy."""
    world = World(seed, users)
    start = Run(world, seed=1000 + seed)
    for day in range(UNIFORM_DAYS):
        start.serve(day, Morning.uniform, 1.0)
    served = range(UNIFORM_DAYS, DAYS)
    run = start.copy(seed)
    of_uniform = sum(run.serve(day, Morning.uniform, 1.0, log=False)[0] for day in served)
    run = start.copy(seed)
    of_best = sum(run.serve(day, Morning.best, 0.0, log=False)[0] for day in served)
    rows = []
    for name, learner in learners().items():
        run, began, values, states = start.copy(seed), time.perf_counter(), [], []
        for day in served:
            policy = parse_policy(learner(pl.concat(run.sums)))
            value, share = run.serve(day, chances_of(policy), policy.explore)
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


def chances_of(policy: Policy) -> Choose:
    """The policy's without its uniform share, which are those of `decide` at some users' states."""
    scores = np.array([[policy.of_group(group)[arm] for group in GROUP_NAMES] for arm in NAMES])
    table = (scores[..., None] - policy.gamma * faded(policy.half_life_days)) / policy.temperature

    def chances(morning: Morning) -> Array:
        exponents = np.where(morning.eligible, morning.look_up(table), -np.inf)
        weights = np.exp(exponents - exponents.max(0))
        weights /= weights.sum(0)
        for user in range(0, morning.world.users, morning.world.users // 10):
            _as_decided(policy, morning, user, weights[:, user])
        single: Array = weights.astype(np.float32)
        return single

    return chances


def _as_decided(policy: Policy, morning: Morning, user: int, weights: Array) -> None:
    """Raises where `decide` would choose with other probabilities."""
    eligible = morning.eligible[:, user]
    arms = [arm for arm, may in zip(NAMES, eligible, strict=True) if may]
    days = (float(day) if day < NEVER else None for day in morning.days[:, user])
    group = GROUP_NAMES[morning.world.group[user]]
    since = dict(zip(NAMES, days, strict=True))
    said = probabilities(policy, group=group, eligible=arms, days_since=since)
    mixture = policy.explore / len(arms) + (1 - policy.explore) * weights[eligible]
    np.testing.assert_allclose(mixture, list(said.values()), atol=1e-12)


def _without_latest(sums: pl.DataFrame) -> pl.DataFrame:
    """Of earlier days alone, the latest left out."""
    return sums.filter(pl.col("day").rank("dense", descending=True) > LATE)


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
