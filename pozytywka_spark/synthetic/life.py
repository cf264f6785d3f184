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
_PILOT_CHUNKS = 20


@dataclass(frozen=True)
class Walk:
    """One entry a session: what the hazard sees at its start, and what is remembered of it."""

    start_ms: Array
    eta: Array  # the log hazard but for its level
    after: Memory  # as of the session's start, the session itself included


@dataclass(frozen=True)
class Life:
    """All that happens to a chunk's users, were adverts to go on for ever."""

    people: People
    sessions: Sessions
    plays: Plays
    walk: Walk
    load: Array  # of each play: exp(eta) · weight of the break after it
    load_so_far: Array  # of each play: summed over the user's life, this break included


def life_of(plan: Plan, chunk: int) -> Life:
    """The life of a chunk's users: a function of plan and chunk alone."""
    people = people_of(plan, chunk)
    rng = plan.rng(3, chunk)
    sessions = sessions_of(plan, rng, people)
    catalogue = catalogue_of(plan)
    plays = plays_of(rng, people, sessions, catalogue)
    walk = _walk(plan, people, sessions, plays, catalogue)
    earlier = _running(plays.advert.astype(float), plays.session) - plays.advert
    weight = hazard.break_weight(plays.advert, plays.skipped, earlier)
    load = np.exp(walk.eta)[plays.session] * weight
    so_far = _running(load, sessions.user[plays.session])
    return Life(people, sessions, plays, walk, load, so_far)


def _running(value: Array, group: Array) -> Array:
    """Running sum within groups that lie together."""
    total = np.cumsum(value)
    first = np.flatnonzero(np.diff(group, prepend=-1))
    before = np.concatenate([[0.0], total])[first]
    result: Array = total - np.repeat(before, np.diff(np.append(first, len(group))))
    return result


def heard(sessions: Sessions, plays: Plays, catalogue: Catalogue) -> Memory:
    """What each session adds to the memory."""

    def per_session(value: Array) -> Array:
        return np.bincount(plays.session, weights=value, minlength=len(sessions))

    return Memory(
        adverts=per_session(plays.advert),
        likes=per_session(plays.liked),
        plays=sessions.plays.astype(float),
        favourites=per_session(plays.favourite),
        popularity=per_session(catalogue.tracks["popularity"][plays.track]),
    )


def _walk(plan: Plan, people: People, sessions: Sessions, plays: Plays, catalogue: Catalogue) -> Walk:
    """Everyone's first session, then everyone's second, and so on: users walk in step."""
    taken = plays.listened_ms + plays.advert * plays.advert_ms
    length = np.bincount(plays.session, weights=taken, minlength=len(sessions)).astype(np.int64)
    month_of_year = (plan.start.month - 1 + sessions.month) % 12 + 1
    start = sessions.planned_ms.copy()
    eta = np.empty(len(sessions))
    after = heard(sessions, plays, catalogue)
    by_number = np.argsort(sessions.number, kind="stable")
    steps = np.split(by_number, np.cumsum(np.bincount(sessions.number))[:-1])
    before = np.full(len(people), -1)  # each user's latest session
    for at in steps:
        who = sessions.user[at]
        last = before[who]
        if sessions.number[at[0]]:
            ended = start[last] + length[last] + REST_MS
            start[at] = np.maximum(start[at], -(-ended // 1000) * 1000)
            now = after.take(last).faded(hazard.days_between(start[last], start[at]))
        else:
            now = Memory.empty(len(at))
        eta[at] = hazard.log_hazard(now, month_of_year[at])
        after.add(at, now)
        before[who] = at
    return Walk(start, eta, after)


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
