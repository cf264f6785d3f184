"""A made world of messages: it is known which of twelve works with whom, and so what a policy is worth.

Rewards are 1 with the probability base × (1 + effect of arm and group - .017 × 0.5^(days since shown / 15)).
Bases are log-normal around .13 and rise with how heavy a user is, so that messages for heavy users look good
whether they are or not: there are three, for ever fewer of them. One is for Mondays, two for two of the five
groups each, six for everybody. Groups are of uneven sizes, as languages are. A user has a decision a day.

Everything is by arm × user; days since an arm was shown are whole, and `NEVER` for never.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import date, timedelta
from typing import TypeVar

import numpy as np
import numpy.typing as npt
import polars as pl

from pozytywka_spark.bandits.seen import EDGES
from pozytywka_spark.bandits.softmax.cells import BUCKETS, SUMS

T = TypeVar("T", np.float32, np.float64)
Array = npt.NDArray[np.float32]
Floats = npt.NDArray[np.float64]
Wholes = npt.NDArray[np.int64]
Flags = npt.NDArray[np.bool_]
ARMS, GROUPS = 12, 5
NAMES = [f"arm{arm:02}" for arm in range(ARMS)]
GROUP_NAMES = [f"g{group}" for group in range(GROUPS)]
SIZES = np.array([38, 27, 22, 18, 15]) / 120
FIRST = date(2023, 5, 1)
BASE = 0.13
UNEVENNESS, BY_HEAVINESS = 1.0, 0.8  # sd of the base's logarithm, and what heaviness explains of it
EFFECT, GAMMA, HALF_LIFE = 0.02, 0.017, 15.0
LEAST = 0.005  # probability of a round that is summed
NEVER = 40  # more days than there are
HEAVIER_THAN = {11: 0.5, 10: 0.7, 9: 0.85}  # by arm: share of users who aren't heavy enough
MONDAYS, OF_GROUPS = 8, (6, 7)
_BUCKET = np.append(np.searchsorted(EDGES, np.arange(NEVER), side="right"), 0)


def faded(half_life: float) -> Floats:
    """What is left of the penalty, by days since shown."""
    left: Floats = np.append(0.5 ** (np.arange(NEVER) / half_life), 0)
    return left


class World:
    """Users, and what works with them."""

    def __init__(self, seed: int, users: int) -> None:
        random = np.random.default_rng(seed)
        self.users = users
        self.group = random.choice(GROUPS, users, p=SIZES)
        heaviness = random.normal(size=users)
        other = random.normal(size=users)
        level = np.exp(UNEVENNESS * (BY_HEAVINESS * heaviness + np.sqrt(1 - BY_HEAVINESS**2) * other))
        scale = BASE
        for _ in range(30):  # a chance is at most .9; the mean stays
            self.base = np.minimum(scale * level, 0.9)
            scale *= BASE / self.base.mean()
        self.effects = random.normal(0, EFFECT, ARMS)[:, None] + random.normal(0, EFFECT, (ARMS, GROUPS))
        self.factors = (1 + self.effects[..., None] - GAMMA * faded(HALF_LIFE)).astype(np.float32)
        self._always = np.ones((ARMS, users), bool)
        rank = heaviness.argsort().argsort() / users
        for arm, share in HEAVIER_THAN.items():
            self._always[arm] = rank >= share
        for arm in OF_GROUPS:
            self._always[arm] = np.isin(self.group, random.permutation(GROUPS)[:2])

    def eligible(self, day: int) -> Flags:
        """Arm × user."""
        eligible = self._always.copy()
        if day % 7:
            eligible[MONDAYS] = False
        return eligible


@dataclass(frozen=True)
class Morning:
    """What a policy chooses by. `at`: arm × user, where in a flat table by arm, group and days to look."""

    world: World
    days: Wholes
    eligible: Flags
    at: Wholes

    def look_up(self, table: npt.NDArray[T]) -> npt.NDArray[T]:
        """Of a table by arm, group and days: arm × user."""
        found: npt.NDArray[T] = np.take(table.ravel(), self.at)
        return found

    def uniform(self) -> Array:
        """Probabilities of eligible arms, all alike."""
        alike: Array = self.eligible / self.eligible.sum(0, dtype=np.float32)
        return alike

    def best(self) -> Array:
        """All on the arm that is best, which nobody can know."""
        factors = np.where(self.eligible, self.look_up(self.world.factors), -1)
        best: Array = (factors.argmax(0) == np.arange(ARMS)[:, None]).astype(np.float32)
        return best


Choose = Callable[[Morning], Array]  # probabilities, arm × user


class Run:
    """A policy's own life in a world: whom it showed what when changes what comes next."""

    def __init__(self, world: World, seed: int) -> None:
        self.world, self.random = world, np.random.default_rng(seed)
        self.shown = np.full((ARMS, world.users), -NEVER)
        self.sums: list[pl.DataFrame] = []

    def copy(self, seed: int) -> Run:
        """The same so far; another's dice from now on."""
        other = Run(self.world, seed)
        other.shown, other.sums = self.shown.copy(), list(self.sums)
        return other

    def serve(self, day: int, choose: Choose, explore: float, *, log: bool = True) -> tuple[float, float]:
        """A day. The expected rewards of the policy without its uniform share, and the share of what the
        all-knowing one gains over uniform at this policy's states."""
        world = self.world
        days = np.minimum(day - self.shown, NEVER)
        rows = (np.arange(ARMS)[:, None] * GROUPS + world.group) * (NEVER + 1)
        morning = Morning(world, days, world.eligible(day), rows + days)
        factors, uniform, of_policy = morning.look_up(world.factors), morning.uniform(), choose(morning)
        value, of_uniform, of_best = (
            float((chances * factors).sum(0) @ world.base) for chances in (of_policy, uniform, morning.best())
        )
        mixture = ((1 - explore) * of_policy + explore * uniform).astype(np.float32)
        so_far = mixture.cumsum(0)
        thrown = self.random.random(world.users, dtype=np.float32) * so_far[-1]
        chosen, users = (so_far > thrown).argmax(0), np.arange(world.users)
        reward = self.random.random(world.users) < world.base * factors[chosen, users]
        if log:
            self.sums.append(_day_sums(morning, day, mixture, chosen, reward))
        self.shown[chosen, users] = day
        return value, (value - of_uniform) / (of_best - of_uniform)


def _day_sums(morning: Morning, day: int, mixture: Array, chosen: Wholes, reward: Flags) -> pl.DataFrame:
    """`bandit_days` of a day."""
    cell = (np.arange(ARMS)[:, None] * GROUPS + morning.world.group) * len(BUCKETS) + _BUCKET[morning.days]
    was_chosen = chosen == np.arange(ARMS)[:, None]
    summed = morning.eligible & (mixture >= LEAST) & (1 - mixture >= LEAST)
    rewards = np.broadcast_to(reward, cell.shape)
    size = ARMS * GROUPS * len(BUCKETS)
    sums = [np.bincount(cell[summed], minlength=size).astype(float)]
    for rounds, chance in ((summed & was_chosen, mixture), (summed & ~was_chosen, 1 - mixture)):
        weight = 1 / chance[rounds].astype(float)
        for of_round in (weight, weight * rewards[rounds], weight**2):
            sums.append(np.bincount(cell[rounds], of_round, size))
    arm, rest = np.divmod(np.arange(size), GROUPS * len(BUCKETS))
    group, bucket = np.divmod(rest, len(BUCKETS))
    frame = pl.DataFrame(
        {
            "slot": pl.repeat("messages", size, eager=True),
            "day": pl.repeat(FIRST + timedelta(day), size, eager=True),
            "arm": pl.Series(NAMES).gather(arm),
            "group": pl.Series(GROUP_NAMES).gather(group),
            "seen": pl.Series(BUCKETS).gather(bucket),
        }
        | dict(zip(SUMS, sums, strict=True))
    )
    return frame.filter(pl.col("rounds") > 0)
