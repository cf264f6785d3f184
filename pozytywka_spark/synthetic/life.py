"""A chunk's users' lives: sessions and plays as if nobody bought, then the hazard says who does, and when."""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache

import numpy as np

from pozytywka_spark.synthetic import hazard
from pozytywka_spark.synthetic.catalogue import Array, Catalogue, catalogue_of
from pozytywka_spark.synthetic.hazard import Memory
from pozytywka_spark.synthetic.people import TASTE_SHAPE, People, people_of
from pozytywka_spark.synthetic.plan import PILOT, Plan
from pozytywka_spark.synthetic.plays import Plays, plays_of
from pozytywka_spark.synthetic.sessions import Sessions, sessions_of

REST_MS = 600_000  # least pause between two sessions of a user
_PILOT_CHUNKS = 10


@dataclass(frozen=True)
class Life:
    """All that happens to a chunk's users, were adverts to go on for ever."""

    people: People
    sessions: Sessions
    plays: Plays
    start_ms: Array  # of each session
    eta: Array  # of each session: the log hazard but for its level
    load: Array  # of each play: exp(eta) · weight of the break after it
    load_so_far: Array  # of each play: summed over the user's life, this break included


def life_of(plan: Plan, chunk: int) -> Life:
    """The life of a chunk's users: a function of plan and chunk alone."""
    people = people_of(plan, chunk)
    rng = plan.rng(3, chunk)
    sessions = sessions_of(plan, rng, people)
    catalogue = catalogue_of(plan)
    plays = plays_of(rng, people, sessions, catalogue)
    start_ms, eta = _remember(plan, people, sessions, plays, catalogue)
    earlier = _running(plays.advert.astype(float), plays.session) - plays.advert
    weight = hazard.break_weight(plays.advert, plays.skipped, earlier)
    load = np.exp(eta)[plays.session] * weight
    return Life(people, sessions, plays, start_ms, eta, load, _running(load, sessions.user[plays.session]))


def _running(value: Array, group: Array) -> Array:
    """Running sum within groups that lie together."""
    total = np.cumsum(value)
    first = np.flatnonzero(np.diff(group, prepend=-1))
    before = np.concatenate([[0.0], total])[first]
    result: Array = total - np.repeat(before, np.diff(np.append(first, len(group))))
    return result


def _remember(
    plan: Plan, people: People, sessions: Sessions, plays: Plays, catalogue: Catalogue
) -> tuple[Array, Array]:
    """Start and log hazard of each session, walking through everyone's sessions in step."""

    def per_session(value: Array) -> Array:
        return np.bincount(plays.session, weights=value, minlength=len(sessions))

    adverts, likes = per_session(plays.advert), per_session(plays.liked)
    favourites = per_session(plays.favourite)
    popularity = per_session(catalogue.tracks["popularity"][plays.track])
    length = per_session(plays.listened_ms + plays.advert * plays.advert_ms).astype(np.int64)
    month_of_year = (plan.start.month - 1 + sessions.month) % 12 + 1
    start = sessions.planned_ms.copy()
    eta = np.empty(len(sessions))
    memory = Memory.empty(len(people))
    last_start = np.zeros(len(people), dtype=np.int64)
    free_from = np.zeros(len(people), dtype=np.int64)
    by_number = np.argsort(sessions.number, kind="stable")
    for at in np.split(by_number, np.cumsum(np.bincount(sessions.number))[:-1]):
        who = sessions.user[at]
        start[at] = np.maximum(start[at], -(-free_from[who] // 1000) * 1000)
        kept = hazard.fade(hazard.days_between(last_start[who], start[at]))
        now = Memory(*(kept * value[who] for value in vars(memory).values()))
        eta[at] = hazard.log_hazard(now, month_of_year[at])
        memory.adverts[who] = now.adverts + adverts[at]
        memory.likes[who] = now.likes + likes[at]
        memory.plays[who] = now.plays + sessions.plays[at]
        memory.favourites[who] = now.favourites + favourites[at]
        memory.popularity[who] = now.popularity + popularity[at]
        last_start[who] = start[at]
        free_from[who] = start[at] + length[at] + REST_MS
    return start, eta


@lru_cache(maxsize=8)
def level_of(plan: Plan) -> float:
    """exp(level): what makes the wanted share of users buy, from a pilot of `_PILOT_CHUNKS` chunks.

    The taste is averaged out exactly: with a Gamma(k, mean 1) taste the chance to be free after a
    summed load Λ is (k / (k + level · Λ))^k.
    """
    loads = np.concatenate([_total_load(plan, PILOT + chunk) for chunk in range(_PILOT_CHUNKS)])
    low, high = -30.0, 10.0
    for _ in range(60):
        middle = (low + high) / 2
        bought = 1 - (TASTE_SHAPE / (TASTE_SHAPE + np.exp(middle) * loads)) ** TASTE_SHAPE
        low, high = (middle, high) if bought.mean() < plan.premium_share else (low, middle)
    return float(np.exp((low + high) / 2))


def _total_load(plan: Plan, chunk: int) -> Array:
    life = life_of(plan, chunk)
    return np.bincount(life.sessions.user[life.plays.session], weights=life.load, minlength=len(life.people))
