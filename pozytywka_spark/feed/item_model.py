"""The linear item model: what somebody plays next, as a weighted sum over what they played (EASE).

Steck, "Embarrassingly shallow autoencoders for sparse data" (WWW 2019): with X of users × tracks, the square
B of zero diagonal that is least in |X - XB|² + ridge·|B|² is B = I - P / diag(P), P = (X'X + ridge·I)⁻¹.
It is a source of candidates, a feature, and the baseline that the feed is measured by.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from scipy import linalg, sparse

from pozytywka_spark.feed.pairs import Array

DAY_US = 86_400_000_000


@dataclass(frozen=True)
class ItemModel:
    """How much a play of one track speaks for another. Of the most played tracks only."""

    track: Array  # int32, sorted indices into the track side
    weight: Array  # float32, from row to column, both places in `track`; zero on the diagonal

    def scores(self, plays: sparse.csr_matrix) -> Array:
        """Users × the model's tracks (float32, dense: hand it batches of users).

        `plays`: users × all tracks of the track side, weighted as in training.
        """
        return np.asarray(plays[:, self.track].astype(np.float32) @ self.weight)

    def scores_of(self, plays: sparse.csr_matrix, user: Array, track: Array) -> Array:
        """Of pairs (rows of `plays`, indices into the track side); 0 for tracks beyond the model's."""
        if not len(user) or not len(self.track):
            return np.zeros(len(user), dtype=np.float32)
        place = np.minimum(np.searchsorted(self.track, track), len(self.track) - 1)
        inside = self.track[place] == track
        return np.where(inside, self.scores(plays)[user, place], np.float32(0)).astype(np.float32)

    def neighbours(self, count: int) -> tuple[Array, Array]:
        """For each of the model's tracks (rows) the `count` that it speaks most for, best first.

        Indices into the track side, -1 where there are fewer with a positive weight, and the weights.
        """
        count = min(count, len(self.track))
        best = np.argsort(-self.weight, axis=1, kind="stable")[:, :count]
        weight = np.take_along_axis(self.weight, best, axis=1)
        return np.where(weight > 0, self.track[best], -1).astype(np.int32), np.maximum(weight, 0)


def weighted_plays(
    shape: tuple[int, int], user: Array, track: Array, age_us: Array, half_life_days: float
) -> sparse.csr_matrix:
    """Users × tracks: the summed weights of somebody's plays of a track, at most 1.

    `age_us`: microseconds from the play to the cut-off; a play of `half_life_days` ago weighs half. At most
    1: who plays a track every day says no more of the other tracks than who came back to it lately.
    """
    if (np.asarray(age_us) < 0).any():
        raise ValueError("plays after the cut-off: a negative age")
    weight = np.exp2(-np.asarray(age_us, dtype=np.float64) / (half_life_days * DAY_US))
    summed = sparse.csr_matrix((weight.astype(np.float32), (user, track)), shape=shape)
    summed.sum_duplicates()
    np.minimum(summed.data, 1.0, out=summed.data)
    return summed


def fit(plays: sparse.csr_matrix, *, ridge: float, most_tracks: int) -> ItemModel:
    """The model of the `most_tracks` tracks with the most weight (ties: the first).

    Its square takes 12 bytes a cell while it is fitted: 0.2 GB at 4,000 tracks.
    """
    return from_gram((plays.T @ plays).tocsr(), ridge=ridge, most_tracks=most_tracks)


def from_gram(square: sparse.csr_matrix, *, ridge: float, most_tracks: int) -> ItemModel:
    """`fit`, of tracks × tracks that were summed over shards of users; the most weight is on the diagonal."""
    total = square.diagonal()
    played = int((total > 0).sum())
    track = np.sort(np.argsort(-total, kind="stable")[: min(most_tracks, played)]).astype(np.int32)
    gram = square[track][:, track].toarray().astype(np.float64)
    gram[np.diag_indices_from(gram)] += ridge
    if not len(track):
        return ItemModel(track, np.zeros((0, 0), dtype=np.float32))
    # in place: LAPACK's inverse of a positive definite matrix leaves the other triangle as it was
    factor, _ = linalg.cho_factor(gram, lower=True, overwrite_a=True, check_finite=False)
    inverse, status = linalg.lapack.dpotri(factor, lower=True, overwrite_c=True)
    if status:
        raise ArithmeticError(f"the tracks' gram matrix can't be inverted (dpotri: {status}): a larger ridge")
    lower = np.tril(inverse, -1)
    weight = lower + lower.T
    weight /= -np.diag(inverse)
    return ItemModel(track, weight.astype(np.float32))
