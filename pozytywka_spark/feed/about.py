"""A batch of users as of the cut-off, beside the track side: what inventory and features both look up."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
from scipy import sparse

from pozytywka_spark.feed.history import (
    Habits,
    Past,
    first_plays,
    habits_of,
    past_of_artists,
    past_of_tracks,
)
from pozytywka_spark.feed.item_model import ItemModel
from pozytywka_spark.feed.listening import Listeners
from pozytywka_spark.feed.pairs import Array
from pozytywka_spark.feed.track_side import Tracks, sample_of

_CELLS = 1 << 23  # of the largest table of users × tracks that is held at once


@dataclass(frozen=True)
class About:
    """Users, what they did before the cut-off, and how the item model scores tracks for them.

    `scores`: one of users × the model's tracks for each way to weigh what they played (long ago as well,
    lately, likes), and `artist_scores` the same of artists; `genres`: users × genres, shares of their plays
    (long ago as well), the last column 0.
    """

    listeners: Listeners
    tracks: Past
    artists: Past
    habits: Habits
    scores: tuple[Array, Array, Array]
    artist_scores: tuple[Array, Array]
    tastes: Array  # users × the artists of `Tastes`: log chances
    genres: Array

    def __len__(self) -> int:
        return len(self.listeners)


def about(listeners: Listeners, tracks: Tracks) -> About:
    """Of the events before the tracks' cut-off, whatever else the listeners' events hold."""
    listeners = listeners.before(tracks.cut_off_us)
    listening, side = listeners.listening, tracks.side
    past = past_of_tracks(listening, tracks.cut_off_us, len(side))
    artists = past_of_artists(listening, tracks.cut_off_us, side.artist, len(side.artist_id))

    def scored(model: ItemModel, of: Past, things: int, weight: Array) -> Array:
        entries = (np.minimum(weight, 1).astype(np.float32), (of.user, of.thing))
        return model.scores(sparse.csr_matrix(entries, shape=(len(listeners), things)))

    def of_tracks(weight: Array) -> Array:
        return scored(tracks.model, past, len(side), weight)

    def of_artists(weight: Array) -> Array:
        return scored(tracks.artists, artists, len(side.artist_id), weight)

    user = listening.play_user[first := first_plays(listening)]
    artist = side.artist[listening.play_track[first]]
    sample = sample_of(listeners, user, artist, len(side.artist_id), len(tracks.genre))

    return About(
        listeners=listeners,
        tracks=past,
        artists=artists,
        tastes=tracks.tastes.log_chances(sample.firsts, sample.favourites),
        habits=habits_of(listeners, tracks.cut_off_us, tracks.usual),
        scores=(of_tracks(past.long), of_tracks(past.short), of_tracks(past.likes)),
        artist_scores=(of_artists(artists.long), of_artists(artists.short)),
        genres=_genres(past, side.genres, len(listeners), len(tracks.genre)),
    )


def batches(listeners: Listeners, tracks: int) -> Iterator[Listeners]:
    """Users, some at a time: as many as a table of users × tracks allows."""
    step = max(1, min(512, _CELLS // max(tracks, 1)))
    for first in range(0, len(listeners), step):
        yield listeners.some(first, min(first + step, len(listeners)))


def _genres(past: Past, genres: Array, users: int, count: int) -> Array:
    found = np.zeros((users, count + 1), dtype=np.float32)
    if count:
        for column in genres.T:
            genre = column[past.thing]
            some = genre >= 0
            key = past.user[some] * (count + 1) + genre[some]
            found += np.bincount(key, past.long[some], users * (count + 1)).reshape(found.shape)
        found /= np.maximum(found.sum(axis=1, keepdims=True), 1e-6)
    return found
