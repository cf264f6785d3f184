"""What a person picks anew: an artist by likeness, then one of their tracks."""

from __future__ import annotations

from dataclasses import dataclass
from itertools import pairwise

import numpy as np

from pozytywka_spark.synthetic.catalogue import Array, Catalogue
from pozytywka_spark.synthetic.plan import Plan, Rng
from pozytywka_spark.synthetic.taste.releases import releases_of
from pozytywka_spark.synthetic.taste.vectors import Habits, artist_vectors

_ROWS = 256  # users at a time
_LONG_AGO = -10_000  # weeks
_FAME = 26  # key of the random numbers


@dataclass(frozen=True)
class Offer:
    """Tracks that people pick by taste, in the order of their artists."""

    track: Array  # index into the catalogue
    artist: Array  # index into the catalogue, sorted
    week: Array  # of the release, as `week_of` counts
    weight: Array  # how often it is picked beside others that are as near, once it is no longer fresh


def offer_of(plan: Plan, catalogue: Catalogue) -> Offer:
    """All tracks that are picked by taste."""
    old = np.unique(catalogue.pools.track)
    fresh, week = releases_of(plan, len(catalogue.tracks["id"]), old)
    track = np.concatenate([old, fresh])
    released = np.concatenate([np.full(len(old), _LONG_AGO), week])
    artist = catalogue.artist_of[track]
    fame = plan.world.taste.fame
    known = plan.rng(_FAME, 0).lognormal(0.0, fame, len(catalogue.artists["id"]))
    weight = plan.rng(_FAME, 1).lognormal(0.0, fame, len(track)) * known[artist]
    order = np.lexsort((track, artist))
    return Offer(track[order], artist[order], released[order], weight[order])


def weights_in(plan: Plan, offer: Offer, week: int) -> Array:
    """How often tracks are picked in a week: never before its release, most just after it."""
    taste = plan.world.taste
    age = week - offer.week
    fresh = 1.0 + taste.fresh_boost * np.exp2(-np.maximum(age, 0) / taste.fresh_weeks)
    weight: Array = np.where(age < 0, 0.0, offer.weight * fresh)
    return weight


@dataclass(frozen=True)
class Shelf:
    """The offer by artist, and how much each person is drawn to each of them."""

    offer: Offer
    first: Array  # of each artist in the offer: place of the first track
    likeness: Array  # users × artists in the offer, from -1 to 1
    pull: Array  # users × artists in the offer: exp(strength · likeness)


def shelf_of(plan: Plan, habits: Habits, catalogue: Catalogue) -> Shelf:
    """For the users of a chunk."""
    offer = offer_of(plan, catalogue)
    artist, first = np.unique(offer.artist, return_index=True)
    likeness = habits.vector @ artist_vectors(plan, catalogue)[artist].T
    return Shelf(offer, first, likeness, np.exp(habits.strength[:, None] * (likeness - 1.0)))


def picked(plan: Plan, rng: Rng, shelf: Shelf, user: Array, week: Array) -> Array:
    """A track (place in the offer) for each entry."""
    result = np.empty(len(user), dtype=np.int64)
    for number in np.unique(week):
        at = np.flatnonzero(week == number)
        weight = weights_in(plan, shelf.offer, int(number))
        of_artist = np.add.reduceat(weight, shelf.first)
        end = np.cumsum(weight)
        artist = _artists(rng, shelf.pull, of_artist, user[at])
        low = end[shelf.first[artist]] - weight[shelf.first[artist]]
        target = low + rng.random(len(at)) * of_artist[artist] * (1 - 1e-12)
        result[at] = np.minimum(np.searchsorted(end, target, side="right"), len(end) - 1)
    return result


def _artists(rng: Rng, pull: Array, of_artist: Array, user: Array) -> Array:
    who, row = np.unique(user, return_inverse=True)
    result = np.empty(len(user), dtype=np.int64)
    order = np.argsort(row, kind="stable")
    ends = np.searchsorted(row[order], np.arange(0, len(who) + _ROWS, _ROWS))
    for number, (low, high) in enumerate(pairwise(ends.tolist())):
        at = order[low:high]
        rows = who[number * _ROWS : (number + 1) * _ROWS]
        total = np.cumsum(pull[rows] * of_artist, axis=1)
        # rows laid end to end, one unit long each: a draw is one binary search
        place = np.cumsum(np.ones(len(rows)))[:, None] - 1 + total / total[:, -1:]
        draw = row[at] - number * _ROWS + rng.random(len(at)) * (1 - 1e-9)
        flat = np.searchsorted(place.ravel(), draw, side="right")
        result[at] = np.minimum(flat - (row[at] - number * _ROWS) * pull.shape[1], pull.shape[1] - 1)
    return result


def chance_of_picks(plan: Plan, shelf: Shelf, users: Array, weeks: Array) -> Array:
    """Users × the offer: the chance of each track at one pick, averaged over weeks."""
    total = np.zeros((len(users), len(shelf.offer.track)))
    artist = np.repeat(np.arange(len(shelf.first)), np.diff(np.append(shelf.first, len(shelf.offer.track))))
    for week in weeks.tolist():
        weight = shelf.pull[users][:, artist] * weights_in(plan, shelf.offer, week)
        total += weight / weight.sum(axis=1, keepdims=True)
    return total / len(weeks)
