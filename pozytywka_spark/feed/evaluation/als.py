"""Factors of implicit feedback by alternating least squares: a baseline, and nothing else.

Hu, Koren, Volinsky, "Collaborative filtering for implicit feedback datasets" (ICDM 2008): with confidence
1 + alpha · weight for what was played, each user's vector is a ridge regression on the tracks', and in turn.
"""

from __future__ import annotations

from dataclasses import dataclass
from itertools import pairwise

import numpy as np
from scipy import sparse

from pozytywka_spark.feed.pairs import Array

_ENTRIES = 1 << 16  # whose outer products are held at once: 0.5 GB at 32 factors


@dataclass(frozen=True)
class Factors:
    """Of tracks, and how users' vectors follow from what they played."""

    track: Array  # tracks × factors
    alpha: float
    ridge: float

    def scores(self, plays: sparse.csr_matrix) -> Array:
        """Users × tracks, of users whether they were in training or not."""
        return np.asarray(_solved(plays, self.track, self.alpha, self.ridge) @ self.track.T)


def fit_als(
    plays: sparse.csr_matrix,
    *,
    factors: int = 32,
    alpha: float = 10.0,
    ridge: float = 1.0,
    rounds: int = 10,
    seed: int = 0,
) -> Factors:
    """From users × tracks of weights."""
    by_track = plays.T.tocsr()
    track = np.random.default_rng(seed).normal(0.0, 0.1, (plays.shape[1], factors))
    for _ in range(rounds):
        user = _solved(plays, track, alpha, ridge)
        track = _solved(by_track, user, alpha, ridge)
    return Factors(track, alpha, ridge)


def _solved(rows: sparse.csr_matrix, other: Array, alpha: float, ridge: float) -> Array:
    """The vector of each row, the other side's given."""
    factors = other.shape[1]
    everywhere = other.T @ other + ridge * np.eye(factors)
    result = np.zeros((rows.shape[0], factors))
    for low, high in _stretches(rows.indptr):
        some = slice(rows.indptr[low], rows.indptr[high])
        vectors, extra = other[rows.indices[some]], alpha * rows.data[some]
        of = np.repeat(np.arange(high - low), np.diff(rows.indptr[low : high + 1]))
        places = sparse.csr_matrix((np.ones(len(of)), (of, np.arange(len(of)))), shape=(high - low, len(of)))
        outer = (vectors[:, :, None] * (extra[:, None, None] * vectors[:, None, :])).reshape(len(of), -1)
        left = everywhere + (places @ outer).reshape(high - low, factors, factors)
        right = places @ ((1.0 + extra)[:, None] * vectors)
        result[low:high] = np.linalg.solve(left, right[:, :, None])[:, :, 0]
    return result


def _stretches(start: Array) -> list[tuple[int, int]]:
    """Rows, some at a time: of about so many entries that memory allows."""
    bounds = [0]
    while bounds[-1] < len(start) - 1:
        low = bounds[-1]
        high = int(np.searchsorted(start, start[low] + _ENTRIES, side="right")) - 1
        bounds.append(min(max(high, low + 1), low + 4096, len(start) - 1))
    return list(pairwise(bounds))
