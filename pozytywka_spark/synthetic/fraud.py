"""Fraud rings: accounts that play the same few tracks, and ordinary ones as camouflage, and never buy."""

from __future__ import annotations

from functools import lru_cache

import numpy as np

from pozytywka_spark.synthetic.catalogue import Array, Catalogue
from pozytywka_spark.synthetic.plan import FIRST_USER, PILOT, Plan

BUSY = 8.0  # mean sessions beyond the first of an active month
_FRAUD = 7  # key of the random numbers


def rings_of(plan: Plan, user_id: Array, chunk: int) -> Array:
    """The ring of each user, -1 for the honest ones (and for all of a pilot)."""
    none = np.full(len(user_id), -1)
    if not plan.world.fraud.rings or chunk >= PILOT:
        return none
    ring: Array = _ring_of_everyone(plan)[user_id - FIRST_USER]
    return ring


@lru_cache(maxsize=2)
def _ring_of_everyone(plan: Plan) -> Array:
    fraud = plan.world.fraud
    ring = np.full(plan.world.users, -1)
    size = fraud.rings * fraud.accounts
    members = plan.rng(_FRAUD, 0).choice(plan.world.users, size, replace=False)
    ring[members] = np.arange(size) % fraud.rings
    return ring


def ring_tracks(plan: Plan, catalogue: Catalogue, ring: Array, draw: Array) -> Array:
    """A track of each ring; `draw` is uniform in [0, 1)."""
    tracks: Array = own_tracks(plan, catalogue)[
        ring, np.floor(draw * plan.world.fraud.tracks).astype(np.int64)
    ]
    return tracks


def own_tracks(plan: Plan, catalogue: Catalogue) -> Array:
    """Rings × the tracks that each plays."""
    played = np.unique(catalogue.pools.track)
    return np.stack(
        [
            plan.rng(_FRAUD, 1, number).choice(played, plan.world.fraud.tracks, replace=False)
            for number in range(plan.world.fraud.rings)
        ]
    )
