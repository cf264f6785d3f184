"""Weeks, years and growth in the number of sessions: each planned session happens as often as its day says.

A day's factor is

    (1 + weekly · cos(2π (weekday - Saturday) / 7)) · (1 + yearly · cos(2π (day - 15 December) / 365.25))
    · (1 + growth)^(days since the world's start / 365.25)

A session planned for a day of factor f happens ⌊f⌋ times, and once more with the chance that is left: so the
expected number of sessions is f times that of the world without rhythm, exactly. Copies of a session are
sessions of their own: they begin at other times of the day and hold other plays.
"""

from __future__ import annotations

from datetime import date

import numpy as np

from pozytywka_spark.config import Rhythm
from pozytywka_spark.synthetic.catalogue import Array
from pozytywka_spark.synthetic.people import People
from pozytywka_spark.synthetic.plan import DAY_MS, SESSIONS_A_MONTH, Plan

_RHYTHM = 20  # key of the random numbers
_YEAR = 365.25
_SATURDAY = 2  # the first one of 1970, in days
_PEAK = (date(1970, 12, 15) - date(1970, 1, 1)).days


def has_rhythm(plan: Plan) -> bool:
    """Whether sessions go with time at all."""
    return plan.world.rhythm != Rhythm()


def factors(plan: Plan, day: Array) -> Array:
    """Of days, as numbers since 1970."""
    rhythm = plan.world.rhythm
    start = (plan.world.start - date(1970, 1, 1)).days
    weekly = 1 + rhythm.weekly * np.cos(2 * np.pi * (day - _SATURDAY) / 7)
    yearly = 1 + rhythm.yearly * np.cos(2 * np.pi * (day - _PEAK) / _YEAR)
    grown = (1 + rhythm.growth) ** ((day - start) / _YEAR)
    factor: Array = weekly * yearly * grown
    return factor


def with_rhythm(
    plan: Plan, people: People, user: Array, month: Array, planned_ms: Array
) -> tuple[Array, Array, Array]:
    """Sessions as they happen: user, month and start of each, in no order.

    Nobody has more than `SESSIONS_A_MONTH` in a month. Accounts that play a role keep their first session,
    from which their story is told.
    """
    if not has_rhythm(plan):
        return user, month, planned_ms
    rng = plan.rng(_RHYTHM, int(people.user_id[0]))
    day = planned_ms // DAY_MS
    factor = factors(plan, day)
    times = np.floor(factor).astype(np.int64)
    times += rng.random(len(user)) < factor - times
    cast = (people.role >= 0) | (people.ring >= 0)
    first = np.full(len(people), np.iinfo(np.int64).max)
    np.minimum.at(first, user, planned_ms)
    times = np.where(cast[user] & (planned_ms == first[user]), np.maximum(times, 1), times)
    copy = np.repeat(np.arange(len(user)), times)
    again = np.diff(copy, prepend=-1) == 0
    # another time of the day, taken from another session
    of_day = planned_ms[rng.integers(0, max(len(user), 1), len(copy))] % DAY_MS
    start = np.where(again, day[copy] * DAY_MS + of_day, planned_ms[copy])
    user, month = user[copy], month[copy]
    kept = _places(user * (plan.world.months + 1) + month) < SESSIONS_A_MONTH
    return user[kept], month[kept], start[kept]


def _places(key: Array) -> Array:
    """Of each entry its place among those of its key."""
    order = np.argsort(key, kind="stable")
    ordered = key[order]
    first = np.flatnonzero(np.diff(ordered, prepend=ordered[:1] - 1))
    places = np.empty(len(key), np.int64)
    places[order] = np.arange(len(key)) - np.repeat(first, np.diff(np.append(first, len(key))))
    return places
