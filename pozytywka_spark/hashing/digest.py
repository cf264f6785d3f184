"""A digest of rows that depends on neither their order nor the files they lie in: equal rows, equal digest.

A row's number is mix(… mix(mix(0) ^ a) ^ b …) of the bits of its values, where mix is splitmix64 as `dice`
states it. Numbers with a fraction go in as 64-bit floats, null as NaN, every NaN as one and -0.0 as 0.0;
whole numbers, moments (microseconds since 1970) and dates (days since 1970) as signed 64-bit numbers.
The rows' numbers are folded by an exclusive or and by a sum modulo 2^64: the first alone wouldn't see a row
that stands twice.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from pozytywka_spark.hashing.dice import FACES, Numbers, mix
from pozytywka_spark.hashing.fingerprints import LONG, fingerprint_of


@dataclass(frozen=True)
class Digest:
    """What some rows come to: their number, and both folds."""

    rows: int = 0
    folded: int = 0
    total: int = 0

    def __add__(self, other: Digest) -> Digest:
        """Of the rows of both."""
        total = (self.total + other.total) % FACES
        return Digest(self.rows + other.rows, self.folded ^ other.folded, total)

    def named(self, columns: Sequence[str]) -> str:
        """SHA-256 of it and of the columns' names."""
        content = [list(columns), self.rows, self.folded, self.total]
        return fingerprint_of(content, LONG)


def digest_of(columns: Iterable[npt.NDArray[Any]]) -> Digest:
    """Of rows given as their columns, in an order that means something; one column at least.

    >>> one, other = np.array([1, 2, 3]), np.array([0.5, np.nan, 2.0])
    >>> turned = digest_of([one[::-1], other[::-1]])
    >>> digest_of([one, other]) == turned, digest_of([other, one]) == turned
    (True, False)
    >>> digest_of([one[:1], other[:1]]) + digest_of([one[1:], other[1:]]) == turned
    True
    """
    numbers: Numbers | None = None
    first = mix(np.zeros(1, np.uint64))
    for column in columns:
        numbers = mix((first if numbers is None else numbers) ^ _bits(column))
    if numbers is None:
        raise ValueError("rows without a column have no digest")
    # sums of unsigned numbers wrap
    return Digest(len(numbers), int(np.bitwise_xor.reduce(numbers)), int(np.add.reduce(numbers)))


def _bits(values: npt.NDArray[Any]) -> Numbers:
    if values.dtype.kind in "iub":
        return values.astype(np.int64).view(np.uint64)
    floats = values.astype(np.float64) + 0.0
    floats[np.isnan(floats)] = np.nan
    return floats.view(np.uint64)
