"""Logs whose policies' values are known: messages of a known effect, shown by a policy that explores."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt
import polars as pl

from pozytywka_spark.bandits.offpolicy.blocks import blocks, names_of
from pozytywka_spark.bandits.offpolicy.target import Target
from pozytywka_spark.bandits.policy import Policy, parse_policy

Floats = npt.NDArray[np.float64]
START = np.datetime64("2024-03-01T00:00:00", "us")
MINUTES = 1_440


@dataclass(frozen=True)
class MessageWorld:
    """Arms with effects on a base rate that is very uneven over users; the last `rare` arms only for some.

    `effects`: by group and arm, multiplies the base; `novelty`: less of it right after the arm was shown.
    """

    effects: Floats
    rare: int = 2
    base: float = 0.13
    novelty: float = 0.05
    half_life: float = 5.0

    @classmethod
    def drawn(cls, seed: int, arms: int = 8, groups: int = 5, spread: float = 0.15) -> MessageWorld:
        rng = np.random.default_rng(seed)
        return cls(1 + rng.normal(0, spread, arms)[None, :] + rng.normal(0, spread, (groups, arms)))

    @property
    def arms(self) -> list[str]:
        return [f"a{place:02}" for place in range(self.effects.shape[1])]

    @property
    def groups(self) -> list[str]:
        return [f"g{place}" for place in range(self.effects.shape[0])]

    def rewards(self, base: Floats, group: npt.NDArray[np.int64], days: Floats) -> Floats:
        """Expected, by decision and arm."""
        fresh = np.where(np.isnan(days), 0.0, np.exp2(-days / self.half_life))
        return base[:, None] * (self.effects[group] - self.novelty * fresh)

    def document(
        self,
        seed: int,
        *,
        temperature: float = 0.05,
        explore: float = 0.1,
        noise: float = 0.05,
        belief: float = 1.0,
    ) -> dict[str, Any]:
        """A softmax of what it takes the effects for: `belief` times what they are, and some noise."""
        rng = np.random.default_rng(seed)
        taken = belief * (self.effects - 1) + rng.normal(0, noise, self.effects.shape)
        scores = {
            arm: {"": float(taken[:, a].mean())}
            | {group: float(taken[g, a]) for g, group in enumerate(self.groups)}
            for a, arm in enumerate(self.arms)
        }
        return {
            "format": 1,
            "kind": "recovering_softmax",
            "slot": "prompt",
            "version": str(seed),
            "arms": self.arms,
            "scores": scores,
            "recency": {"gamma": 0.05, "half_life_days": 5.0},
            "temperature": temperature,
            "explore": explore,
            "salt": "s",
            "trained_days": ["2024-01-01", "2024-01-31"],
        }

    def policy(self, seed: int, **changed: float) -> Policy:
        """`document`, read."""
        return parse_policy(self.document(seed, **changed))


def drawn_log(
    world: MessageWorld, by: Policy, users: int, seed: int, *, days: int = 14, even: bool = False
) -> pl.DataFrame:
    """Decisions of `by`; a column `expected` has the reward to expect of each eligible arm.

    Users decide a geometric number of times, their base rates are beta distributed with a deviation of about
    .64 of the mean (`even`: none); days since an arm was shown are drawn, so that all states are of one
    population.
    """
    rng = np.random.default_rng(seed)
    arms = len(world.arms)
    counts = rng.geometric(0.2, users)
    base_of = rng.beta(2.0, 2.0 * (1 / world.base - 1), users)
    if even:
        base_of = np.full(users, world.base)
    group_of, heavy = rng.integers(0, len(world.groups), users), rng.random(users) < 0.3
    user = np.repeat(np.arange(users), counts)
    rows = len(user)
    since = np.where(rng.random((rows, arms)) < 0.4, np.nan, rng.exponential(6, (rows, arms)))
    expected = world.rewards(base_of[user], group_of[user], since)
    at = START + rng.integers(0, days * MINUTES * 60_000_000, rows).astype("timedelta64[us]")
    parts = []
    for mask, width in ((heavy[user], arms), (~heavy[user], arms - world.rare)):
        parts.append(
            pl.DataFrame(
                {
                    "user_id": user[mask],
                    "decided_at": at[mask],
                    "group": np.array(world.groups)[group_of[user[mask]]],
                    "eligible": pl.Series([world.arms[:width]]).new_from_index(0, int(mask.sum())),
                    "days_since": _lists(since[mask][:, :width]),
                    "expected": _lists(expected[mask][:, :width]),
                }
            )
        )
    log = pl.concat(parts).with_columns(
        pl.col("days_since").list.eval(pl.element().fill_nan(None)), chosen=pl.col("eligible").list.first()
    )
    return _chosen(log, by, rng)


def _lists(matrix: Floats) -> pl.Series:
    return pl.Series(matrix).cast(pl.List(pl.Float64))


def _chosen(log: pl.DataFrame, by: Policy, rng: np.random.Generator) -> pl.DataFrame:
    """With arms drawn by a policy, and rewards by their expectations."""
    names = names_of(log)
    target, done = Target(by, names), []
    for block in blocks(log, names):
        probabilities = target.probabilities(block)
        below = rng.random((len(probabilities), 1)) * probabilities.sum(axis=1, keepdims=True)
        place = np.minimum((np.cumsum(probabilities, axis=1) <= below).sum(axis=1), block.arms.shape[1] - 1)
        at = np.arange(len(place)), place
        rate = block.rows.get_column("expected").explode().to_numpy().reshape(probabilities.shape)[at]
        done.append(
            block.rows.with_columns(
                chosen=pl.Series(np.array(names.arms)[block.arms[at]]),
                probability=pl.Series(probabilities[at]),
                probabilities=_lists(probabilities),
                reward=pl.Series((rng.random(len(rate)) < rate).astype(np.float64)),
                stream=pl.lit("policy"),
                slot=pl.lit("prompt"),
            )
        )
    return pl.concat(done).sort("user_id", "decided_at")


def true_value(log: pl.DataFrame, policy: Policy) -> float:
    """Of a policy at the log's states, exactly: the mean of its rewards to be expected."""
    names = names_of(log)
    target, total = Target(policy, names), 0.0
    for block in blocks(log, names):
        expected = block.rows.get_column("expected").explode().to_numpy().reshape(block.arms.shape)
        total += float((target.probabilities(block) * expected).sum())
    return total / log.height
