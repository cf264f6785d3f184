"""Weeks, years and growth in the number of sessions: each planned session happens as often as its day says.

A day's factor is

    (1 + weekly · cos(2π (weekday - Saturday) / 7)) · (1 + yearly · cos(2π (day - 15 December) / 365.25))
    · (1 + growth)^(days since the world's start / 365.25)

Each planned session of a month whose factors are at most F, a whole number, has F - 1 others beside it,
planned for any days of the month; and each of them happens with the chance f / F, f its day's factor. So the
expected number of sessions of a day is f times that of the world without rhythm, exactly, and they come as
independently of each other.
"""

from __future__ import annotations

from datetime import date
from itertools import pairwise

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
    starts = plan.month_starts_ms() // DAY_MS
    most = np.array([np.ceil(factors(plan, np.arange(*pair)).max()) for pair in pairwise(starts)], np.int64)
    times = most[month]
    copy = np.repeat(np.arange(len(user)), times)
    day, time = planned_ms[copy] // DAY_MS, planned_ms[copy] % DAY_MS
    other = np.flatnonzero(np.diff(copy, prepend=-1) == 0)
    in_month = (starts[1:] - starts[:-1])[month[copy[other]]]
    day[other] = starts[month[copy[other]]] + np.floor(rng.random(len(other)) * in_month).astype(np.int64)
    # another time of the day, taken from another session
    time[other] = planned_ms[rng.integers(0, max(len(user), 1), len(other))] % DAY_MS
    happens = rng.random(len(copy)) * times[copy] < factors(plan, day)
    cast = (people.role >= 0) | (people.ring >= 0)
    first = np.full(len(people), np.iinfo(np.int64).max)
    np.minimum.at(first, user, planned_ms)
    planned = day * DAY_MS + time
    happens |= cast[user[copy]] & (planned == first[user[copy]])
    user, month, start = user[copy][happens], month[copy][happens], planned[happens]
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
