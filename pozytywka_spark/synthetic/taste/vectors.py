"""Hidden vectors: artists lie near their genres, people near their favourites, and each a way off."""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache

import numpy as np

from pozytywka_spark.synthetic.catalogue import Array, Catalogue
from pozytywka_spark.synthetic.people import People
from pozytywka_spark.synthetic.plan import Plan, Rng

GENRE_SHARE = 0.8  # of an artist's or a person's direction; the rest is their own
CATCHY = 1.0  # spread of what makes any listener like a track, and not skip it
NEAR, SPREAD = 0.62, 0.18  # the likeness of what is picked, about: there habits are as they are by themselves
LIKES_BY_LIKENESS, LIKES_BY_CATCHY = 0.45, 0.4  # on the log odds
SKIPS_BY_LIKENESS, SKIPS_BY_CATCHY = 0.25, 0.3
_ARTISTS, _PEOPLE, _TRACKS = 20, 21, 22  # keys of the random numbers


@dataclass(frozen=True)
class Habits:
    """One entry a user of a chunk."""

    vector: Array  # users × factors, of length 1
    strength: Array  # of the likeness to an artist, on the log of the chance to be picked
    repeats: Array  # chance that a play comes from what was played before

    def __len__(self) -> int:
        return len(self.strength)


@lru_cache(maxsize=2)
def _genres(plan: Plan) -> Array:
    return _drawn(plan.rng(_ARTISTS, 0), plan.world.genres, plan.world.taste.factors)


def artist_vectors(plan: Plan, catalogue: Catalogue) -> Array:
    """Artists × factors, of length 1."""
    genres = np.vstack([_genres(plan), np.zeros((1, plan.world.taste.factors))])  # -1 is the last: nothing
    of_genres = _of_length_one(genres[catalogue.genre_of].sum(axis=1))
    own = _drawn(plan.rng(_ARTISTS, 1), *of_genres.shape)
    return _mixed(of_genres, own)


def habits_of(plan: Plan, people: People) -> Habits:
    """What people are like, beyond what every world has."""
    rng = plan.rng(_PEOPLE, int(people.user_id[0]))
    taste = plan.world.taste
    favourites = _of_length_one(_genres(plan)[people.favourites].sum(axis=1))
    own = _drawn(rng, *favourites.shape)
    spread = rng.lognormal(0.0, 0.15, len(people))
    # Beta of the mean that was asked for
    repeats = rng.beta(6.0 * taste.repeats, 6.0 * (1.0 - taste.repeats), len(people))
    return Habits(_mixed(favourites, own), taste.strength * spread, repeats)


def catchiness(plan: Plan, catalogue: Catalogue) -> Array:
    """Of each track, whoever hears it."""
    return CATCHY * plan.rng(_TRACKS, 0).standard_normal(len(catalogue.tracks["id"]))


def chances(habit: Array, likeness: Array, catchy: Array, by_likeness: float, by_catchy: float) -> Array:
    """A habit's chance, moved on the log odds by how near the artist is and how catchy the track."""
    near = np.clip((likeness - NEAR) / SPREAD, -3.0, 2.0)
    odds = habit / (1.0 - habit) * np.exp(by_likeness * near + by_catchy * catchy)
    moved: Array = odds / (1.0 + odds)
    return moved


def like_chance(people: People, user: Array, likeness: Array, catchy: Array) -> Array:
    """Of a play of a track not yet liked."""
    return chances(people.like[user], likeness, catchy, LIKES_BY_LIKENESS, LIKES_BY_CATCHY)


def skip_chance(people: People, user: Array, likeness: Array, catchy: Array) -> Array:
    """Of any play."""
    return chances(people.skip[user], likeness, catchy, -SKIPS_BY_LIKENESS, -SKIPS_BY_CATCHY)


def _drawn(rng: Rng, count: int, factors: int) -> Array:
    return _of_length_one(np.asarray(rng.standard_normal((count, factors))))


def _mixed(shared: Array, own: Array) -> Array:
    return _of_length_one(GENRE_SHARE * shared + (1.0 - GENRE_SHARE) * own)


def _of_length_one(vectors: Array) -> Array:
    length = np.linalg.norm(vectors, axis=1, keepdims=True)
    scaled: Array = vectors / np.maximum(length, 1e-12)
    return scaled
