"""Families of genres: artists mix genres within their own, and people like a family, whatever its names.

A family has two of the genres that can be somebody's favourite and a share of all others. Nobody is told of
it: what is delivered are artists' genres.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from pozytywka_spark.synthetic.plan import Rng
from pozytywka_spark.synthetic.words import FAVOURITE_GENRES

Array = np.ndarray[Any, Any]
FAMILIES = len(FAVOURITE_GENRES) // 2
STRAY = 0.05  # chance of each of an artist's genres to be of any family
SIZE_SPREAD = 0.4  # of the log weights of families among artists


def family_of_genres(rng: Rng, genres: int) -> Array:
    """The family of each genre: pairs of favourites drawn by lot, the others evenly."""
    favourites = rng.permutation(len(FAVOURITE_GENRES)) % FAMILIES
    others = rng.permutation(genres - len(FAVOURITE_GENRES)) % FAMILIES
    return np.concatenate([favourites, others])


def family_of_artists(rng: Rng, artists: int) -> Array:
    """The family of each artist; every family has some."""
    weight = rng.lognormal(0.0, SIZE_SPREAD, FAMILIES)
    drawn = rng.choice(FAMILIES, artists, p=weight / weight.sum())
    return np.where(np.arange(artists) < FAMILIES, np.arange(artists), drawn)


def genres_within(rng: Rng, family: Array, of_artist: Array, drawn: Array) -> Array:
    """`drawn` (artists × most genres, -1 for none), but each of the artist's own family, a few but STRAY."""
    by_family = np.argsort(family, kind="stable")
    size = np.bincount(family, minlength=FAMILIES)
    first = np.cumsum(size) - size
    place = np.floor(rng.random(drawn.shape) * size[of_artist][:, None]).astype(np.int64)
    own = by_family[first[of_artist][:, None] + place]
    strays = rng.random(drawn.shape) < STRAY
    return np.where(drawn < 0, -1, np.where(strays, drawn, own))


def favourites_within(family: Array, of_artist: Array) -> Array:
    """Of each artist: the favourite genres of its family as bits."""
    bits = np.zeros(FAMILIES, np.uint64)
    shift = np.arange(len(FAVOURITE_GENRES), dtype=np.uint64)
    np.bitwise_or.at(bits, family[: len(shift)], np.uint64(1) << shift)
    of_artists: Array = bits[of_artist]
    return of_artists
