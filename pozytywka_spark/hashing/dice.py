"""A stated hash that throws dice: the same rows are drawn by every version, engine and process.

A row's dice of `seed`, `a`, `b` is mix(mix(mix(seed) ^ a) ^ b), where mix is splitmix64 (Steele, Lea, Flood
2014) in unsigned 64-bit numbers that wrap:

    x += 0x9E3779B97F4A7C15
    x = (x ^ x >> 30) * 0xBF58476D1CE4E5B9
    x = (x ^ x >> 27) * 0x94D049BB133111EB
    x ^ x >> 31

Whole numbers go in as they are, negative ones as their two's complement, a date as its days since 1970.
"""

from __future__ import annotations

import numpy as np
import numpy.typing as npt
import polars as pl

FACES = 2**64  # dice fall from 0 to one less
Numbers = npt.NDArray[np.uint64]
_STEP, _FIRST, _SECOND = map(np.uint64, (0x9E3779B97F4A7C15, 0xBF58476D1CE4E5B9, 0x94D049BB133111EB))
_30, _27, _31 = map(np.uint64, (30, 27, 31))


def dice(rows: pl.DataFrame, seed: int, columns: tuple[str, ...] = ("user_id", "month")) -> pl.Series:
    """A number from 0 to 2^64 - 1 of each row's `columns`: whole numbers or dates, none null.

    >>> rows = pl.DataFrame({"user_id": [1, 2, 1]})
    >>> dice(rows, seed=7, columns=("user_id",)).to_list()
    [4414019431610648415, 5090977316425868581, 4414019431610648415]
    """
    thrown = mix(np.full(1, seed % FACES, np.uint64))
    for name in columns:
        number = rows.get_column(name).to_physical().cast(pl.Int64).to_numpy().view(np.uint64)
        thrown = mix(thrown ^ number)
    return pl.Series("dice", np.broadcast_to(thrown, rows.height))


def falls_below(thrown: pl.Series, share: float) -> pl.Series:
    """Which dice are among the lowest of all that could fall: about this share (0 to 1) of them.

    >>> thrown = dice(pl.DataFrame({"user_id": range(10_000)}), seed=7, columns=("user_id",))
    >>> falls_below(thrown, 0.25).sum()
    2493
    """
    return thrown <= min(int(share * FACES), FACES - 1)


def mix(x: Numbers) -> Numbers:
    """splitmix64 of each number."""
    x = x + _STEP
    x = (x ^ (x >> _30)) * _FIRST
    x = (x ^ (x >> _27)) * _SECOND
    return x ^ (x >> _31)
