"""What each arm may bring on a day: the log rates of all arms, jointly."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date

import numpy as np
import numpy.typing as npt

from pozytywka_spark.bandits.seasonal.almanac import Columns, columns_around
from pozytywka_spark.bandits.seasonal.effects import Effects, effects_of, told_by
from pozytywka_spark.bandits.seasonal.level import START, Read, start_level, walk
from pozytywka_spark.bandits.seasonal.series import Series

Array = npt.NDArray[np.float64]

STEP, WEEKDAY = 0.02, 0.05  # usual sizes of a day's step and of a weekday's effect (log units)
DRIFTS = np.array([0.003, 0.006, 0.012, 0.024, 0.048]) ** 2  # candidates, a day
_GENRE_SPREAD = 0.5  # sd of genres around the slot
_SPREADS = np.array([0.02, 0.05, 0.1, 0.2, 0.3, 0.45, 0.7, 1.0]) ** 2  # candidates: arms around their genre


@dataclass(frozen=True)
class Outlook:
    """Log rates: a genre's arms are drawn together, for they lean on the same effects."""

    mean: Array  # arms
    arms: list[npt.NDArray[np.int64]]  # a genre each: its arms
    covariance: list[Array]  # a genre each: arms × arms

    def draws(self, rng: np.random.Generator, count: int) -> Array:
        """Joint draws × arms."""
        result = np.tile(self.mean, (count, 1))
        for at, covariance in zip(self.arms, self.covariance, strict=True):
            result[:, at] += rng.standard_normal((count, len(at))) @ np.linalg.cholesky(covariance).T
        return result


def outlook(series: Series, genres: Sequence[str], today: date, drift: float | None) -> Outlook:
    """The arms (one genre each) on `today`, after the days of `series`; drift: variance a day or estimated."""
    names = sorted(set(genres))
    columns = columns_around(series.days, today, STEP, WEEKDAY)
    rounds, reward = series.rounds.sum(axis=1), series.reward.sum(axis=1)
    arms = [np.flatnonzero([genre == name for genre in genres]) for name in names]
    if not series.days:
        return _unknown(columns, arms)
    start = start_level(rounds, reward)
    read, drift = _read(rounds, reward, start, drift)
    mean, variance = np.zeros(len(genres)), np.zeros(len(genres))
    carried = np.zeros((len(genres), len(columns.scale)))
    effects: list[Effects] = []
    for at in arms:
        told = told_by(Read(read.log_rate[:, at], read.precision[:, at]), columns.past, drift, start)
        known = effects_of(told, columns)
        effects.append(known)
        mean[at] = told.own - told.carried @ known.mean
        variance[at] = told.variance + drift * (today - series.days[-1]).days
        carried[at] = told.carried
    mean, variance, carried = _shrunk(mean, variance, carried, arms)
    covariances = []
    for at, known in zip(arms, effects, strict=True):
        mean[at] += columns.today @ known.mean
        leaning = columns.today - carried[at]  # by how much an arm follows its genre's effects
        covariances.append(leaning @ known.covariance @ leaning.T + np.diag(variance[at]))
    return Outlook(mean, arms, covariances)


def _read(rounds: Array, reward: Array, start: float, drift: float | None) -> tuple[Read, float]:
    candidates = DRIFTS if drift is None else np.array([drift])
    arms = rounds.shape[1]
    grid = np.broadcast_to(candidates[:, None], (len(candidates), arms))
    walked = walk(rounds, reward, np.zeros((len(rounds), 1)), grid, np.full(arms, start))
    best = int(walked.surprise.sum(axis=1).argmin())
    read = Read(walked.read.log_rate[:, best], walked.read.precision[:, best])
    return read, float(candidates[best])


def _shrunk(
    mean: Array, variance: Array, carried: Array, arms: list[npt.NDArray[np.int64]]
) -> tuple[Array, Array, Array]:
    """Levels drawn to their genre's, and genres to the slot's; by how much, the levels say themselves."""
    overall = float(np.average(mean, weights=1 / (variance + 0.1)))

    def genre_mean(at: npt.NDArray[np.int64], spread: float) -> tuple[float, Array]:
        weight = 1 / (variance[at] + spread)
        prior = 1 / _GENRE_SPREAD**2
        return (weight @ mean[at] + prior * overall) / (weight.sum() + prior), weight / (weight.sum() + prior)

    def misfit(spread: float) -> float:
        total = 0.0
        for at in arms:
            centre, _ = genre_mean(at, spread)
            around = variance[at] + spread
            total += float((np.log(around) + (mean[at] - centre) ** 2 / around).sum())
        return total

    spread = float(_SPREADS[int(np.argmin([misfit(each) for each in _SPREADS]))])
    new_mean, new_variance, new_carried = mean.copy(), variance.copy(), carried.copy()
    for at in arms:
        centre, weight = genre_mean(at, spread)
        about_centre = 1 / (1 / (variance[at] + spread)).sum()
        prior = spread + min(about_centre, _GENRE_SPREAD**2)
        to_genre = variance[at] / (variance[at] + prior)
        new_mean[at] = mean[at] + to_genre * (centre - mean[at])
        new_variance[at] = variance[at] * (1 - to_genre)
        new_carried[at] = (1 - to_genre)[:, None] * carried[at] + to_genre[:, None] * (weight @ carried[at])
    return new_mean, new_variance, new_carried


def _unknown(columns: Columns, arms: list[npt.NDArray[np.int64]]) -> Outlook:
    count = sum(len(at) for at in arms)
    return Outlook(np.zeros(count), arms, [np.diag(np.full(len(at), START)) for at in arms])
