"""A front page of sixty artists whose plays have seasons, and what an all-knowing policy would gain."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import date, timedelta

import numpy as np
import numpy.typing as npt
import pandas as pd
from dateutil.easter import easter

Array = npt.NDArray[np.float64]
# probabilities of the arms on a day, from the sums of the days before
Policy = Callable[[pd.DataFrame, list[str], date], Array]

CHRISTMAS, EASTER, WEEKENDS, SUMMER = range(4)  # the genres that rise


@dataclass(frozen=True)
class World:
    """What is so, and nobody knows. Rates are plays per showing, days × arms."""

    days: list[date]
    genre: npt.NDArray[np.int64]
    rates: Array
    there: npt.NDArray[np.bool_]  # which arms can be shown

    @property
    def arms(self) -> list[str]:
        """Names of the arms."""
        return [f"artist-{number:03d}" for number in range(len(self.genre))]

    @property
    def genre_of(self) -> dict[str, str]:
        """The genre of each arm."""
        return {arm: f"genre-{genre}" for arm, genre in zip(self.arms, self.genre, strict=True)}


@dataclass(frozen=True)
class Shape:
    """How a world is made; the defaults are those of the published bounds."""

    arms: int = 60
    genres: int = 8
    days: int = 900
    start: date = date(2023, 1, 1)
    base: float = 0.05
    spread: float = 0.25  # sd of the arms' log rates
    drift: float = 0.01
    christmas: float = 2.0
    easter: float = 1.8
    weekends: float = 1.3
    summer: float = 1.4
    launches: int = 10
    launch: float = 0.5  # log lift of a new artist, which halves every ten days
    ramp: bool = False  # whether Christmas comes slowly


def world_of(seed: int, shape: Shape = Shape()) -> World:
    """A world; launches come on days drawn evenly."""
    rng = np.random.default_rng([seed, 26])
    days = [shape.start + timedelta(day) for day in range(shape.days)]
    genre = np.arange(shape.arms) % shape.genres
    steps = rng.normal(0, shape.drift, (shape.days, shape.arms))
    steps[0] = rng.normal(0, shape.spread, shape.arms)
    level = np.log(shape.base) + np.cumsum(steps, axis=0)
    there = np.ones((shape.days, shape.arms), dtype=bool)
    for arm in rng.choice(shape.arms, shape.launches, replace=False):
        born = int(rng.integers(30, shape.days - 30))
        there[:born, arm] = False
        level[born:, arm] += shape.launch * 0.5 ** (np.arange(shape.days - born) / 10)
    rates = np.exp(level + season(days, shape)[:, genre])
    return World(days, genre, np.minimum(rates, 0.9), there)


def season(days: list[date], shape: Shape) -> Array:
    """Log factors, days × genres."""
    logs = np.zeros((len(days), shape.genres))
    for row, day in enumerate(days):
        if day.month == 12 and day.day <= 26:
            logs[row, CHRISTMAS] = np.log(shape.christmas) * (min(day.day / 14, 1) if shape.ramp else 1)
        if 0 <= (easter(day.year) - day).days <= 10:
            logs[row, EASTER] = np.log(shape.easter)
        if day.weekday() >= 5:
            logs[row, WEEKENDS] = np.log(shape.weekends)
        if day.month in (6, 7, 8):
            logs[row, SUMMER] = np.log(shape.summer)
    return logs


@dataclass
class Sums:
    """The log of a policy's days, summed as the table `bandit_days` has it."""

    least: float  # probability of a round that is summed
    parts: list[pd.DataFrame] = field(default_factory=list)

    def add(self, day: date, arms: list[str], p: Array, shown: Array, played: Array) -> None:
        """The rounds of a day."""
        seen = (shown > 0) & (p >= self.least)
        if seen.any():
            self.parts.append(
                pd.DataFrame(
                    {
                        "slot": "spotlight", "day": day, "arm": np.array(arms)[seen], "group": "", "seen": -1,
                        "rounds": int(shown.sum()), "chosen_weight": (shown / np.maximum(p, 1e-12))[seen],
                        "chosen_reward": (played / np.maximum(p, 1e-12))[seen],
                        "chosen_square": (shown / np.maximum(p, 1e-12) ** 2)[seen],
                        "other_weight": 0.0, "other_reward": 0.0, "other_square": 0.0,
                    }
                )
            )  # fmt: skip

    def so_far(self) -> pd.DataFrame:
        """All of them."""
        if len(self.parts) > 1:
            self.parts = [pd.concat(self.parts, ignore_index=True)]
        columns = ["day", "arm", "group", "chosen_weight", "chosen_reward", "chosen_square"]
        return self.parts[0] if self.parts else pd.DataFrame({name: [] for name in columns})


def play(world: World, policy: Policy, seed: int, decisions: int = 20_000, least: float = 0.0) -> Array:
    """The value of a policy, of the best arm and of a uniform choice, day by day (days × 3)."""
    rng = np.random.default_rng([seed, 27])
    sums, values = Sums(least), []
    for row, day in enumerate(world.days):
        here = np.flatnonzero(world.there[row])
        names = [world.arms[arm] for arm in here]
        p = policy(sums.so_far(), names, day)
        p = p / p.sum()
        rates = world.rates[row, here]
        values.append((p @ rates, rates.max(), rates.mean()))
        shown = rng.multinomial(decisions, p).astype(float)
        played = rng.binomial(shown.astype(int), rates).astype(float)
        sums.add(day, names, p, shown, played)
    return np.array(values)


def periods(days: list[date]) -> dict[str, npt.NDArray[np.bool_]]:
    """The days that a bound is about."""
    last_year = max(day.year for day in days if day.month == 12 and day.day == 26)
    feasts = [easter(year) for year in sorted({day.year for day in days})]
    reached = [feast for feast in feasts if days[0] + timedelta(20) < feast <= days[-1]]
    second = reached[1]
    in_christmas = np.array([day.year == last_year and day.month == 12 and day.day <= 26 for day in days])
    in_easter = np.array([0 <= (second - day).days <= 10 for day in days])
    return {
        "after day 60": np.arange(len(days)) >= 60,
        "Christmas": in_christmas,
        "Easter": in_easter,
        "Christmas, 4 days": in_christmas & (np.cumsum(in_christmas) <= 4),
        "Easter, 4 days": in_easter & (np.cumsum(in_easter) <= 4),
    }


def shares(values: Array, days: list[date]) -> dict[str, float]:
    """Share of the all-knowing policy's gain over the uniform one."""
    gain, best = values[:, 0] - values[:, 2], values[:, 1] - values[:, 2]
    return {name: float(gain[at].sum() / best[at].sum()) for name, at in periods(days).items()}


class Thompson:
    """Thompson sampling with a Beta posterior that forgets; the yardstick."""

    def __init__(self, half_life: float, arms: int, seed: int = 0, draws: int = 4000) -> None:
        self._fade = 0.5 ** (1 / half_life)
        self._rng, self._draws = np.random.default_rng(seed), draws
        self._hits, self._misses = np.zeros(arms), np.zeros(arms)
        self._rows = 0
        self._names = [f"artist-{number:03d}" for number in range(arms)]

    def __call__(self, sums: pd.DataFrame, arms: list[str], day: date) -> Array:
        """Its probabilities."""
        self._hits *= self._fade
        self._misses *= self._fade
        new = sums.iloc[self._rows :]
        self._rows = len(sums)
        index = {name: number for number, name in enumerate(self._names)}
        at = np.array([index[arm] for arm in new["arm"]], dtype=int)
        if len(at):
            weight, square = new["chosen_weight"].to_numpy(), new["chosen_square"].to_numpy()
            shown = weight**2 / square
            hits = new["chosen_reward"].to_numpy() / weight * shown
            self._hits[at] += hits
            self._misses[at] += shown - hits
        here = np.array([index[arm] for arm in arms])
        draws = self._rng.beta(1 + self._hits[here], 10 + self._misses[here], (self._draws, len(here)))
        return np.bincount(draws.argmax(axis=1), minlength=len(here)) / self._draws
