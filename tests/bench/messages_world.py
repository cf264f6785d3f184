"""A made world of messages: it is known which of twelve works with whom, and so what a policy is worth.

Rewards are 1 with the probability base × (1 + effect of arm and group - .017 × 0.5^(days since shown / 15)).
Bases are very uneven, heavy users' far above others'. Seven arms are for everybody, two for heavy users, one
for Mondays, two for some of five groups. Each user has one decision a day.
"""

from __future__ import annotations

from collections.abc import Callable
from datetime import date, timedelta

import numpy as np
import numpy.typing as npt
import polars as pl

from pozytywka_spark.bandits.seen import EDGES
from pozytywka_spark.bandits.softmax.cells import BUCKETS, SUMS

Floats = npt.NDArray[np.float64]
ARMS, GROUPS = 12, 5
NAMES = [f"arm{arm:02}" for arm in range(ARMS)]
GROUP_NAMES = [f"g{group}" for group in range(GROUPS)]
FIRST = date(2023, 5, 1)
GAMMA, HALF_LIFE = 0.017, 15.0
LEAST = 0.005  # probability of a round that is summed
HEAVY = (7, 8)
MONDAYS = 9
OF_GROUPS = {10: (0, 2), 11: (1, 3)}


class World:
    """Users, and what works with them."""

    def __init__(self, seed: int, users: int) -> None:
        random = np.random.default_rng(seed)
        self.users = users
        self.group = random.integers(GROUPS, size=users)
        self.heavy = random.random(users) < 0.25
        level = np.where(self.heavy, 0.3, 0.0733)
        unevenness = np.where(self.heavy, 1.0, 0.3)
        self.base = np.minimum(random.beta(unevenness, unevenness * (1 - level) / level), 0.95)
        self.effects = random.normal(0, 0.02, ARMS)[:, None] + random.normal(0, 0.02, (ARMS, GROUPS))
        self._always = np.ones((users, ARMS), bool)
        self._always[:, HEAVY] = self.heavy[:, None]
        for arm, groups in OF_GROUPS.items():
            self._always[:, arm] = np.isin(self.group, groups)

    def eligible(self, day: int) -> npt.NDArray[np.bool_]:
        """User × arm."""
        eligible = self._always.copy()
        eligible[:, MONDAYS] = day % 7 == 0
        return eligible

    def rewards(self, since: Floats) -> Floats:
        """Expected, user × arm; `since`: days since shown, infinite: never."""
        lost = GAMMA * np.exp2(-since / HALF_LIFE)
        rewards: Floats = self.base[:, None] * (1 + self.effects.T[self.group] - lost)
        return rewards


Chances = Callable[
    [int, Floats, npt.NDArray[np.bool_]], Floats
]  # of day, days since, eligible: by user and arm


class Run:
    """A policy's own life in a world: whom it showed what when changes what comes next."""

    def __init__(self, world: World, seed: int) -> None:
        self.world, self.random = world, np.random.default_rng(seed)
        self.shown = np.full((world.users, ARMS), -np.inf)
        self.sums: list[pl.DataFrame] = []

    def copy(self, seed: int) -> Run:
        """The same so far; another's dice from now on."""
        other = Run(self.world, seed)
        other.shown, other.sums = self.shown.copy(), list(self.sums)
        return other

    def serve(self, day: int, chances: Chances, explore: float, *, log: bool = True) -> tuple[float, float]:
        """A day. The expected rewards of the policy without its uniform share, and the share of what the
        all-knowing one gains over uniform at this policy's states."""
        world, eligible = self.world, self.world.eligible(day)
        since = day - self.shown
        expected = world.rewards(since)
        of_policy = chances(day, since, eligible)
        uniform = eligible / eligible.sum(1, keepdims=True)
        value, of_uniform = (of_policy * expected).sum(), (uniform * expected).sum()
        best = np.where(eligible, expected, 0).max(1).sum()
        mixture = (1 - explore) * of_policy + explore * uniform
        so_far = mixture.cumsum(1)
        chosen = (so_far > self.random.random((world.users, 1)) * so_far[:, -1:]).argmax(1)
        rows = np.arange(world.users)
        reward = self.random.random(world.users) < expected[rows, chosen]
        if log:
            self.sums.append(day_sums(world, day, since, eligible, mixture, chosen, reward))
        self.shown[rows, chosen] = day
        return float(value), float((value - of_uniform) / (best - of_uniform))


def day_sums(
    world: World,
    day: int,
    since: Floats,
    eligible: npt.NDArray[np.bool_],
    mixture: Floats,
    chosen: npt.NDArray[np.int64],
    reward: npt.NDArray[np.bool_],
) -> pl.DataFrame:
    """`bandit_days` of a day."""
    seen = np.where(np.isinf(since), 0, np.searchsorted(EDGES, since, side="right"))
    cell = (np.arange(ARMS)[None] * GROUPS + world.group[:, None]) * len(BUCKETS) + seen
    was_chosen = np.arange(ARMS)[None] == chosen[:, None]
    summed = eligible & (mixture >= LEAST) & (1 - mixture >= LEAST)
    rewards = np.broadcast_to(reward[:, None], eligible.shape)
    size = ARMS * GROUPS * len(BUCKETS)
    sums = [np.bincount(cell[summed], minlength=size).astype(float)]
    for rounds, chance in ((summed & was_chosen, mixture), (summed & ~was_chosen, 1 - mixture)):
        weight = 1 / chance[rounds]
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
