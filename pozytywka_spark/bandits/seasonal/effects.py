"""The calendar's effects on a genre, learnt from all its arms at once, whatever their levels do meanwhile.

Each arm's log rate is a random walk plus the calendar's columns times the genre's effects. Integrated over
the walk, what an arm's days say of the effects is exactly X'V⁻¹X and X'V⁻¹z with V the covariance of walk and
noise; V⁻¹ is had from the walk's tridiagonal precision (Rue and Held, Gaussian Markov Random Fields,
2005, section 2.3). Steps are mostly small and now and then large: a Student t prior, fitted by EM.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
from scipy.linalg import lapack

from pozytywka_spark.bandits.seasonal.almanac import Columns
from pozytywka_spark.bandits.seasonal.level import START, Read

Array = npt.NDArray[np.float64]

_FREEDOM = 2.0  # degrees of the t prior
_ROUNDS = 8
_WIDE = 5.0
_LARGE = 0.1  # a step (log units) whose day matters
_UNLIKELY = 0.005


@dataclass(frozen=True)
class Told:
    """What the days say of the effects of one genre, and its arms' levels given the effects.

    level = own - carried @ effects, on the log scale, after the last day.
    """

    information: Array  # columns × columns
    moment: Array  # columns
    own: Array  # arms
    carried: Array  # arms × columns
    variance: Array  # arms
    square: float  # what the days scatter as a whole, weighed as they are
    count: int  # days of arms


@dataclass(frozen=True)
class Effects:
    """Mean and covariance of the effects, a column each, and how likely they are beside others."""

    mean: Array
    covariance: Array
    share: float = 1.0


def told_by(read: Read, columns: Array, drift: float, start: float) -> Told:
    """The arms of one genre (days × arms) and the calendar's columns (days × columns)."""
    days, arms = read.precision.shape
    width = columns.shape[1]
    weighed = np.zeros((days, width + 1))
    own, carried = np.full(arms, start), np.zeros((arms, width))
    variance = np.full(arms, START + days * drift)
    square = 0.0
    for arm in range(arms):
        seen = np.flatnonzero(read.precision[:, arm])
        if not len(seen):
            continue
        precision = read.precision[seen, arm]
        both = np.empty((len(seen), width + 1), order="F")
        both[:, 0] = read.log_rate[seen, arm] - start
        both[:, 1:] = columns[seen]
        both *= precision[:, None]
        pivots, smooth = _smoothed(precision, drift * np.diff(seen), both)
        rest = both - precision[:, None] * smooth
        weighed[seen] += rest
        square += float((read.log_rate[seen, arm] - start) @ rest[:, 0])
        own[arm], carried[arm] = start + smooth[-1, 0], smooth[-1, 1:]
        variance[arm] = 1 / pivots[-1] + drift * (days - 1 - seen[-1])
    product = columns.T @ weighed
    information, count = product[:, 1:], int(np.count_nonzero(read.precision))
    return Told((information + information.T) / 2, product[:, 0], own, carried, variance, square, count)


def smooth_levels(read: Read, offset: Array, drift: float, start: float) -> Array:
    """Days × arms: each arm's level on each day, seen from the end; `offset`: what is explained otherwise."""
    days, arms = read.precision.shape
    levels = np.full((days, arms), start)
    for arm in range(arms):
        seen = np.flatnonzero(read.precision[:, arm])
        if len(seen):
            precision = read.precision[seen, arm]
            right = (precision * (read.log_rate[seen, arm] - offset[seen, arm] - start))[:, None]
            _, smooth = _smoothed(precision, drift * np.diff(seen), right)
            levels[:, arm] += np.interp(np.arange(days), seen, smooth[:, 0])  # as a random walk has it
    return levels


def _smoothed(precision: Array, between: Array, right: Array) -> tuple[Array, Array]:
    """Solves (precision + the walk's) x = right; the pivots' last one is the precision after the last day.

    `between`: the walk's variance from each day to the next.
    """
    diagonal = precision.copy()
    diagonal[0] += 1 / START
    if len(precision) == 1:
        return diagonal, right / diagonal
    diagonal[:-1] += 1 / between
    diagonal[1:] += 1 / between
    pivots, below, _ = lapack.dpttrf(diagonal, -1 / between)
    smooth, _ = lapack.dpttrs(pivots, below, right)
    return pivots, smooth


def effects_of(told: Told, columns: Columns) -> list[Effects]:
    """The effects after the days, each having had a t prior of its scale; so has what takes steps back.

    On which day a large step comes is often not certain, and EM settles for one: the others are weighed
    beside it. The shares of what is returned add up to 1; the first is EM's.
    """
    which = np.concatenate([np.eye(len(columns.scale)), columns.closing])
    scale = np.concatenate([columns.scale, columns.closing_scale])
    spread = (_WIDE * scale) ** 2  # so that what is large is seen before it is shrunk
    last = spread
    for _ in range(_ROUNDS):
        covariance = np.linalg.inv(told.information + (which.T / spread) @ which)
        mean = covariance @ told.moment
        second = (which @ mean) ** 2 + ((which @ covariance) * which).sum(axis=1)
        spread, last = (_FREEDOM * scale**2 + second) / (_FREEDOM + 1), spread
    first = _given(told, which, last)
    steps = abs(which @ first.mean)
    near = max(columns.movable, key=lambda rows: float(steps[rows].max()))
    largest = near[int(steps[near].argmax())]
    if steps[largest] < _LARGE:
        return [first]
    found, weights = [first], [first.share + _FREEDOM * np.log(scale[largest])]
    for row in near[near != largest]:
        moved = last.copy()
        moved[[row, largest]] = max(last[largest], last[row]), scale[largest] ** 2
        found.append(_given(told, which, moved))
        weights.append(found[-1].share + _FREEDOM * np.log(scale[row]))
    shares = np.exp(np.array(weights) - max(weights))
    shares /= shares.sum()
    likely = [(each, share) for each, share in zip(found, shares, strict=True) if share > _UNLIKELY]
    total = sum(share for _, share in likely)
    return [Effects(each.mean, each.covariance, float(share / total)) for each, share in likely]


def _given(told: Told, which: Array, spread: Array) -> Effects:
    """The effects with priors of these variances, and in place of a share the log likelihood of those."""
    prior = (which.T / spread) @ which
    precision = told.information + prior
    covariance = np.linalg.inv(precision)
    mean = covariance @ told.moment
    likelihood = (mean @ told.moment - np.linalg.slogdet(precision)[1] + np.linalg.slogdet(prior)[1]) / 2
    return Effects(mean, (covariance + covariance.T) / 2, float(likelihood))
