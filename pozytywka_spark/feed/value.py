"""The value of a track to a user: V = Σ weight · chance, over the heads."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np

from pozytywka_spark.feed.pairs import Array
from pozytywka_spark.names import HEADS


def weights_in_order(weights: Mapping[str, float]) -> Array:
    """Weights by head, in the order of `HEADS`; a head that isn't named weighs nothing."""
    return np.array([weights.get(head, 0.0) for head in HEADS], dtype=np.float32)


def value_of(chances: Array, weights: Mapping[str, float]) -> Array:
    """V of each pair; `chances`: pairs × heads."""
    value: Array = chances @ weights_in_order(weights)
    return value


def parts_of(chances: Array, weights: Mapping[str, float]) -> Array:
    """What each head adds to V: pairs × heads, which sum to it."""
    parts: Array = chances * weights_in_order(weights)
    return parts


def gain_of(done: Array, weights: Mapping[str, float]) -> Array:
    """The worth of what was done: max(0, Σ weight · done); `done`: pairs × heads (bool)."""
    gain: Array = np.maximum(done @ weights_in_order(weights), 0)
    return gain
