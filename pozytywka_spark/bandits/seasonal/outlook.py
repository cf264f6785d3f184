"""What each arm may bring on a day: the log rates of all arms, jointly."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date

import numpy as np
import numpy.typing as npt

from pozytywka_spark.bandits.seasonal.almanac import columns_around
from pozytywka_spark.bandits.seasonal.effects import effects_of, smooth_levels, told_by
from pozytywka_spark.bandits.seasonal.level import START, Read, start_level, walk
from pozytywka_spark.bandits.seasonal.series import Series, evened
from pozytywka_spark.bandits.seasonal.shrink import drawn_to_genres, drawn_to_zero

Array = npt.NDArray[np.float64]
Arms = npt.NDArray[np.int64]

STEP, WEEKDAY = 0.02, 0.05  # usual sizes of a day's step and of a weekday's effect (log units)
DRIFTS = (0.003, 0.006, 0.012, 0.024, 0.048)  # candidates for what a day changes (sd, log units)
_OWN_DRIFT = 0.003  # of what tells a group from the others


@dataclass(frozen=True)
class Case:
    """One of what may be so of a genre: log rates of its arms, drawn together: they lean on one season."""

    share: float
    mean: Array  # arms
    covariance: Array  # arms × arms


@dataclass(frozen=True)
class Outlook:
    """Log rates of arms, genre by genre."""

    arms: list[Arms]  # a genre each: its arms
    cases: list[list[Case]]  # a genre each; their shares add up to 1

    def draws(self, rng: np.random.Generator, count: int) -> Array:
        """Joint draws × arms."""
        result = np.zeros((count, sum(len(at) for at in self.arms)))
        for at, cases in zip(self.arms, self.cases, strict=True):
            shares = [case.share for case in cases]
            of_draw = rng.choice(len(cases), count, p=shares) if len(cases) > 1 else np.zeros(count, int)
            for number, case in enumerate(cases):
                rows = np.flatnonzero(of_draw == number)
                noise = rng.standard_normal((len(rows), len(at))) @ np.linalg.cholesky(case.covariance).T
                result[np.ix_(rows, at)] = case.mean + noise
        return result

    def shifted(self, by: Array, variance: Array) -> Outlook:
        """With a shift of each arm, which isn't known exactly."""
        cases = [
            [
                Case(case.share, case.mean + by[at], case.covariance + np.diag(variance[at]))
                for case in of_genre
            ]
            for at, of_genre in zip(self.arms, self.cases, strict=True)
        ]
        return Outlook(self.arms, cases)


def outlooks(
    series: Series, genres: Sequence[str], today: date, drift: float | None = None
) -> tuple[Outlook, dict[str, Outlook]]:
    """The arms on `today`, after the days of `series`: of all groups together, and of each.

    `genres`: one of each arm; `drift`: sd of a day's change of an arm's log rate, none: estimated.
    """
    arms = [np.flatnonzero(np.array(genres) == name) for name in sorted(set(genres))]
    if not series.days:
        nothing = Outlook(arms, [[Case(1.0, np.zeros(len(at)), START * np.eye(len(at)))] for at in arms])
        return nothing, dict.fromkeys(series.groups, nothing)
    read, variance_a_day, start = day_by_day(series, drift)
    columns = columns_around(series.days, today, STEP, WEEKDAY)
    ahead = (today - series.days[-1]).days
    mean, variance = np.zeros(len(genres)), np.zeros(len(genres))
    carried, explained = np.zeros((len(genres), len(columns.scale))), np.zeros_like(read.precision)
    effects = []
    for at in arms:
        told = told_by(Read(read.log_rate[:, at], read.precision[:, at]), columns.past, variance_a_day, start)
        effects.append(effects_of(told, columns))
        likeliest = effects[-1][0].mean
        mean[at] = told.own - told.carried @ likeliest
        variance[at] = told.variance + variance_a_day * ahead
        carried[at] = told.carried
        explained[:, at] = (columns.past @ likeliest)[:, None]
    mean, variance, carried = drawn_to_genres(mean, variance, carried, arms)
    cases = []
    for at, known in zip(arms, effects, strict=True):
        leaning = columns.today - carried[at]  # by how much an arm follows what is yet open of the effects
        own = mean[at] + columns.today @ known[0].mean
        cases.append(
            [
                Case(
                    each.share,
                    own + leaning @ (each.mean - known[0].mean),
                    leaning @ each.covariance @ leaning.T + np.diag(variance[at]),
                )
                for each in known
            ]
        )
    together = Outlook(arms, cases)
    if len(series.groups) == 1:
        return together, {series.groups[0]: together}
    fitted = explained + smooth_levels(read, explained, variance_a_day, start)
    return together, _by_group(series, together, fitted)


def day_by_day(series: Series, drift: float | None = None) -> tuple[Read, float, float]:
    """What the days say, the variance of a day's change of an arm's level, and where levels start."""
    rounds, reward = evened(series)
    start = start_level(rounds, reward)
    candidates = np.square(DRIFTS if drift is None else (drift,))
    arms = rounds.shape[1]
    by_arm = np.broadcast_to(candidates[:, None], (len(candidates), arms))
    walked = walk(rounds, reward, np.zeros((len(rounds), 1)), by_arm, np.full(arms, start))
    best = int(walked.surprise.sum(axis=1).argmin())
    read = Read(walked.read.log_rate[:, best], walked.read.precision[:, best])
    return read, float(candidates[best]), start


def _by_group(series: Series, together: Outlook, fitted: Array) -> dict[str, Outlook]:
    """What tells each group from all: itself a walk, drawn to what the group has in common."""
    days, groups, arms = series.rounds.shape
    flat = groups * arms
    own = walk(
        series.rounds.reshape(days, flat),
        series.reward.reshape(days, flat),
        np.tile(fitted, (1, groups)),
        np.full(flat, _OWN_DRIFT**2),
        np.zeros(flat),
    )
    shift, variance = drawn_to_zero(own.level.reshape(groups, arms), own.variance.reshape(groups, arms))
    return {
        name: together.shifted(shift[number], variance[number]) for number, name in enumerate(series.groups)
    }
