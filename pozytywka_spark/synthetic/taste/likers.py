"""Who never likes anything."""

from __future__ import annotations

from typing import Any

import numpy as np

from pozytywka_spark.synthetic.plan import Plan

Array = np.ndarray[Any, Any]
_LIKERS = 25  # key of the random numbers


def like_habits(plan: Plan, like: Array, chunk: int) -> Array:
    """The chances of a like as people have them, none for those who never like; as it was without taste."""
    if not plan.world.taste.on:
        return like
    return np.where(plan.rng(_LIKERS, chunk).random(len(like)) < plan.world.taste.never_like, 0.0, like)
