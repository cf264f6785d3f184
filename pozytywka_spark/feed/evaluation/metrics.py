"""Measures of rankings, one number a user: nDCG, recall, share of new artists.

A ranking is users × places of tracks (indices into the track side), best first, -1 where it ends.
nDCG@k = Σ gain / log2(place + 1) over the first k places, over the same sum of the best order (Järvelin and
Kekäläinen 2002); equal to scikit-learn's `ndcg_score` where no scores tie.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from pozytywka_spark.feed.pairs import Array


@dataclass(frozen=True)
class Gains:
    """What each track was worth to each user: an entry a pair with a gain above 0, sorted by both."""

    users: int
    tracks: int
    key: Array  # user · tracks + track
    gain: Array

    @classmethod
    def of(cls, users: int, tracks: int, user: Array, track: Array, gain: Array) -> Gains:
        """From pairs in any order, each once."""
        some = gain > 0
        key = user[some].astype(np.int64) * tracks + track[some]
        order = np.argsort(key, kind="stable")
        return cls(users, tracks, key[order], gain[some][order].astype(np.float64))

    def without(self, key: Array) -> Gains:
        """All but some pairs (sorted keys)."""
        other = ~inside(self.key, key)
        return Gains(self.users, self.tracks, self.key[other], self.gain[other])

    def at(self, ranking: Array) -> Array:
        """The gain at each place of a ranking."""
        key = np.arange(self.users)[:, None] * self.tracks + ranking
        if not len(self.key):
            return np.zeros(ranking.shape)
        place = np.minimum(np.searchsorted(self.key, key), len(self.key) - 1)
        return np.where((ranking >= 0) & (self.key[place] == key), self.gain[place], 0.0)

    def best(self, places: int) -> Array:
        """The gains of the best order: users × places."""
        user = self.key // self.tracks
        order = np.lexsort((-self.gain, user))
        start = np.searchsorted(user, np.arange(self.users))
        rank = np.arange(len(order)) - start[user]
        result = np.zeros((self.users, places))
        first = rank < places
        result[user[first], rank[first]] = self.gain[order][first]
        return result

    @property
    def counts(self) -> Array:
        """How many tracks each user gains by."""
        return np.bincount(self.key // self.tracks, minlength=self.users)


def ndcg(ranking: Array, gains: Gains, places: int) -> Array:
    """Of each user; NaN for those with nothing to gain."""
    discount = 1.0 / np.log2(np.arange(2, places + 2))
    first = gains.at(ranking[:, :places])
    reached = first @ discount[: first.shape[1]]
    ideal = gains.best(places) @ discount
    return np.where(ideal > 0, reached / np.where(ideal > 0, ideal, 1.0), np.nan)


def recall(ranking: Array, gains: Gains, places: int) -> Array:
    """Of each user the share of the tracks they gain by that is in the first places; NaN without any."""
    found = (gains.at(ranking[:, :places]) > 0).sum(axis=1)
    counts = gains.counts
    return np.where(counts > 0, found / np.maximum(counts, 1), np.nan)


def new_artists(ranking: Array, artist: Array, user: Array, track: Array, places: int) -> Array:
    """Of each user the share of the first places by artists of whom they had played nothing.

    `artist`: of each track; `user`, `track`: what was played before. NaN where a ranking is empty.
    """
    first = ranking[:, :places]
    artists = int(artist.max(initial=0)) + 1
    known = np.unique(user.astype(np.int64) * artists + artist[track])
    key = np.arange(len(first))[:, None] * artists + artist[np.maximum(first, 0)]
    there = first >= 0
    new = there & ~inside(key, known)
    count = there.sum(axis=1)
    return np.where(count > 0, new.sum(axis=1) / np.maximum(count, 1), np.nan)


def without_played(ranking: Array, tracks: int, played: Array) -> Array:
    """The ranking without pairs (sorted keys), the rest moved up."""
    key = np.arange(len(ranking))[:, None] * tracks + ranking
    stays = (ranking >= 0) & ~inside(key, played)
    order = np.argsort(~stays, axis=1, kind="stable")
    moved = np.take_along_axis(np.where(stays, ranking, -1), order, axis=1)
    return np.asarray(moved)


def inside(values: Array, within: Array) -> Array:
    """Which of the values are among sorted ones."""
    if not len(within):
        return np.zeros(np.shape(values), dtype=bool)
    place = np.minimum(np.searchsorted(within, values), len(within) - 1)
    result: Array = within[place] == values
    return result
