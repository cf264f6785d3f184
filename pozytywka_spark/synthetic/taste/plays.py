"""Plays by taste in the place of plays from pools, for everyone who isn't part of a plan."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from pozytywka_spark.synthetic.catalogue import Array, Catalogue
from pozytywka_spark.synthetic.people import People
from pozytywka_spark.synthetic.plan import Plan
from pozytywka_spark.synthetic.plays import Plays, first_wanted
from pozytywka_spark.synthetic.roles import FAN
from pozytywka_spark.synthetic.sessions import Sessions
from pozytywka_spark.synthetic.taste.picks import Shelf, picked, shelf_of
from pozytywka_spark.synthetic.taste.releases import week_of
from pozytywka_spark.synthetic.taste.repeats import lags, walked
from pozytywka_spark.synthetic.taste.vectors import (
    catchiness,
    habits_of,
    like_chance,
    skip_chance,
)

_PLAYS = 24  # key of the random numbers


def with_taste(plan: Plan, people: People, sessions: Sessions, plays: Plays, catalogue: Catalogue) -> Plays:
    """Tracks, skips and likes by taste; rings and fans go on as they were."""
    if not plan.world.taste.on:
        return plays
    rng = plan.rng(_PLAYS, int(people.user_id[0]))
    habits = habits_of(plan, people)
    shelf = shelf_of(plan, habits, catalogue)
    user = sessions.user[plays.session]
    own = np.flatnonzero(by_taste(people)[user])
    count = np.bincount(user[own], minlength=len(people))
    first = np.cumsum(count) - count
    place = np.arange(len(own)) - first[user[own]]
    pick = picked(plan, rng, shelf, user[own], week_of(sessions.planned_ms)[plays.session[own]])
    lag = lags(place, rng.random(len(own)))
    copies = (rng.random(len(own)) < habits.repeats[user[own]]) & (lag > 0)
    copied = np.where(copies, np.arange(len(own)) - lag, -1)
    near = likeness_by_track(shelf)
    catchy = catchiness(plan, catalogue)[shelf.offer.track]
    everyone = np.arange(len(people))[:, None]
    skips = skip_chance(people, everyone, near, catchy)
    chosen, skipped = walked(first, count, pick, copied, skips, rng.random(len(own)))
    likes = like_chance(people, user[own], near[user[own], chosen], catchy[chosen])
    wants = rng.random(len(own)) < likes
    track = plays.track.copy()
    track[own] = shelf.offer.track[chosen]
    duration = catalogue.tracks["duration_ms"][track[own]]
    listened = np.where(skipped, rng.uniform(0.03, 0.97, len(own)) * duration, duration).astype(np.int64)
    liked = plays.liked.copy()
    liked[own] = first_wanted(wants, user[own] * len(catalogue.tracks["id"]) + track[own])
    return replace(
        plays,
        track=track,
        favourite=(catalogue.favourite_mask[track] & people.favourite_mask[user]) != 0,
        liked=liked,
        like_after_ms=_put(plays.like_after_ms, own, (rng.uniform(0.02, 0.98, len(own)) * listened)),
        skipped=_put(plays.skipped, own, skipped),
        listened_ms=_put(plays.listened_ms, own, listened),
    )


def by_taste(people: People) -> Array:
    """Who picks by taste: neither rings nor fans, who have a plan or an artist of their own."""
    plain: Array = (people.ring < 0) & (people.role != FAN)
    return plain


def likeness_by_track(shelf: Shelf) -> Array:
    """Users × the offer."""
    tracks = np.diff(np.append(shelf.first, len(shelf.offer.track)))
    return np.repeat(shelf.likeness, tracks, axis=1)


def _put(values: Array, at: Array, new: Array) -> Array:
    result = values.copy()
    result[at] = new
    return result
