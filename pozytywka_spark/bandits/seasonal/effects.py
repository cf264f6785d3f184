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


@dataclass(frozen=True)
class Effects:
    """Mean and covariance of the effects, a column each."""

    mean: Array
    covariance: Array


def told_by(read: Read, columns: Array, drift: float, start: float) -> Told:
    """The arms of one genre (days × arms) and the calendar's columns (days × columns)."""
    days, arms = read.precision.shape
    width = columns.shape[1]
    weighed = np.zeros((days, width + 1))
    own, carried, variance = np.zeros(arms), np.zeros((arms, width)), np.zeros(arms)
    walk_diagonal = np.full(days, 2 / drift)
    walk_diagonal[-1] = 1 / drift
    walk_diagonal[0] = (1 / drift if days > 1 else 0) + 1 / START
    if days == 1:
        walk_diagonal[0] = 1 / START
    between = np.full(max(days - 1, 0), -1 / drift)
    for arm in range(arms):
        precision = read.precision[:, arm]
        both = np.empty((days, width + 1), order="F")
        both[:, 0] = read.log_rate[:, arm] - start
        both[:, 1:] = columns
        right = np.asfortranarray(both * precision[:, None])
        if days > 1:
            pivots, below, _ = lapack.dpttrf(walk_diagonal + precision, between)
            smooth, _ = lapack.dpttrs(pivots, below, right)
        else:
            pivots = walk_diagonal + precision
            smooth = right / pivots
        weighed += right - precision[:, None] * smooth
        own[arm], carried[arm] = start + smooth[-1, 0], smooth[-1, 1:]
        variance[arm] = 1 / pivots[-1]
    product = columns.T @ weighed
    return Told((product[:, 1:] + product[:, 1:].T) / 2, product[:, 0], own, carried, variance)


def effects_of(told: Told, columns: Columns) -> Effects:
    """The effects after the days, each having had a t prior of its scale; so has what takes steps back."""
    which = np.concatenate([np.eye(len(columns.scale)), columns.closing])
    scale = np.concatenate([columns.scale, columns.closing_scale])
    spread = (_WIDE * scale) ** 2  # so that what is large is seen before it is shrunk
    for _ in range(_ROUNDS):
        covariance = np.linalg.inv(told.information + (which.T / spread) @ which)
        mean = covariance @ told.moment
        second = (which @ mean) ** 2 + ((which @ covariance) * which).sum(axis=1)
        spread = (_FREEDOM * scale**2 + second) / (_FREEDOM + 1)
    return Effects(mean, (covariance + covariance.T) / 2)
