"""Which places are drawn, and where the draw falls: of a stated hash of user, day and place, so that any
number of partitions, and any day a page is made again, gives the same.
"""

from __future__ import annotations

from datetime import date

import numpy as np

from pozytywka_spark.feed.pairs import Array
from pozytywka_spark.hashing.dice import mix

_SEED = 0xFEED
_EPOCH = date(1970, 1, 1)
_53 = np.uint64(11)  # a float has 53 bits of a fraction


def draws(user_id: Array, day: date, places: int, share: float) -> tuple[Array, Array]:
    """Users × places: whether the place is drawn, and a fraction in [0, 1) that the draw goes by.

    >>> drawn, pick = draws(np.array([1, 2]), date(2023, 5, 1), places=10_000, share=0.05)
    >>> drawn.mean(axis=1).round(2).tolist(), pick.mean().round(2).item()
    ([0.05, 0.05], 0.5)
    """
    users = mix(mix(mix(np.full(1, _SEED, np.uint64)) ^ np.uint64((day - _EPOCH).days)) ^ _bits(user_id))
    number = np.arange(2 * places, dtype=np.uint64)
    fractions = (mix(users[:, None] ^ number) >> _53).astype(np.float64) / 2**53
    return fractions[:, :places] < share, fractions[:, places:]


def _bits(numbers: Array) -> Array:
    bits: Array = np.asarray(numbers, np.int64).view(np.uint64)
    return bits
