"""What each user did with each track and each artist before the cut-off, and what their habits are."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from pozytywka_spark.feed.listening import DAY_US, Listeners, Listening
from pozytywka_spark.feed.pairs import Array

LONG_DAYS, SHORT_DAYS = 90.0, 14.0  # half-lives of plays in what counts as lately
NEVER = np.float32(np.nan)


@dataclass(frozen=True)
class Past:
    """An entry a user and thing (a track, or an artist) that they ever played or liked, sorted by both.

    `long` and `short`: plays, each weighing half after `LONG_DAYS` and `SHORT_DAYS`; `days`: since the last
    play (NaN: liked only); `skipped`: share of the plays that were skipped; `tracks`: different ones;
    `echo`: plays that weren't skipped, each weighing 1 / (plays of anything since then + 1).
    """

    user: Array
    thing: Array
    plays: Array
    long: Array
    short: Array
    days: Array
    skipped: Array
    likes: Array
    tracks: Array
    echo: Array

    def __len__(self) -> int:
        return len(self.user)


@dataclass(frozen=True)
class Habits:
    """A column a habit, an entry a user. Rates are of plays and shrunk towards those of all users.

    `plays`, `plays_28`: counts; `likes`: of the user's life; `days_28`: with a play; `days`: since the last
    play; `repeat`: share of plays of tracks that were played before.
    """

    plays: Array
    plays_28: Array
    tracks: Array
    likes: Array
    days_28: Array
    days: Array
    finish: Array
    skip: Array
    like: Array
    repeat: Array


@dataclass(frozen=True)
class Usual:
    """What is usual among all users: what rates of single users are shrunk towards."""

    finish: float = 0.7
    skip: float = 0.2
    like: float = 0.05
    repeat: float = 0.5


def past_of_tracks(listening: Listening, cut_off_us: int, tracks: int) -> Past:
    """By user and track."""
    return _past(listening, cut_off_us, listening.play_track, listening.like_track, tracks)


def past_of_artists(listening: Listening, cut_off_us: int, artist: Array, artists: int) -> Past:
    """By user and artist; `artist`: of each track."""
    return _past(listening, cut_off_us, artist[listening.play_track], artist[listening.like_track], artists)


def _past(listening: Listening, cut_off_us: int, played: Array, liked: Array, things: int) -> Past:
    play_key = listening.play_user.astype(np.int64) * things + played
    like_key = listening.like_user.astype(np.int64) * things + liked
    keys = np.unique(np.concatenate([play_key, like_key]))
    at, liked_at = np.searchsorted(keys, play_key), np.searchsorted(keys, like_key)
    age = (cut_off_us - listening.play_us) / DAY_US
    count = len(keys)
    plays = np.bincount(at, minlength=count)
    last = np.full(count, np.inf)
    np.minimum.at(last, at, age)
    pairs = np.unique(np.stack([at, listening.play_track]), axis=1)[0] if len(at) else at
    return Past(
        user=keys // max(things, 1),
        thing=keys % max(things, 1),
        plays=plays,
        long=_float(np.bincount(at, np.exp2(-age / LONG_DAYS), count)),
        short=_float(np.bincount(at, np.exp2(-age / SHORT_DAYS), count)),
        days=_float(np.where(np.isfinite(last), last, np.nan)),
        skipped=_float(np.bincount(at, listening.play_skipped, count) / np.maximum(plays, 1)),
        likes=np.bincount(liked_at, minlength=count),
        tracks=np.bincount(pairs, minlength=count),
        echo=_float(np.bincount(at, ~listening.play_skipped / _plays_since(listening), count)),
    )


def _plays_since(listening: Listening) -> Array:
    """Of each play how many its user has made from it on, itself included."""
    user = listening.play_user
    end = np.searchsorted(user, user, side="right")
    since: Array = end - np.arange(len(user))
    return since


def first_plays(listening: Listening) -> Array:
    """Of each play whether it is its user's first of the track."""
    key = listening.play_user.astype(np.int64) * (1 << 32) + listening.play_track
    order = np.argsort(key, kind="stable")  # of time within a user and track
    first = np.ones(len(key), dtype=bool)
    first[order[1:]] = key[order[1:]] != key[order[:-1]]
    return first


def habits_of(listeners: Listeners, cut_off_us: int, usual: Usual, strength: float = 10.0) -> Habits:
    """Of each user; a rate counts as if `strength` usual plays had come before theirs."""
    listening, users = listeners.listening, len(listeners)
    user, age = listening.play_user, (cut_off_us - listening.play_us) / DAY_US

    def count(which: Array, weights: Array | None = None) -> Array:
        return np.bincount(which, weights, users).astype(np.float64)

    plays, late = count(user), age < 28
    first = first_plays(listening)
    day = user.astype(np.int64) * (1 << 20) + (listening.play_us // DAY_US)
    last = np.full(users, np.inf)
    np.minimum.at(last, user, age)
    likes = count(listening.like_user)

    def rate(done: Array, most: float) -> Array:
        return _float((done + strength * most) / (plays + strength))

    return Habits(
        plays=_float(plays),
        plays_28=_float(count(user[late])),
        tracks=_float(count(user[first])),
        likes=_float(likes),
        days_28=_float(count(np.unique(day[late]) >> 20)),
        days=_float(np.where(np.isfinite(last), last, np.nan)),
        finish=rate(count(user, listening.play_finished), usual.finish),
        skip=rate(count(user, listening.play_skipped), usual.skip),
        like=rate(likes, usual.like),
        repeat=rate(count(user[~first]), usual.repeat),
    )


def _float(values: Array) -> Array:
    return np.asarray(values, dtype=np.float32)
