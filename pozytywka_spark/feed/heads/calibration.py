"""Calibration of a head: Platt's on the margin, then a factor for each fifth of users by their own rate.

The factor is what keeps chances personal: trees shrink towards what is usual, so that people who never like
would get some chance of a like with every track. Newcomers have no rate and are a group of their own.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from pozytywka_spark.feed.pairs import Array

# The habit that says somebody's own rate of a head: names of features
OWN_RATE = {"finish": "user_finish", "skip": "user_skip", "like": "user_like", "again": "user_repeat"}
MANY_PLAYS = 100  # whoever likes nothing in so many plays is a group of their own
_GROUPS = 5
_STEPS = 30


@dataclass(frozen=True)
class OwnRate:
    """Of each pair's user: the rate, whether they `never` do it for all they play, whether they are `new`."""

    rate: Array
    never: Array
    new: Array


@dataclass(frozen=True)
class Calibration:
    """`edges`: of users' own rates between the groups; `factor`: of each, of those who never do it, and of
    newcomers.
    """

    slope: float
    intercept: float
    edges: tuple[float, ...]
    factor: tuple[float, ...]

    def apply(self, margin: Array, own: OwnRate) -> Array:
        """Chances, of margins and the user's own rate (each a pair's)."""
        chance = sigmoid(self.slope * margin + np.float32(self.intercept))
        group = group_of(own, self.edges)
        return np.minimum(chance * np.asarray(self.factor, dtype=np.float32)[group], np.float32(0.999))


def sigmoid(margin: Array) -> Array:
    """Of float32 margins, in float32."""
    with np.errstate(over="ignore"):
        chance: Array = 1 / (1 + np.exp(-margin))
    return chance


def group_of(own: OwnRate, edges: tuple[float, ...]) -> Array:
    """Numbers from 0 by own rate; the last but one for those who never do it, the last for newcomers."""
    fifth = np.searchsorted(np.asarray(edges, dtype=np.float32), own.rate, "right")
    return np.where(own.new, len(edges) + 2, np.where(own.never, len(edges) + 1, fifth))


def calibrated(margin: Array, done: Array, user: Array, own: OwnRate) -> Calibration:
    """Fitted to pairs of held-out users; `user` numbers them."""
    slope, intercept = _platt(margin.astype(np.float64), done)
    _, first = np.unique(user, return_index=True)
    rates = own.rate[first[~own.new[first]]]
    edges = tuple(np.quantile(rates, np.arange(1, _GROUPS) / _GROUPS).tolist()) if len(rates) else ()
    chance = sigmoid(slope * margin + intercept)
    group = group_of(own, edges)
    groups = len(edges) + 3
    seen, expected = np.bincount(group, done, groups), np.bincount(group, chance, groups)
    # a group that was seen little keeps what is usual; who never does it is taken at their word
    factor = (seen + 2.0) / (expected + 2.0)
    never = len(edges) + 1
    factor[never] = seen[never] / max(expected[never], 1e-9) if expected[never] > 1 else factor[0]
    return Calibration(slope, intercept, edges, tuple(float(np.clip(each, 1e-4, 10)) for each in factor))


def _platt(margin: Array, done: Array) -> tuple[float, float]:
    """Newton's steps of a logistic regression on the margin alone."""
    design = np.stack([margin, np.ones_like(margin)], axis=1)
    weight = np.array([1.0, 0.0])
    for _ in range(_STEPS):
        chance = sigmoid(design @ weight)
        spread = chance * (1 - chance)
        gradient = design.T @ (done - chance) - 1e-3 * (weight - [1.0, 0.0])
        curve = (design * spread[:, None]).T @ design + 1e-3 * np.eye(2)
        step = np.linalg.solve(curve, gradient)
        weight = weight + np.clip(step, -1, 1)
        if np.abs(step).max() < 1e-8:
            break
    return float(max(weight[0], 1e-3)), float(weight[1])
