"""Artists, tracks and their storage: made whole in every process that needs them, from the seed alone."""

from __future__ import annotations

from dataclasses import dataclass, replace
from functools import lru_cache
from typing import Any

import numpy as np

from pozytywka_spark.synthetic import words
from pozytywka_spark.synthetic.families import (
    family_of_artists,
    family_of_genres,
    favourites_within,
    genres_within,
)
from pozytywka_spark.synthetic.plan import Plan, Rng
from pozytywka_spark.synthetic.taste.releases import release_dates

Array = np.ndarray[Any, Any]

FAVOURITES = len(words.FAVOURITE_GENRES)
HITS_POOL = FAVOURITES
FLAT_POOL = FAVOURITES + 1

_BASE62 = np.frombuffer(b"0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz", dtype="S1")
WEIGHT_SPREAD = 0.15  # of the log weights of tracks within their pools
# How many genres an artist has, as in the real deliveries (1 to 12).
_GENRE_COUNTS = np.array([2773, 2467, 1825, 1216, 869, 539, 345, 220, 147, 93, 53, 48], dtype=float)


@dataclass(frozen=True)
class Pools:
    """Weighted pools of tracks laid end to end, so that a draw from any of them is one binary search."""

    track: Array  # track index of each entry
    cumulative: Array  # running weight over all pools
    low: Array  # per pool: weight before it
    high: Array  # per pool: weight up to its end

    def draw(self, rng: Rng, pool: Array) -> Array:
        """One track for each requested pool, by weight."""
        at = self.low[pool] + rng.random(len(pool)) * (self.high[pool] - self.low[pool])
        place = np.searchsorted(self.cumulative, at, side="right")
        drawn: Array = self.track[np.minimum(place, len(self.track) - 1)]
        return drawn


@dataclass(frozen=True)
class Catalogue:
    """Columns by name. `genre_of` is artists × most genres, padded with -1."""

    genres: Array
    artists: dict[str, Array]
    genre_of: Array
    tracks: dict[str, Array]
    artist_of: Array
    favourite_mask: Array  # per track: bit g is set if its artist has favourite genre g, or one of its family
    storage: dict[str, Array]
    pools: (
        Pools  # pool g < 50: tracks of favourite genre g or its family; then the hits, then all played ones
    )


@dataclass(frozen=True)
class _Size:
    """All that a catalogue depends on."""

    seed: int
    tracks: int
    artists: int
    played_tracks: int
    genres: int
    families: bool


def catalogue_of(plan: Plan) -> Catalogue:
    """The catalogue of a world; kept, for a worker asks again for every chunk."""
    world = plan.world
    size = (world.seed, world.tracks, world.artists, world.played_tracks, world.genres, world.families)
    catalogue = _catalogue(_Size(*size))
    return _with_releases(plan, catalogue) if world.taste.on else catalogue


def _with_releases(plan: Plan, catalogue: Catalogue) -> Catalogue:
    dates = release_dates(plan, catalogue.tracks["release_date"], np.unique(catalogue.pools.track))
    return replace(catalogue, tracks={**catalogue.tracks, "release_date": dates})


@lru_cache(maxsize=2)
def _catalogue(size: _Size) -> Catalogue:
    rng = np.random.default_rng([size.seed, 0])
    genres = _genres(rng, size.genres)
    genre_of = _genre_of(rng, size)
    mask = _favourite_mask(genre_of)
    if size.families:
        genre_of, mask = _in_families(size, genre_of)
    artists = {"id": _ids(rng, size.artists), "name": _titles(rng, size.artists, most_words=3)}
    artist_of = _artist_of(rng, size)
    tracks = _tracks(rng, size.tracks, artists["id"][artist_of])
    storage = _storage(rng, tracks)
    pools = _pools(rng, size, tracks["popularity"], mask[artist_of])
    return Catalogue(genres, artists, genre_of, tracks, artist_of, mask[artist_of], storage, pools)


def _in_families(size: _Size, genre_of: Array) -> tuple[Array, Array]:
    """Each artist's genres within its family, and the favourite genres of the family as bits."""
    rng = np.random.default_rng([size.seed, 0, 1])
    family, of_artist = family_of_genres(rng, size.genres), family_of_artists(rng, size.artists)
    within = _once_each(genres_within(rng, family, of_artist, genre_of))
    return within, favourites_within(family, of_artist)


def bits(genres: Array) -> Array:
    """Each genre index as a bit; none for -1 and for genres that are nobody's favourites."""
    shift = np.clip(genres, 0, 63).astype(np.uint64)
    fit = (genres >= 0) & (genres < FAVOURITES)
    return np.where(fit, np.uint64(1) << shift, np.uint64(0))


def _favourite_mask(genre_of: Array) -> Array:
    mask: Array = np.bitwise_or.reduce(bits(genre_of), axis=1)
    return mask


def _ids(rng: Rng, count: int) -> Array:
    """Identifiers of 22 letters and digits, as the deliveries have."""
    letters = _BASE62[rng.integers(0, len(_BASE62), (count, 22))]
    return np.ascontiguousarray(letters).view("S22").ravel().astype("U22")


def _genres(rng: Rng, count: int) -> Array:
    invented = np.array([f"{place} {style}" for place in words.PLACES for style in words.STYLES])
    return np.concatenate([np.array(words.FAVOURITE_GENRES), rng.permutation(invented)])[:count]


def _titles(rng: Rng, count: int, most_words: int) -> Array:
    """Names of one to `most_words` words; some occur more than once, as they do in life."""
    word = np.array([text.capitalize() for text in words.TITLE_WORDS])
    length = rng.integers(1, most_words + 1, count)
    names = word[rng.integers(0, len(word), count)]
    for position in range(1, most_words):
        longer = np.char.add(np.char.add(names, " "), word[rng.integers(0, len(word), count)])
        names = np.where(length > position, longer, names)
    return names


def _genre_of(rng: Rng, size: _Size) -> Array:
    """Genres of each artist, distinct; favourites are the common ones."""
    share = _GENRE_COUNTS / _GENRE_COUNTS.sum()
    count = rng.choice(np.arange(1, len(share) + 1), size.artists, p=share)
    weight = 1.0 / (np.arange(size.genres) + 15.0) ** 0.95
    drawn = rng.choice(size.genres, (size.artists, len(share)), p=weight / weight.sum())
    drawn[np.arange(len(share)) >= count[:, None]] = -1
    return _once_each(drawn)


def _once_each(drawn: Array) -> Array:
    """Genres of a row in order, largest first, each once; -1 in the place of one that is there already."""
    ordered = np.sort(drawn, axis=1)[:, ::-1]
    twice = np.zeros_like(ordered, dtype=bool)
    twice[:, 1:] = ordered[:, 1:] == ordered[:, :-1]
    return np.where(twice, -1, ordered)


def _artist_of(rng: Rng, size: _Size) -> Array:
    """The artist of each track: everyone has one, a few have very many."""
    once = np.arange(size.tracks) % size.artists
    weight = rng.lognormal(0.0, 1.1, size.artists)
    rest = rng.choice(size.artists, size.tracks, p=weight / weight.sum())
    return np.where(np.arange(size.tracks) < size.artists, once, rest)


def _tracks(rng: Rng, count: int, id_artist: Array) -> dict[str, Array]:
    popularity = np.clip(np.rint(rng.normal(30.0, 17.0, count)), 0, 100).astype(np.int64)
    energy = rng.beta(2.1, 1.7, count)
    loudness = np.clip(-18.0 + 14.5 * energy + rng.normal(0, 3.0, count), -60.0, 0.0)
    instrumental = np.where(rng.random(count) < 0.36, 0.0, 10 ** rng.uniform(-6.0, 0.0, count))
    audio = {
        "danceability": rng.beta(4.8, 3.7, count),
        "energy": energy,
        "key": rng.integers(0, 12, count),
        "loudness": loudness,
        "speechiness": 0.025 + 0.9 * rng.beta(0.5, 6.0, count),
        "acousticness": rng.beta(0.75, 1.0, count),
        "instrumentalness": instrumental,
        "liveness": 0.02 + 0.97 * rng.beta(1.1, 4.4, count),
        "valence": rng.beta(1.6, 1.3, count),
        "tempo": np.clip(rng.normal(119.5, 29.0, count), 40.0, 220.0),
    }
    digits = {"loudness": 3, "tempo": 3, "instrumentalness": 8}
    rounded = {name: value.round(digits.get(name, 4)) for name, value in audio.items()}
    return {
        "id": _ids(rng, count),
        "name": _titles(rng, count, most_words=5),
        "popularity": popularity,
        "duration_ms": np.clip(rng.lognormal(12.265, 0.36, count), 4_000, 7_100_000).astype(np.int64),
        "explicit": (rng.random(count) < 0.037).astype(np.int64),
        "id_artist": id_artist,
        "release_date": _release_dates(rng, count),
        **rounded,
    }


def _release_dates(rng: Rng, count: int) -> Array:
    """To the day for 77 in 100, to the year for 23, to the month for a few."""
    years = 1922 + np.floor(100 * rng.beta(4.0, 1.3, count)).astype(np.int64)
    first = (years - 1970).astype("datetime64[Y]").astype("datetime64[D]")
    day = (first + rng.integers(0, 365, count)).astype("U10")
    precision = rng.choice([10, 7, 4], count, p=[0.766, 0.005, 0.229])
    return np.select([precision == 10, precision == 7], [day, day.astype("U7")], day.astype("U4"))


def _storage(rng: Rng, tracks: dict[str, Array]) -> dict[str, Array]:
    """A track is SLOW unless rarely MEDIUM or FAST; the cost of a day grows with its length."""
    kind = rng.choice(3, len(tracks["id"]), p=[0.9896, 0.0103, 0.0001])
    per_ms = np.array([5e-8, 1e-7, 5e-7])[kind]
    return {
        "track_id": tracks["id"],
        "storage_class": np.array(["SLOW", "MEDIUM", "FAST"])[kind],
        "daily_cost": (tracks["duration_ms"] * per_ms).round(10),
    }


def _pools(rng: Rng, size: _Size, popularity: Array, mask_of_track: Array) -> Pools:
    """Only some tracks are ever offered; the most popular hundredth of them are the hits."""
    played = np.sort(rng.choice(size.tracks, size.played_tracks, replace=False))
    weight = rng.lognormal(0.0, WEIGHT_SPREAD, len(played))
    hits = np.sort(np.argsort(popularity[played], kind="stable")[-max(5, len(played) // 100) :])
    everything = np.arange(len(played))
    pools = []
    for genre in range(FAVOURITES):
        inside = np.flatnonzero(mask_of_track[played] & np.uint64(1 << genre))
        # A favourite genre that no offered track has is served like everything else.
        pools.append(inside if len(inside) else everything)
    pools += [hits, everything]
    ends = np.cumsum([weight[pool].sum() for pool in pools])
    return Pools(
        track=np.concatenate([played[pool] for pool in pools]),
        cumulative=np.cumsum(np.concatenate([weight[pool] for pool in pools])),
        low=np.concatenate([[0.0], ends[:-1]]),
        high=ends,
    )
