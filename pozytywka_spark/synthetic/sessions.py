"""Sessions: active months, sessions in them, plays in those."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from pozytywka_spark.synthetic.catalogue import Array
from pozytywka_spark.synthetic.people import People
from pozytywka_spark.synthetic.plan import DAY_MS, FIRST_SESSION, FIRST_USER, SESSIONS_A_MONTH, Plan, Rng
from pozytywka_spark.synthetic.rhythm import with_rhythm

# Sessions by hour of the day: quieter before dawn.
_HOURS = np.array([5, 4, 3, 3, 3, 4, 5, 6, 6, 6, 6, 6, 6, 6, 6, 7, 8, 8, 9, 9, 9, 9, 8, 6], dtype=float)


@dataclass(frozen=True)
class Sessions:
    """One entry a session, by user and then by time."""

    user: Array  # index into the chunk's people
    month: Array  # months since the world's start, of the planned start
    planned_ms: Array  # start as planned; one that would overlap the session before it is put off
    number: Array  # of the user's sessions, from 0
    session_id: Array
    plays: Array
    apart: Array  # not the account's own doing: no part of the memory, and nobody buys in it

    def __len__(self) -> int:
        return len(self.user)


def sessions_of(plan: Plan, rng: Rng, people: People) -> Sessions:
    """All sessions of a chunk's users over the whole world.

    A user joins in some month and is active in it. An active month is followed by another with
    chance `behaviour.stay`, a quiet one by an active one with chance `behaviour.comeback`. An active
    month has 1 + Poisson(the user's own mean) sessions, at most `SESSIONS_A_MONTH`.
    """
    active = _active_months(plan, rng, len(people))
    per_month = np.where(active, 1 + rng.poisson(people.extra_sessions[:, None], active.shape), 0)
    per_month = np.minimum(per_month, SESSIONS_A_MONTH)
    flat = np.repeat(np.arange(per_month.size), per_month.ravel())
    user, month = np.divmod(flat, plan.world.months)
    planned = _starts(plan, rng, month)
    user, month, planned = with_rhythm(plan, people, user, month, planned)
    order = np.lexsort((planned, user))
    user, month, planned = user[order], month[order], planned[order]
    low, high, most = plan.behaviour.plays
    plays = 1 + np.floor(most * rng.beta(low, high, len(user))).astype(np.int64)
    return numbered(plan, people, user, month, planned, plays, np.zeros(len(user), dtype=bool))


def numbered(
    plan: Plan, people: People, user: Array, month: Array, planned: Array, plays: Array, apart: Array
) -> Sessions:
    """Sessions that lie by user and time, with their numbers."""
    per_user = np.bincount(user, minlength=len(people))
    number = np.arange(len(user)) - np.repeat(np.cumsum(per_user) - per_user, per_user)
    base = (people.user_id[user] - FIRST_USER) * plan.world.months * SESSIONS_A_MONTH
    return Sessions(user, month, planned, number, FIRST_SESSION + base + number, plays, apart)


def _active_months(plan: Plan, rng: Rng, users: int) -> Array:
    joined = np.searchsorted(np.cumsum(joining(plan)), rng.random(users), side="right")
    active = np.zeros((users, plan.world.months), dtype=bool)
    stay, back = plan.behaviour.stay, plan.behaviour.comeback
    for month in range(plan.world.months):
        before = active[:, month - 1] if month else np.zeros(users, dtype=bool)
        drawn = rng.random(users) < np.where(before, stay, back)
        active[:, month] = (joined == month) | ((joined < month) & drawn)
    return active


def joining(plan: Plan) -> Array:
    """Share of users who join in each month."""
    share = np.full(plan.world.months, (1 - plan.behaviour.joined_at_once) / plan.world.months)
    share[0] += plan.behaviour.joined_at_once
    return share


def _starts(plan: Plan, rng: Rng, month: Array) -> Array:
    """Whole seconds, spread over the month's days, by hour of the day."""
    starts = plan.month_starts_ms()
    days = (starts[month + 1] - starts[month]) // DAY_MS
    day = np.floor(rng.random(len(month)) * days).astype(np.int64)
    hour = np.searchsorted(np.cumsum(_HOURS / _HOURS.sum()), rng.random(len(month)), side="right")
    second = np.minimum(hour, 23) * 3600 + rng.integers(0, 3600, len(month))
    planned: Array = starts[month] + day * DAY_MS + second * 1000
    return planned
