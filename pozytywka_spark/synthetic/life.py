"""A chunk's users' lives: sessions and plays as if nobody bought, then the hazard says who does, and when."""

from __future__ import annotations

from dataclasses import dataclass, replace
from functools import lru_cache

import numpy as np

from pozytywka_spark.config import Synthetic
from pozytywka_spark.synthetic import changes, hazard
from pozytywka_spark.synthetic.catalogue import Array, Catalogue, catalogue_of
from pozytywka_spark.synthetic.cheats import with_others
from pozytywka_spark.synthetic.hazard import Memory
from pozytywka_spark.synthetic.outages import check_outages, without_outages
from pozytywka_spark.synthetic.people import TASTE_SHAPE, People, people_of
from pozytywka_spark.synthetic.plan import PILOT, Plan
from pozytywka_spark.synthetic.plays import Plays, plays_of
from pozytywka_spark.synthetic.sessions import Sessions, sessions_of
from pozytywka_spark.synthetic.slots.messages import prompts_of, session_factors
from pozytywka_spark.synthetic.taste.plays import with_taste

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
    load: Array  # of each play: exp(eta) · the prompt's factor · weight of the break after it
    load_so_far: Array  # of each play: summed over the user's life, this break included


def life_of(plan: Plan, chunk: int, *, treat_all: bool | None = None) -> Life:
    """The life of a chunk's users: a function of plan and chunk alone.

    `treat_all` tells the life they would have with everyone, or no one, treated by the experiment.
    """
    people = people_of(plan, chunk)
    if treat_all is not None:
        people = replace(people, treated=np.full(len(people), treat_all))
    rng = plan.rng(3, chunk)
    sessions = sessions_of(plan, rng, people)
    catalogue = catalogue_of(plan)
    plays = plays_of(plan, rng, people, sessions, catalogue)
    plays = with_taste(plan, people, sessions, plays, catalogue)
    sessions, plays = with_others(plan, people, sessions, plays, catalogue)
    sessions, plays = without_outages(plan, people, sessions, plays)
    walk = _walk(plan, people, sessions, plays, catalogue)
    earlier = _running(plays.advert.astype(float), plays.session) - plays.advert
    weight = hazard.break_weight(plays.advert, plays.skipped, earlier)
    factor = session_factors(prompts_of(plan, people, sessions, walk.start_ms), len(sessions))
    load = (np.exp(walk.eta) * factor)[plays.session] * weight * ~sessions.apart[plays.session]
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
        return np.bincount(plays.session, weights=value, minlength=len(sessions)) * ~sessions.apart

    return Memory(
        adverts=per_session(plays.advert),
        likes=per_session(plays.liked),
        plays=sessions.plays * ~sessions.apart * 1.0,
        favourites=per_session(plays.favourite),
        popularity=per_session(catalogue.tracks["popularity"][plays.track]),
    )


def _walk(plan: Plan, people: People, sessions: Sessions, plays: Plays, catalogue: Catalogue) -> Walk:
    """Everyone's first session, then everyone's second, and so on: users walk in step."""
    taken = plays.listened_ms + plays.advert * plays.advert_ms
    length = np.bincount(plays.session, weights=taken, minlength=len(sessions)).astype(np.int64)
    month_of_year = (plan.world.start.month - 1 + sessions.month) % 12 + 1
    start = sessions.planned_ms.copy()
    added = changes.log_hazard(plan, people.treated[sessions.user], sessions.month)
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
        eta[at] = hazard.log_hazard(now, month_of_year[at]) + added[at]
        after.add(at, now)
        before[who] = at
    return Walk(start, eta, after)


def premium_if(plan: Plan, chunk: int, *, treated: bool) -> Array:
    """Each user's chance to have bought by the world's end, treated or not: the experiment's truth."""
    life = life_of(plan, chunk, treat_all=treated)
    chance: Array = -np.expm1(-plan.level * life.people.taste * _total_load(life))
    return chance


def plan_of(world: Synthetic) -> Plan:
    """The plan of a world, its hazard's level set so that the wanted share of users buys.

    The share is that of the world without drift, experiment, fraud and rhythm, looked up in a pilot of
    `_PILOT_CHUNKS` chunks. The taste is averaged out exactly: with a Gamma(k, mean 1) taste the
    chance to be free after a summed load Λ is (k / (k + level · Λ))^k.
    Raises `UsageError` for an outage where or when nothing is.
    """
    plan = Plan(world)
    check_outages(plan)
    return replace(plan, level=_level_of(plan.rehearsal(), world.premium_share))


def _level_of(bare: Plan, premium_share: float) -> float:
    loads = _pilot_loads(bare)
    low, high = -40.0, 20.0
    for _ in range(60):
        middle = (low + high) / 2
        bought = 1 - (TASTE_SHAPE / (TASTE_SHAPE + np.exp(middle) * loads)) ** TASTE_SHAPE
        low, high = (middle, high) if bought.mean() < premium_share else (low, middle)
    return float(np.exp((low + high) / 2))


@lru_cache(maxsize=32)  # worlds that differ in options or in their number of users have one pilot
def _pilot_loads(bare: Plan) -> Array:
    return np.concatenate([_total_load(life_of(bare, PILOT + chunk)) for chunk in range(_PILOT_CHUNKS)])


def _total_load(life: Life) -> Array:
    user = life.sessions.user[life.plays.session]
    return np.bincount(user, weights=life.load, minlength=len(life.people))
