"""A batch of users' candidates as matrices: a row a user, their tracks from the best down."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from pozytywka_spark.feed.arrange.rules import Rules
from pozytywka_spark.feed.pairs import Array

# embeddings as whole numbers: their products and sums are exact in float32, in whichever order they are added
LENGTH = 127.0


@dataclass(frozen=True)
class TrackTraits:
    """What the rules look at, an entry a track."""

    artist: Array  # int
    genre: Array  # the leading one, -1 unknown
    promoted: Array  # bool
    embedding: Array  # float32, whole numbers from -LENGTH to LENGTH

    @classmethod
    def of(cls, artist: Array, genres: Array, promoted: Array, embedding: Array) -> TrackTraits:
        """Of a track side's arrays; `genres` tracks × most genres, `embedding` of length 1 or 0."""
        leading = genres[:, 0] if genres.ndim == 2 and genres.shape[1] else np.full(len(artist), -1)
        whole = np.rint(np.asarray(embedding, np.float32) * np.float32(LENGTH))
        return cls(artist.astype(np.int32), leading.astype(np.int32), promoted, whole)


@dataclass(frozen=True)
class Shortlist:
    """Candidates in order, all matrices users × most candidates; where a user has fewer, `entry` is -1."""

    entry: Array  # index into the pairs
    value: Array  # after sinking, float64, falling along a row
    artist: Array
    genre: Array
    new: Array  # by an artist new to the user
    promoted: Array
    embedding: Array  # users × candidates × factors
    spread: Array  # of each user: what likeness 1 costs

    def rows(self, which: Array) -> Shortlist:
        """Of some users only."""
        return Shortlist(*(getattr(self, name)[which] for name in self.__dataclass_fields__))


def shortlist(
    start: Array, track: Array, value: Array, passed: Array, new: Array, traits: TrackTraits, rules: Rules
) -> Shortlist:
    """Users `start` (as in `Pairs`) with entries of a batch, which `entry` then counts from `start[0]`.

    `passed`: how often each entry was passed over lately. Of equal values the earlier track of the track
    side stands first.
    """
    first, counts = start[:-1], np.diff(start)
    width = int(counts.max(initial=0))
    there = np.arange(width) < counts[:, None]
    entry = np.where(there, first[:, None] + np.arange(width), 0)
    tracks = np.where(there, track[entry], np.iinfo(np.int32).max)
    if (np.diff(tracks, axis=1) < 0).any():
        entry = np.take_along_axis(entry, np.argsort(tracks, axis=1, kind="stable"), axis=1)
    values = np.where(there, value[entry].astype(np.float64), -np.inf)
    order = np.argsort(-values, axis=1, kind="stable")
    entry = np.take_along_axis(entry, order, axis=1)
    values = np.take_along_axis(values, order, axis=1)
    scale = _distance(values, counts, rules.page) * rules.spread
    sunk = passed[entry] * there
    if sunk.any():
        below = np.minimum(np.arange(width) + rules.sink * sunk, np.maximum(counts - 1, 0)[:, None])
        lower = np.take_along_axis(values, below, axis=1)
        values = np.where(there, lower, -np.inf)
        # behind the track in whose place it comes
        order = np.lexsort((np.broadcast_to(np.arange(width), sunk.shape), sunk > 0, -values), axis=1)
        entry = np.take_along_axis(entry, order, axis=1)
        values = np.take_along_axis(values, order, axis=1)
    tracks = track[entry]
    return Shortlist(
        np.where(there, entry - start[0], -1),
        values,
        traits.artist[tracks],
        traits.genre[tracks],
        new[entry],
        traits.promoted[tracks],
        traits.embedding[tracks],
        scale / LENGTH**2,
    )


def _distance(values: Array, counts: Array, page: int) -> Array:
    """How far values lie apart between the first place and the page's last."""
    if not values.shape[1]:
        return np.zeros(len(values))
    last = np.minimum(np.maximum(counts - 1, 0), page - 1)
    far = np.where(counts > 0, values[:, 0], 0.0) - np.where(
        counts > 0, np.take_along_axis(values, last[:, None], axis=1)[:, 0], 0.0
    )
    distance: Array = far
    return distance
