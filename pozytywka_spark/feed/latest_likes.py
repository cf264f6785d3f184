"""By track and favourite genre of those who liked it, the latest likes: enough to say who a track stirs."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from pozytywka_spark.feed.listening import DAY_US, Listeners, Listening
from pozytywka_spark.feed.pairs import Array

DAYS, PEOPLE = 14, 3
_ENTRIES = PEOPLE + 1  # one may be the user's own


@dataclass(frozen=True)
class LatestLikes:
    """Likes of the last `DAYS` days, sorted by track, genre, and latest first; `_ENTRIES` of each at most."""

    track: Array
    genre: Array
    like_us: Array
    user_id: Array

    def __len__(self) -> int:
        return len(self.track)


def latest_likes(
    listeners: Listeners, past: Listening, tracks: int, cut_off_us: int, good: Array
) -> LatestLikes:
    """Of some users' likes before the cut-off, of `good` tracks (bool)."""
    late = (past.like_us >= cut_off_us - DAYS * DAY_US) & good[past.like_track]
    user, track, time = past.like_user[late], past.like_track[late], past.like_us[late]
    genre = listeners.favourites[user]
    row, place = np.nonzero(genre >= 0)
    return _latest(track[row], genre[row, place], time[row], listeners.user_id[user[row]])


def merged(one: LatestLikes, other: LatestLikes) -> LatestLikes:
    """The latest of two sets of users."""
    return _latest(
        np.concatenate([one.track, other.track]),
        np.concatenate([one.genre, other.genre]),
        np.concatenate([one.like_us, other.like_us]),
        np.concatenate([one.user_id, other.user_id]),
    )


def _latest(track: Array, genre: Array, time: Array, user_id: Array) -> LatestLikes:
    order = np.lexsort((user_id, -time, genre, track))
    track, genre, time, user_id = track[order], genre[order], time[order], user_id[order]
    new = np.ones(len(track), dtype=bool)
    new[1:] = (track[1:] != track[:-1]) | (genre[1:] != genre[:-1])
    start = np.flatnonzero(new)
    rank = np.arange(len(track)) - np.repeat(start, np.diff(np.append(start, len(track))))
    first = rank < _ENTRIES
    return LatestLikes(track[first], genre[first], time[first], user_id[first])


def stirred(
    likes: LatestLikes, user: Array, track: Array, heard_us: Array, user_id: Array, favourites: Array
) -> Array:
    """Of pairs (a user's row, a track they last heard at `heard_us`): whether `PEOPLE` others of a favourite
    genre in common liked the track since.
    """
    if not len(likes) or not len(user):
        return np.zeros(len(user), dtype=bool)
    key = likes.track.astype(np.int64) * (1 << 20) + likes.genre
    pair, place = np.nonzero(favourites[user] >= 0)
    wanted = track[pair].astype(np.int64) * (1 << 20) + favourites[user[pair], place]
    first = np.searchsorted(key, wanted, side="left")
    count = np.searchsorted(key, wanted, side="right") - first
    entry = np.repeat(first - np.cumsum(count) + count, count) + np.arange(count.sum())
    pair = np.repeat(pair, count)
    since = (likes.like_us[entry] > heard_us[pair]) & (likes.user_id[entry] != user_id[user[pair]])
    people = np.unique(np.stack([pair[since], likes.user_id[entry[since]]]), axis=1)[0]
    enough: Array = np.bincount(people, minlength=len(user)) >= PEOPLE
    return enough
