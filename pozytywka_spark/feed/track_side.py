"""Of the tracks what all users share: who made them, how they did lately, which speak for which.

Counts add up over shards of users (`counts_of`, `Counts.__add__`); `tracks_of` makes of them, once, what
every task gets.
"""

from __future__ import annotations

from dataclasses import dataclass, fields

import numpy as np
from scipy import sparse

from pozytywka_spark.feed.history import Usual, first_plays
from pozytywka_spark.feed.item_model import ItemModel, from_gram, weighted_plays
from pozytywka_spark.feed.latest_likes import LatestLikes, latest_likes, merged
from pozytywka_spark.feed.listening import DAY_US, Listeners
from pozytywka_spark.feed.pairs import Array, TrackSide
from pozytywka_spark.feed.tastes import Sample, Tastes, in_sample
from pozytywka_spark.feed.tastes import fit as fit_tastes

FACTORS = 32  # of the embedding
GRAM_DAYS = 365.0  # half-life of plays in which tracks go together: taste lasts longer than a mood
UNKNOWN_DAY = np.iinfo(np.int32).min
WINDOWS = (7, 28, 90)  # days


@dataclass(frozen=True)
class Catalogue:
    """Tracks in the order of their ids: `artist`, `genres` (-1: none) and `song` as in `TrackSide`.

    `released_day`: days since 1970, `UNKNOWN_DAY` where nobody says.
    """

    track_id: Array
    artist: Array
    artist_id: Array
    song: Array
    genres: Array
    genre: Array  # names, sorted
    released_day: Array
    city: Array  # names, sorted

    def __len__(self) -> int:
        return len(self.track_id)


@dataclass(frozen=True)
class Counts:
    """Sums over users, of events before the cut-off; an entry a track.

    `plays`: windows × tracks; `finished`, `skipped`, `liked`, `pairs`, `again`: of the last 90 days, pairs
    being different (user, track) and `again` those with two plays or more; `city`: cities × tracks, plays of
    28 days; `gram` and `artist_gram`: of the weighted plays; `users_28`: different users.
    """

    plays: Array
    users_28: Array
    finished: Array
    skipped: Array
    liked: Array
    pairs: Array
    again: Array
    city: Array
    firsts: Array  # 2 × tracks: somebody's first plays, of 28 days and ever
    sample: Sample
    gram: sparse.csr_matrix
    artist_gram: sparse.csr_matrix
    likes: LatestLikes

    def __add__(self, other: Counts) -> Counts:
        mine = {
            each.name: getattr(self, each.name) + getattr(other, each.name)
            for each in fields(self)
            if each.name != "likes"
        }
        return Counts(**mine, likes=merged(self.likes, other.likes))


@dataclass(frozen=True)
class Tracks:
    """The track side as of a cut-off: broadcast once. Rates are of plays of 90 days, shrunk to the usual."""

    side: TrackSide
    cut_off_us: int
    genre: Array
    plays_7: Array
    plays_90: Array
    finish: Array
    skip: Array
    like: Array
    again: Array
    artist_plays: Array  # of 28 days, an entry an artist
    city: Array  # cities × tracks, plays of 28 days
    city_share: Array  # the same as shares of the city's plays, and a last row of zeros
    age_days: Array  # since the release, NaN where nobody says
    usual: Usual
    model: ItemModel
    tastes: Tastes
    track_share: Array  # log of the track's share of its artist's first plays, lately above all
    artists: ItemModel  # the same of artists: `track` are indices of artists
    artist_embedding: Array  # artists × `FACTORS`
    likes: LatestLikes
    released: Array  # whether a page may show it: out before the cut-off


def counts_of(
    listeners: Listeners,
    catalogue: Catalogue,
    cut_off_us: int,
    farmed: Array | None = None,
    tastes_share: float = 1.0,
) -> Counts:
    """Of some users' events before the cut-off. Plays and likes of `farmed` tracks (bool) count nothing.

    `tastes_share`: of the users, whose first plays go into the sample that tastes are fitted to.
    """
    past = listeners.listening.between(None, cut_off_us)
    size = len(catalogue)
    good = np.ones(size, dtype=bool) if farmed is None else ~farmed
    chosen = good[past.play_track]
    user, track, time = past.play_user[chosen], past.play_track[chosen], past.play_us[chosen]
    age = (cut_off_us - time) / DAY_US
    late, month = age < WINDOWS[-1], age < 28
    key = np.unique(user[month].astype(np.int64) * size + track[month])
    pairs, times = np.unique(user[late].astype(np.int64) * size + track[late], return_counts=True)
    liked = past.like_track[good[past.like_track] & (cut_off_us - past.like_us < WINDOWS[-1] * DAY_US)]
    at = listeners.city[user]
    in_city = month & (at >= 0)
    cells = at[in_city].astype(np.int64) * size + track[in_city]
    cities = max(len(catalogue.city), 1)
    weights = weighted_plays((len(listeners), size), user, track, cut_off_us - time, GRAM_DAYS)
    shape = (len(listeners), len(catalogue.artist_id))
    artists = weighted_plays(shape, user, catalogue.artist[track], cut_off_us - time, GRAM_DAYS)

    def count(which: Array) -> Array:
        return np.bincount(which, minlength=size).astype(np.float64)

    first = first_plays(past)[chosen]
    recent_firsts = first & month
    return Counts(
        firsts=np.stack([count(track[recent_firsts]), count(track[first])]),
        sample=sample_of(
            listeners,
            user[first],
            catalogue.artist[track[first]],
            len(catalogue.artist_id),
            len(catalogue.genre),
            tastes_share,
        ),
        plays=np.stack([count(track[age < days]) for days in WINDOWS]),
        users_28=count(key % size),
        finished=count(track[late & past.play_finished[chosen]]),
        skipped=count(track[late & past.play_skipped[chosen]]),
        liked=count(liked),
        pairs=count(pairs % size),
        again=count(pairs[times > 1] % size),
        city=np.bincount(cells, minlength=cities * size).reshape(cities, size).astype(np.float32),
        gram=(weights.T @ weights).tocsr(),
        artist_gram=(artists.T @ artists).tocsr(),
        likes=latest_likes(listeners, past, size, cut_off_us, good),
    )


def sample_of(
    listeners: Listeners, user: Array, artist: Array, artists: int, genres: int, share: float = 1.0
) -> Sample:
    """Of first plays, what tastes are fitted to: of this share of the users."""
    firsts = sparse.csr_matrix(
        (np.ones(len(user), dtype=np.float32), (user, artist)),
        shape=(len(listeners), artists),
    )
    firsts.sum_duplicates()
    chosen = np.flatnonzero(in_sample(listeners.user_id, share))
    return Sample(firsts[chosen], favourites_of(listeners, genres)[chosen])


def favourites_of(listeners: Listeners, genres: int) -> sparse.csr_matrix:
    """Users × genres: 1 for a favourite."""
    user, column = np.nonzero(listeners.favourites >= 0)
    genre = listeners.favourites[user, column]
    return sparse.csr_matrix(
        (np.ones(len(user), dtype=np.float32), (user, genre)), shape=(len(listeners), genres)
    )


def tracks_of(
    catalogue: Catalogue, counts: Counts, cut_off_us: int, *, ridge: float, most_tracks: int
) -> Tracks:
    """See `Tracks`."""
    model = from_gram(counts.gram, ridge=ridge, most_tracks=most_tracks)
    artist_model = from_gram(counts.artist_gram, ridge=ridge, most_tracks=most_tracks)
    plays_7, plays_28, plays_90 = counts.plays
    side = TrackSide(
        track_id=catalogue.track_id,
        artist=catalogue.artist,
        artist_id=catalogue.artist_id,
        song=catalogue.song,
        genres=catalogue.genres,
        released_day=catalogue.released_day,
        plays=plays_28.astype(np.float32),
        users=counts.users_28.astype(np.float32),
        embedding=embedding_of(counts.gram, model.track, len(catalogue)),
    )
    total = max(float(plays_90.sum()), 1.0)
    usual = Usual(
        finish=float(counts.finished.sum()) / total,
        skip=float(counts.skipped.sum()) / total,
        like=float(counts.liked.sum()) / total,
        repeat=1 - float(counts.pairs.sum()) / total,
    )
    again = float(counts.again.sum()) / max(float(counts.pairs.sum()), 1.0)

    def rate(done: Array, most: float, of: Array, strength: float = 20.0) -> Array:
        return ((done + strength * most) / (of + strength)).astype(np.float32)

    artists = len(catalogue.artist_id)
    return Tracks(
        side=side,
        cut_off_us=cut_off_us,
        genre=catalogue.genre,
        plays_7=plays_7.astype(np.float32),
        plays_90=plays_90.astype(np.float32),
        finish=rate(counts.finished, usual.finish, plays_90),
        skip=rate(counts.skipped, usual.skip, plays_90),
        like=rate(counts.liked, usual.like, plays_90),
        again=rate(counts.again, again, counts.pairs),
        artist_plays=np.bincount(catalogue.artist, plays_28, artists).astype(np.float32),
        city=counts.city,
        city_share=np.vstack(
            [
                counts.city / np.maximum(counts.city.sum(axis=1, keepdims=True), 1),
                np.zeros((1, len(catalogue))),
            ]
        ).astype(np.float32),
        age_days=np.where(
            catalogue.released_day == UNKNOWN_DAY, np.nan, cut_off_us // DAY_US - catalogue.released_day
        ).astype(np.float32),
        usual=usual,
        model=model,
        tastes=fit_tastes(counts.sample),
        track_share=_track_share(catalogue, counts),
        artists=artist_model,
        artist_embedding=embedding_of(counts.artist_gram, artist_model.track, artists),
        likes=counts.likes,
        released=catalogue.released_day < cut_off_us // DAY_US,
    )


def _track_share(catalogue: Catalogue, counts: Counts) -> Array:
    recent, ever = counts.firsts
    mixed = recent + 0.03 * ever
    of_artist = np.bincount(catalogue.artist, mixed, len(catalogue.artist_id))
    share: Array = np.log((mixed + 0.05) / (of_artist[catalogue.artist] + 0.2))
    return share.astype(np.float32)


def embedding_of(gram: sparse.csr_matrix, track: Array, size: int) -> Array:
    """Tracks × `FACTORS`, of length 1 (0 for tracks that the model leaves out): the leading directions of
    the gram matrix, each track's weight taken out of it.
    """
    found = np.zeros((size, FACTORS), dtype=np.float32)
    factors = min(FACTORS, len(track) - 1)
    if factors < 1:
        return found
    square = gram[track][:, track].astype(np.float64)
    scale = sparse.diags(1 / np.sqrt(np.maximum(square.diagonal(), 1e-12)))
    start = np.full(len(track), 1.0)  # stated, for the solver would draw one
    values, vectors = sparse.linalg.eigsh(scale @ square @ scale, k=factors, v0=start)
    signs = np.sign(vectors[np.abs(vectors).argmax(axis=0), np.arange(factors)])
    some = vectors[:, ::-1] * signs[::-1] * np.sqrt(np.maximum(values[::-1], 0))
    length = np.linalg.norm(some, axis=1, keepdims=True)
    found[track, :factors] = some / np.maximum(length, 1e-12)
    return found
