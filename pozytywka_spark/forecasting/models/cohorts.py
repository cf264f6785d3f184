"""A day's value as so many users times what one of them brings: growth and a year's wave are of one user.

A business whose first year is mostly its own users' coming and going has a wave that isn't of the year. Who
joined is known; how many of them are still there a number of months later is drawn from the series itself.
"""

from __future__ import annotations

import itertools
from collections.abc import Mapping, Sequence
from typing import NamedTuple

import numpy as np
from scipy.linalg import cho_factor, cho_solve, toeplitz

from pozytywka_spark.forecasting.models.harmonic import LEAST_OF_A_YEAR, LONG
from pozytywka_spark.forecasting.past import Joined, Past, Values

# What is held possible of those who joined in a month, all alike likely: how active they are in that very
# month, to one who stays; the share of the others that is there a month later still; the share that stays
FIRST_MONTH = (0.7, 1.0, 1.2, 1.4)
STAYING = (0.0, 0.15, 0.3, 0.45, 0.6, 0.75, 0.9)
FOR_GOOD = (0.05, 0.1, 0.15, 0.2, 0.25, 0.3, 0.4, 0.6, 1.0)
# months whose mean is who will join
LATEST = 3
# Standard deviations of what is believed of a user's mean day, in logs, before the series is seen: its level,
# the week's profile, growth a year, a wave of the year (its second a third as high)
LEVEL, WEEK, GROWTH, WAVE, SECOND = 2.0, 0.5, 0.4, 0.2, 0.07
# What comes to the same a month, however long it is, has fewer a day in a long one: not at all, half, wholly
LENGTHS = (0.0, 0.5, 1.0)
MEAN_LENGTH = 30.44
# a level that strays, by how much, and how long it takes to come back
STRAYS, DAYS_ASTRAY = (0.015, 0.06, 0.2), 365.0
AROUND = 21  # days whose mean a day is likely to have
FARTHEST = 4.0  # in standard deviations, that a day may be from it and be believed


Told = tuple[Values, Values]


class _Seen(NamedTuple):
    """Days in logs, around their level; how noisy each is; what they would be but for noise, roughly."""

    values: Values
    variances: Values
    level: float


def cohort_means(pasts: Mapping[str, Sequence[Past]]) -> dict[str, Values]:
    """Means a series, a row an origin, NaN where a past doesn't suit: log-linear regression on level, week,
    growth and wave, beside the logs of users.

    A mean over all that is held possible of users' staying, of months' lengths and of the level's straying,
    weighted by how likely each makes the series and the largest of all of them: how users stay is seen best
    where there are most, and is much the same everywhere.
    """
    means = {name: np.full((len(of), of[0].horizon), np.nan) for name, of in pasts.items()}
    for row in range(len(next(iter(pasts.values())))):
        fit = sorted(
            (name for name, of in pasts.items() if suits(of[row])),
            key=lambda name: -float(pasts[name][row].values.sum()),
        )
        everywhere: Values | float = 0.0
        for name in fit:  # the largest first
            likely, logs = _told(pasts[name][row])
            likely = likely + everywhere
            if name == fit[0]:
                everywhere = np.logaddexp.reduce(likely, axis=0)
            weights = np.exp(likely - likely.max())
            means[name][row] = np.einsum("shp,sp->h", np.exp(logs), weights / weights.sum())
    return means


def suits(past: Past) -> bool:
    """Known users, days, half a year of them, none negative and three weeks never empty."""
    if past.joined is None or len(past.seasons) < 2 or past.season == 1:
        return False
    if past.seasons[1] < LONG * past.season or len(past.values) < LEAST_OF_A_YEAR * past.seasons[1]:
        return False
    first = int(_months(past)[0]) - past.joined.first
    there = first >= 0 and past.joined.counts[: first + 1].sum() > 0
    return bool(there and past.values.min() >= 0 and _around(past.values).min() > 0)


def _told(past: Past) -> Told:
    """By straying and possibility: how likely it makes the past and the mean of each day ahead, in logs."""
    assert past.joined is not None
    number, months = len(past.values), _months(past)
    seen = _seen(past)
    # users are the same all month: what follows is worked out a month, not a day
    first, month = np.unique(months, return_index=True)[1], months - months[0]
    of_month = np.eye(len(first))[month[:number]]
    users = log_users(past.joined, int(months[-1]))[months[first] - past.joined.first]
    lengths = _log_lengths(past)[first]
    by_month = np.concatenate([users - share * lengths[:, None] for share in LENGTHS], axis=1)
    by_month -= (of_month.sum(axis=0) @ by_month) / number
    design, spreads = _design(past)
    known = (design * spreads**2) @ design[:number].T
    fading = _fading(number, past.horizon)
    likely, logs = [], []
    for stray in STRAYS:
        together = known + stray**2 * fading
        factor = cho_factor(together[:number] + np.diag(seen.variances), lower=True, check_finite=False)
        solved = cho_solve(factor, np.column_stack([seen.values, of_month]), check_finite=False)
        own, others = solved[:, 0], solved[:, 1:]
        inner = of_month.T @ others
        errors = seen.values @ own - 2 * (own @ of_month) @ by_month + (by_month * (inner @ by_month)).sum(0)
        likely.append(-errors / 2 - np.log(np.diag(factor[0])).sum())
        ahead = together[number:]
        logs.append((ahead @ own)[:, None] - (ahead @ others) @ by_month + by_month[month[number:]])
    return np.array(likely), np.array(logs) + seen.level


def log_users(joined: Joined, last: int) -> Values:
    """A row a month from the first of `joined` to `last`, a column a possibility: logs of users, but for a
    factor."""
    months = last + 1 - joined.first
    counts = joined.counts[:months]
    coming = counts[-LATEST:].mean() if len(counts) else 1.0
    counts = np.concatenate([counts, np.full(months - len(counts), coming)])
    age = np.arange(months)[:, None] - np.arange(months)
    # of those who came before, by what share of the others is there a month later still
    others = np.array([np.where(age > 0, stays ** np.maximum(age, 0), 0.0) @ counts for stays in STAYING])
    before = np.cumsum(counts) - counts
    users = [
        first * counts + for_good * before + (1 - for_good) * others[at]
        for first, at, for_good in itertools.product(FIRST_MONTH, range(len(STAYING)), FOR_GOOD)
    ]
    return np.asarray(np.log(np.maximum(np.array(users).T, 1e-9)))


def _months(past: Past) -> Values:
    return np.asarray(past.steps.astype("datetime64[D]").astype("datetime64[M]").astype(np.int64))


def _around(values: Values) -> Values:
    """Means of the days around each, fewer at the ends."""
    sums = np.concatenate([[0.0], np.cumsum(values)])
    at = np.arange(len(values))
    low, high = np.maximum(at - AROUND // 2, 0), np.minimum(at + AROUND // 2 + 1, len(values))
    return np.asarray((sums[high] - sums[low]) / (high - low))


def _seen(past: Past) -> _Seen:
    """Days to first order around what they are likely to be, so that a day without anything has its place.

    Their variance is in proportion to their mean, as counts' is; a day far off says no more than one less so.
    """
    values, season = past.values, past.season
    place = np.arange(len(values)) % season
    level = _around(values)
    ratio = values / level
    profile = np.array([ratio[place == each].mean() for each in range(season)])
    likely = level * np.maximum(profile, 0.01)[place]
    off = (values / likely - 1) * np.sqrt(likely)
    usual = max(float(np.median(np.abs(off))) * 1.4826, 1e-9)
    off = np.clip(off, -FARTHEST * usual, FARTHEST * usual)
    variance = float(np.mean(off**2)) * AROUND / (AROUND - 1)
    logs = np.log(likely)
    return _Seen(logs + off / np.sqrt(likely) - logs.mean(), variance / likely + 1e-9, float(logs.mean()))


def _log_lengths(past: Past) -> Values:
    """Of each step's month, over the mean one's."""
    months = past.steps.astype("datetime64[D]").astype("datetime64[M]")
    days = (months + 1).astype("datetime64[D]") - months.astype("datetime64[D]")
    return np.asarray(np.log(days.astype(np.float64) / MEAN_LENGTH))


def _design(past: Past) -> tuple[Values, Values]:
    """Columns of the regression, and what is believed of their spreads."""
    time = (past.steps - past.steps[len(past.values)]) / past.seasons[1]
    turn = 2 * np.pi * time
    week = (past.steps[:, None] % past.season == np.arange(past.season)).astype(np.float64)
    waves = [np.sin(turn), np.cos(turn), np.sin(2 * turn), np.cos(2 * turn)]
    design = np.column_stack([np.ones(len(time)), week, time, *waves])
    return design, np.array([LEVEL, *[WEEK] * past.season, GROWTH, WAVE, WAVE, SECOND, SECOND])


def _fading(number: int, horizon: int) -> Values:
    """How alike a level's straying is on two days, of all days and those seen."""
    fades = np.exp(-np.arange(number + horizon) / DAYS_ASTRAY)
    return np.asarray(toeplitz(fades, fades[:number]))
