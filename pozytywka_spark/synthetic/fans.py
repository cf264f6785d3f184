"""Fans of one artist: several share each artist, and play it by taste, without any plan."""

from __future__ import annotations

import numpy as np

from pozytywka_spark.synthetic.catalogue import Array, Catalogue
from pozytywka_spark.synthetic.people import People
from pozytywka_spark.synthetic.plan import Plan
from pozytywka_spark.synthetic.roles import FAN

FANS_AN_ARTIST = 20
LEAST_TRACKS = 5  # of an artist that has fans, where there are such artists
DEVOTION = (6.0, 3.0)  # Beta shapes, over fans: share of plays that go to the artist
_FANS = 11  # key of the random numbers


def artist_of_fans(plan: Plan, catalogue: Catalogue, people: People) -> Array:
    """The artist (index) of each fan, -1 for all others."""
    favourite = np.full(len(people), -1)
    fans = np.flatnonzero(people.role == FAN)
    if len(fans):
        artists = _artists_with_fans(plan, catalogue)
        favourite[fans] = artists[people.user_id[fans] * 7919 % len(artists)]
    return favourite


def _artists_with_fans(plan: Plan, catalogue: Catalogue) -> Array:
    """Artists with many tracks on offer, as many as there are fans for."""
    wanted = -(-plan.world.fraud.fans // FANS_AN_ARTIST)
    played = np.unique(catalogue.pools.track)
    offered = np.bincount(catalogue.artist_of[played], minlength=len(catalogue.artists["id"]))
    likely = np.flatnonzero(offered >= LEAST_TRACKS)
    if len(likely) < wanted:
        likely = np.argsort(-offered, kind="stable")[:wanted]
    return plan.rng(_FANS, 0).choice(likely, wanted, replace=False)


def with_fans(plan: Plan, track: Array, people: People, user: Array, catalogue: Catalogue) -> Array:
    """Tracks as played (by `user`, one entry a play), with the artist's put in for fans."""
    artist = artist_of_fans(plan, catalogue, people)
    fans = np.flatnonzero(artist >= 0)
    if not len(fans):
        return track
    result = track.copy()
    rng = plan.rng(_FANS, 1, int(people.user_id[0]))
    devotion = np.zeros(len(people))
    devotion[fans] = rng.beta(*DEVOTION, len(fans))
    devoted = np.flatnonzero(rng.random(len(track)) < devotion[user])
    for number in np.unique(artist[user[devoted]]):
        at = devoted[artist[user[devoted]] == number]
        own = np.flatnonzero(catalogue.artist_of == number)
        # the artist's better known tracks come more often, for every fan alike
        weight = 1.0 / (1.0 + plan.rng(_FANS, 2, int(number)).permutation(len(own)))
        result[at] = rng.choice(own, len(at), p=weight / weight.sum())
    return result
