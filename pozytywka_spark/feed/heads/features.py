"""Features of pairs (a user, a candidate track) as of the cut-off: float32, a row a feature."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from scipy import sparse

from pozytywka_spark.feed.about import About
from pozytywka_spark.feed.history import Past
from pozytywka_spark.feed.pairs import Array, Pairs
from pozytywka_spark.feed.tastes import FLOOR
from pozytywka_spark.feed.track_side import Tracks

_PAST = ("plays", "long", "short", "days", "skipped", "likes", "echo")
OF_TRACK_PAST = _PAST
OF_ARTIST_PAST = tuple(f"artist_{name}" for name in (*_PAST, "tracks"))
OF_SCORES = ("linear_long", "linear_short", "linear_likes", "factors")
OF_ARTIST_SCORES = ("artist_linear_long", "artist_linear_short", "artist_factors")
OF_TASTES = ("taste", "pick")
OF_GENRE = ("genre_best", "genre_sum", "favourite")
OF_TRACK = (
    "plays_7", "plays_28", "plays_90", "users_28", "track_finish", "track_skip", "track_like", "track_again",
    "age_days", "artist_plays_28", "city_share",
)  # fmt: skip
OF_USER = (
    "user_plays", "user_plays_28", "user_tracks", "user_likes", "user_days_28", "user_days", "user_finish",
    "user_skip", "user_like", "user_repeat", "linear_highest",
)  # fmt: skip
NAMES = (
    *OF_TRACK_PAST, *OF_ARTIST_PAST, *OF_SCORES, *OF_ARTIST_SCORES, *OF_TASTES, *OF_GENRE, *OF_TRACK, *OF_USER
)  # fmt: skip


def features_hash() -> str:
    """Of names and order: what a model was trained on must be what it is given."""
    return hashlib.sha256("\n".join(NAMES).encode()).hexdigest()[:16]


def features_of(pairs: Pairs, about: About, tracks: Tracks, names: Sequence[str] = NAMES) -> Array:
    """Features × pairs, of these names. A gap is NaN: never played, or no release date."""
    found = np.empty((len(names), len(pairs)), dtype=np.float32)
    looked_up = _LookUp(pairs, about, tracks)
    for row, name in enumerate(names):
        found[row] = looked_up.column(name)
    return found


@dataclass
class _LookUp:
    """Columns of pairs; where in a table each pair lies is worked out once for all columns of the table."""

    pairs: Pairs
    about: About
    tracks: Tracks

    def __post_init__(self) -> None:
        self._user = self.pairs.user
        self._track = self.pairs.track.astype(np.int64)
        self._artist = self.tracks.side.artist[self._track]
        self._places: dict[str, Array] = {}
        self._genres: tuple[Array, ...] | None = None

    def column(self, name: str) -> Array:
        """One of `NAMES`."""
        about, tracks = self.about, self.tracks
        if name in OF_TRACK_PAST:
            return self._past("track", about.tracks, self._track, len(tracks.side), name)
        if name in OF_ARTIST_PAST:
            artists = len(tracks.side.artist_id)
            return self._past("artist", about.artists, self._artist, artists, name[len("artist_") :])
        if name in OF_SCORES:
            table = self._table_of_tracks(name)
            return self._score("scores", table, tracks.model.track, self._track, len(tracks.side))
        if name in OF_ARTIST_SCORES:
            table = self._table_of_artists(name)
            artists = len(tracks.side.artist_id)
            return self._score("artists", table, tracks.artists.track, self._artist, artists)
        if name in OF_TASTES:
            return self._taste(name)
        if name in OF_GENRE:
            return self._genre(OF_GENRE.index(name))
        if name in OF_USER:
            return np.repeat(_habit(about, name), np.diff(self.pairs.start))
        return self._of_track(name)

    def _past(self, key: str, past: Past, thing: Array, things: int, name: str) -> Array:
        if key not in self._places:
            table = np.zeros(len(self.about) * things, dtype=np.int32)
            table[past.user * things + past.thing] = np.arange(1, len(past) + 1, dtype=np.int32)
            self._places[key] = table.take(self._user * things + thing)
        values = getattr(past, name).astype(np.float32)
        absent = np.float32(np.nan if name == "days" else 0)
        return np.append(absent, values).take(self._places[key])

    def _score(self, key: str, table: Array, model: Array, thing: Array, things: int) -> Array:
        """Cells of users × the model's things; 0 for what the model leaves out."""
        if key not in self._places:
            place = np.full(things, len(model), dtype=np.int64)
            place[model] = np.arange(len(model))
            self._places[key] = self._user * (len(model) + 1) + place[thing]
        return np.pad(table, ((0, 0), (0, 1))).ravel().take(self._places[key])

    def _table_of_tracks(self, name: str) -> Array:
        if name == "factors":
            return _cosines(
                self.about.tracks, self.tracks.side.embedding, self.tracks.model.track, self.about
            )
        return self.about.scores[OF_SCORES.index(name)]

    def _table_of_artists(self, name: str) -> Array:
        if name == "artist_factors":
            embedding = self.tracks.artist_embedding
            return _cosines(self.about.artists, embedding, self.tracks.artists.track, self.about)
        return self.about.artist_scores[OF_ARTIST_SCORES.index(name)]

    def _taste(self, name: str) -> Array:
        """Log chance that a new track of the user's is by the artist; that it is this one."""
        if "taste" not in self._places:
            model, artists = self.tracks.tastes.artist, len(self.tracks.side.artist_id)
            place = np.full(artists, len(model), dtype=np.int64)
            place[model] = np.arange(len(model))
            at = self._user * (len(model) + 1) + place[self._artist]
            self._places["taste"] = (
                np.pad(self.about.tastes, ((0, 0), (0, 1)), constant_values=FLOOR).ravel().take(at)
            )
        taste = self._places["taste"]
        return taste if name == "taste" else taste + self.tracks.track_share.take(self._track)

    def _genre(self, which: int) -> Array:
        """Best and summed share of the user's plays that went to its genres; whether one is a favourite."""
        if self._genres is None:
            about, width = self.about, self.about.genres.shape[1]
            liked = np.zeros(about.genres.shape, dtype=np.float32)
            row, column = np.nonzero(about.listeners.favourites >= 0)
            liked[row, about.listeners.favourites[row, column]] = 1
            found = np.zeros((3, len(self._track)), dtype=np.float32)
            base = self._user * width
            for column in self.tracks.side.genres.T:
                genre = column.take(self._track)
                if (genre < 0).all():
                    break
                at = base + np.where(genre < 0, width - 1, genre)
                share = about.genres.ravel().take(at)
                np.maximum(found[0], share, out=found[0])
                found[1] += share
                np.maximum(found[2], liked.ravel().take(at), out=found[2])
            self._genres = tuple(found)
        return self._genres[which]

    def _of_track(self, name: str) -> Array:
        tracks, side = self.tracks, self.tracks.side
        if name == "city_share":
            city = self.about.listeners.city
            row = np.where(city < 0, len(tracks.city_share) - 1, city)
            return tracks.city_share.ravel().take(row[self._user] * len(side) + self._track)
        if name == "artist_plays_28":
            return tracks.artist_plays.take(self._artist)
        columns = {
            "plays_7": tracks.plays_7,
            "plays_28": side.plays,
            "plays_90": tracks.plays_90,
            "users_28": side.users,
            "track_finish": tracks.finish,
            "track_skip": tracks.skip,
            "track_like": tracks.like,
            "track_again": tracks.again,
            "age_days": tracks.age_days,
        }
        return columns[name].take(self._track)


def _habit(about: About, name: str) -> Array:
    if name == "linear_highest":
        highest: Array = about.scores[0].max(axis=1, initial=0)
        return highest
    habit: Array = getattr(about.habits, name[len("user_") :])
    return habit


def _cosines(past: Past, embedding: Array, model: Array, about: About) -> Array:
    """Users × the model's things: how near what they play lies to each, in the embedding."""
    shape = (len(about), len(embedding))
    mean = sparse.csr_matrix((past.long, (past.user, past.thing)), shape=shape) @ embedding
    mean /= np.maximum(np.linalg.norm(mean, axis=1, keepdims=True), 1e-6)
    return np.asarray(mean @ embedding[model].T, dtype=np.float32)
