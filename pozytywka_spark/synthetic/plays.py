"""Plays inside sessions as if nobody ever bought premium: tracks, likes, skips, adverts."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from pozytywka_spark.synthetic import changes
from pozytywka_spark.synthetic.catalogue import FLAT_POOL, HITS_POOL, Array, Catalogue
from pozytywka_spark.synthetic.fans import with_fans
from pozytywka_spark.synthetic.fraud import ring_tracks
from pozytywka_spark.synthetic.people import People
from pozytywka_spark.synthetic.plan import Plan, Rng
from pozytywka_spark.synthetic.sessions import Sessions
from pozytywka_spark.synthetic.slots.spotlight import with_spotlight


@dataclass(frozen=True)
class Plays:
    """One entry a play, in the order of the sessions."""

    session: Array  # index into the sessions
    track: Array
    favourite: Array  # whether the track's artist has at least one of the user's favourite genres
    liked: Array  # the user's first like of the track
    like_after_ms: Array
    skipped: Array
    listened_ms: Array  # whole duration, or up to the skip
    advert: Array  # an advert is due after the track, unless premium was bought before
    advert_ms: Array
    settle_ms: Array  # pause after a purchase, should there be one

    def __len__(self) -> int:
        return len(self.session)


def plays_of(plan: Plan, rng: Rng, people: People, sessions: Sessions, catalogue: Catalogue) -> Plays:
    """All plays of a chunk: likes are for life, and fall within what was listened to."""
    session = np.repeat(np.arange(len(sessions)), sessions.plays)
    user = sessions.user[session]
    count = len(session)
    picky = rng.random(count) < people.favourite[user]
    genres = people.favourites[user, rng.integers(0, 3, count)]
    other = np.where(rng.random(count) < people.mainstream[user], HITS_POOL, FLAT_POOL)
    track = catalogue.pools.draw(rng, np.where(picky, genres, other))
    track = _with_fraud(plan, track, people.ring[user], catalogue)
    track = with_fans(plan, track, people, user, catalogue)
    track = with_spotlight(plan, track, people, sessions, catalogue)
    skipped = rng.random(count) < people.skip[user]
    duration = catalogue.tracks["duration_ms"][track]
    listened = np.where(skipped, rng.uniform(0.03, 0.97, count) * duration, duration).astype(np.int64)
    liked = first_wanted(rng.random(count) < people.like[user], user * len(catalogue.tracks["id"]) + track)
    factor = changes.advert_factor(plan, people.treated[user], sessions.month[session])
    return Plays(
        session=session,
        track=track,
        favourite=(catalogue.favourite_mask[track] & people.favourite_mask[user]) != 0,
        liked=liked,
        like_after_ms=(rng.uniform(0.02, 0.98, count) * listened).astype(np.int64),
        skipped=skipped,
        listened_ms=listened,
        advert=rng.random(count) < changes.advert_chance(people.advert[user], factor),
        advert_ms=rng.integers(5, 31, count) * 1000,
        settle_ms=rng.integers(5, 31, count) * 1000,
    )


def _with_fraud(plan: Plan, track: Array, ring: Array, catalogue: Catalogue) -> Array:
    """Tracks as played, with those of rings put in."""
    crooked = np.flatnonzero(ring >= 0)
    if not len(crooked):
        return track
    rng = plan.rng(8, int(crooked[0]), len(crooked))
    zealous = crooked[rng.random(len(crooked)) < 1 - plan.world.fraud.camouflage]
    track[zealous] = ring_tracks(plan, catalogue, ring[zealous], rng.random(len(zealous)))
    return track


def first_wanted(wanted: Array, key: Array) -> Array:
    """`wanted`, for the first wanted entry of each key only."""
    at = np.flatnonzero(wanted)
    _, first = np.unique(key[at], return_index=True)
    taken = np.zeros_like(wanted)
    taken[at[first]] = True
    return taken
