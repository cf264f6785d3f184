"""What a source lists: tracks by user, best first; and small helpers that every source needs."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from pozytywka_spark.feed.pairs import Array


@dataclass(frozen=True)
class Listed:
    """Entries of a source: a user's row, a track, and the place in that user's list, from 0."""

    user: Array
    track: Array
    place: Array

    def where(self, which: Array) -> Listed:
        """Some of the entries; the others' places stay empty."""
        return Listed(self.user[which], self.track[which], self.place[which])


NOTHING = Listed(*(np.zeros(0, dtype=np.int64) for _ in range(3)))


def place_within(user: Array) -> Array:
    """Of entries that lie together by user: 0, 1, … within each user."""
    if not len(user):
        return np.zeros(0, dtype=np.int64)
    start = np.flatnonzero(np.append(True, user[1:] != user[:-1]))
    place: Array = np.arange(len(user)) - np.repeat(start, np.diff(np.append(start, len(user))))
    return place


def by_weight(user: Array, track: Array, weight: Array, most: int) -> Listed:
    """The heaviest entries of each user; ties by track."""
    order = np.lexsort((track, -weight, user))
    user, track = user[order], track[order]
    place = place_within(user)
    first = place < most
    return Listed(user[first], track[first], place[first])


def best_columns(score: Array, track: Array, most: int) -> Listed:
    """Of a table users × `track` the columns with the highest scores above 0; ties by column."""
    most = min(most, score.shape[1])
    if not most or not len(score):
        return NOTHING
    some = np.argpartition(-score, most - 1, axis=1)[:, :most] if most < score.shape[1] else None
    columns = np.tile(np.arange(score.shape[1]), (len(score), 1)) if some is None else np.sort(some, axis=1)
    values = np.take_along_axis(score, columns, axis=1)
    order = np.argsort(-values, axis=1, kind="stable")
    columns, values = np.take_along_axis(columns, order, 1), np.take_along_axis(values, order, 1)
    user, place = np.nonzero(values > 0)
    return Listed(user, track[columns[user, place]], place)


def expanded(user: Array, first: Array, count: Array, weight: Array) -> tuple[Array, Array, Array, Array]:
    """Each entry becomes `count` entries: its user, places first, first + 1, …, its weight, and 0, 1, …"""
    within = np.arange(count.sum()) - np.repeat(np.cumsum(count) - count, count)
    return np.repeat(user, count), np.repeat(first, count) + within, np.repeat(weight, count), within
