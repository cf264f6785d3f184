"""When those who paid with a stolen card are charged back, and their account ends."""

from __future__ import annotations

import numpy as np

from pozytywka_spark.synthetic.catalogue import Array
from pozytywka_spark.synthetic.people import People
from pozytywka_spark.synthetic.plan import DAY_MS, Plan
from pozytywka_spark.synthetic.roles import QUICK_BUYER, own_rng
from pozytywka_spark.synthetic.sessions import Sessions

AFTER_DAYS = (10, 45)  # from the account's first session, in which it bought
NEVER = np.iinfo(np.int64).max


def end_of_life(plan: Plan, people: People, sessions: Sessions) -> Array:
    """Milliseconds since 1970 of each user's chargeback, beyond all times where there is none."""
    ends = np.full(len(people), NEVER)
    for user in np.flatnonzero(people.role == QUICK_BUYER).tolist():
        first = int(sessions.planned_ms[np.searchsorted(sessions.user, user)])
        days = own_rng(plan, int(people.user_id[user])).uniform(*AFTER_DAYS)
        ends[user] = first + int(days * DAY_MS) // 1000 * 1000
    return ends
