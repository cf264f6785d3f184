"""The level of each series on the log scale: a random walk seen through counts.

With rewards o among e expected ones, a day tells the log rate with variance v / e (v = 1 - rate, for rewards
of 0 or 1). The usual linear step, (o - e) / e, overshoots where a rate doubles overnight; the log of
the rate's posterior under a Gamma prior of the same precision doesn't, and is equal to it for small steps.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

Array = npt.NDArray[np.float64]

START = 1.0  # variance of a log rate of which nothing is known
LEAST_RATE = 1e-9


@dataclass(frozen=True)
class Read:
    """Days × series: the log rate that a day says, and how precisely; 0 where it says nothing."""

    log_rate: Array
    precision: Array


@dataclass(frozen=True)
class Walk:
    """What a walk through the days gives."""

    read: Read
    level: Array  # a series each, after the last day
    variance: Array
    surprise: Array  # a series each: minus twice the log likelihood, single days bounded


def start_level(rounds: Array, reward: Array) -> float:
    """The log of the mean rate, of which at least half a reward is assumed."""
    return float(np.log(max((reward.sum() + 0.5) / (rounds.sum() + 1), LEAST_RATE)))


def walk(rounds: Array, reward: Array, offset: Array, drift: Array, start: Array) -> Walk:
    """Go through the days; `offset` is what is already explained, `drift` the variance a day, per series.

    The last axis is the series; drift may have a leading axis of candidates.
    """
    level = np.broadcast_to(start, drift.shape).astype(float)
    variance = np.full(drift.shape, START)
    days = len(rounds)
    log_rate, precision = np.zeros((days, *drift.shape)), np.zeros((days, *drift.shape))
    surprise = np.zeros(drift.shape)
    for day in range(days):
        variance = variance + drift
        now = level + offset[day]
        rate = np.exp(np.minimum(now, 30.0))
        spread = np.where(rate < 0.95, 1 - rate, 0.05)
        expected = rounds[day] * rate
        information = expected / spread
        prior = spread / variance
        step = np.log((prior + reward[day]) / (prior + expected))
        gain = variance * information / (1 + variance * information)
        level = level + step
        said = np.divide(step, gain, out=np.zeros_like(step), where=gain > 1e-12)
        log_rate[day], precision[day] = now + said, information
        total = variance + np.divide(
            1, information, out=np.full_like(information, np.inf), where=information > 0
        )
        scaled = np.where(information > 0, said**2 / total, 0.0)
        surprise += np.where(information > 0, np.log(total) + 5 * np.log1p(scaled / 4), 0.0)
        variance = variance * (1 - gain)
    return Walk(Read(log_rate, precision), level, variance, surprise)
