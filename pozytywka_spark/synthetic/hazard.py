"""The purchase hazard: who buys premium, and when. This is the law that models are asked to find.

At each break after a track a free user may buy. With θ the user's hidden taste (Gamma, mean 1),
the probability of a purchase at a break, given none before, is

    1 - exp(-θ · exp(η) · w)

w, the break's weight: `AFTER_ADVERT` · (1 + `ANNOYANCE` · adverts heard earlier in this session)
right after an advert; `AFTER_TRACK` after a track that was played to its end with no advert
following; 0 after a skip (the next track starts at once).

η, fixed for a session, from what the user did before it. Each sum fades by half in
`HALF_LIFE_DAYS` (days between the starts of sessions):

    η =  level                                 found so that the wanted share of users buys
       + ADVERTS · ln(1 + A)                   A: adverts heard
       + LIKES · ln(1 + L)                     L: likes given
       + FAVOURITES · f                        f: share of plays of artists with a favourite genre
       + POPULARITY · (p - 45) / 20            p: mean popularity of the tracks played
       + FED_UP · ln(1 + A) · s(f)             the non-linear interaction: adverts drive those most
                                               who hear what they love; s(f) = 1 / (1 + exp(-25 (f - 0.2)))
       + SEASON · cos(2π (month - 12) / 12)    highest in December, lowest in June

f and p shrink to their means (0.125, 45) by `SHRINK` plays, so that a first session is defined.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from pozytywka_spark.synthetic.catalogue import Array
from pozytywka_spark.synthetic.plan import DAY_MS

HALF_LIFE_DAYS = 30.0
AFTER_ADVERT = 1.0
AFTER_TRACK = 0.6
ANNOYANCE = 0.15
ADVERTS = 1.2
LIKES = 0.4
FAVOURITES = 2.5
POPULARITY = 0.8
FED_UP = 1.2
SEASON = 0.35
SHRINK = 10.0
MEAN_FAVOURITE = 0.125
MEAN_POPULARITY = 45.0


@dataclass
class Memory:
    """What the hazard remembers, one entry a user, session or path: fading sums of what happened before."""

    adverts: Array
    likes: Array
    plays: Array
    favourites: Array
    popularity: Array

    @classmethod
    def empty(cls, users: int) -> Memory:
        """Of users who have done nothing yet."""
        return cls(*(np.zeros(users) for _ in range(5)))

    def take(self, at: Array) -> Memory:
        """Of some entries."""
        return Memory(*(value[at] for value in vars(self).values()))

    def faded(self, days: Array) -> Memory:
        """What is left of it after `days`."""
        remaining = np.exp2(-days / HALF_LIFE_DAYS)
        return Memory(*(remaining * value for value in vars(self).values()))

    def put(self, at: Array, other: Memory) -> None:
        """Replace the entries `at` by `other`, in place."""
        for mine, more in zip(vars(self).values(), vars(other).values(), strict=True):
            mine[at] = more

    def add(self, at: Array, other: Memory) -> None:
        """Add `other` to the entries `at`, in place."""
        for mine, more in zip(vars(self).values(), vars(other).values(), strict=True):
            mine[at] += more


def log_hazard(memory: Memory, month_of_year: Array) -> Array:
    """η but for the level; `month_of_year` from 1 to 12."""
    adverts = np.log1p(memory.adverts)
    plays = memory.plays + SHRINK
    favourite = (memory.favourites + SHRINK * MEAN_FAVOURITE) / plays
    popularity = (memory.popularity + SHRINK * MEAN_POPULARITY) / plays
    keen = 1.0 / (1.0 + np.exp(-25.0 * (favourite - 0.2)))
    eta: Array = (
        ADVERTS * adverts
        + LIKES * np.log1p(memory.likes)
        + FAVOURITES * favourite
        + POPULARITY * (popularity - MEAN_POPULARITY) / 20.0
        + FED_UP * adverts * keen
        + SEASON * np.cos(2 * np.pi * (month_of_year - 12) / 12)
    )
    return eta


def break_weight(advert: Array, skipped: Array, adverts_before: Array) -> Array:
    """w of each break; `adverts_before` counts those heard earlier in the session."""
    after_advert = AFTER_ADVERT * (1.0 + ANNOYANCE * adverts_before)
    weight: Array = np.where(advert, after_advert, np.where(skipped, 0.0, AFTER_TRACK))
    return weight


def session_weight(adverts: Array, to_the_end: Array) -> Array:
    """w summed over a session: n adverts weigh n + ANNOYANCE · n(n-1)/2, in whatever order they come."""
    weight: Array = (
        AFTER_ADVERT * (adverts + ANNOYANCE * adverts * (adverts - 1) / 2) + AFTER_TRACK * to_the_end
    )
    return weight


def days_between(earlier_ms: Array, later_ms: Array) -> Array:
    """Days as a fraction."""
    days: Array = (later_ms - earlier_ms) / DAY_MS
    return days
