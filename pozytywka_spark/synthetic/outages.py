"""Days on which a share of the sessions doesn't happen, of all users or of a city's.

All else stays as it is in the world without outages: what is missing is missing, and nobody comes back later.
"""

from __future__ import annotations

from dataclasses import replace
from datetime import date

import numpy as np

from pozytywka_spark.config.rhythm import EVERYWHERE, Outage
from pozytywka_spark.errors import UsageError
from pozytywka_spark.synthetic.catalogue import Array
from pozytywka_spark.synthetic.people import People, passports
from pozytywka_spark.synthetic.plan import DAY_MS, FIRST_USER, USERS_A_CHUNK, Plan
from pozytywka_spark.synthetic.plays import Plays
from pozytywka_spark.synthetic.sessions import Sessions
from pozytywka_spark.synthetic.words import CITIES

_OUTAGES = 21  # key of the random numbers
_EPOCH = date(1970, 1, 1)


def check_outages(plan: Plan) -> None:
    """Raise `UsageError` naming an outage of a city that nobody lives in, or of a day outside the world."""
    first, end = (int(each) // DAY_MS for each in plan.month_starts_ms()[[0, -1]])
    for outage in plan.world.outages:
        if outage.city not in (EVERYWHERE, *CITIES):
            raise UsageError(
                f"synthetic.outages: nobody lives in {outage.city}; expected {EVERYWHERE} or one of "
                f"{', '.join(CITIES)}"
            )
        if not first <= day_of(outage) < end:
            raise UsageError(
                f"synthetic.outages: {outage.day} is no day of the world, which has {plan.world.months} "
                f"months from {plan.world.start:%Y-%m} on"
            )


def day_of(outage: Outage) -> int:
    """Its day, since 1970."""
    return (outage.day - _EPOCH).days


def without_outages(plan: Plan, people: People, sessions: Sessions, plays: Plays) -> tuple[Sessions, Plays]:
    """The sessions that happen, with their plays; they keep their ids."""
    lost = np.zeros(len(sessions), bool)
    chunk = int(people.user_id[0] - FIRST_USER) // USERS_A_CHUNK
    for number, outage in enumerate(plan.world.outages):
        mine = sessions.planned_ms // DAY_MS == day_of(outage)
        if outage.city != EVERYWHERE:
            mine &= (passports(plan, chunk)["city"] == outage.city)[sessions.user]
        lost |= mine & (plan.rng(_OUTAGES, chunk, number).random(len(sessions)) < outage.share)
    if not lost.any():
        return sessions, plays
    stays = ~lost
    kept = Sessions(*(value[stays] for value in vars(sessions).values()))
    per_user = np.bincount(kept.user, minlength=len(people))
    number_of = np.arange(len(kept)) - np.repeat(np.cumsum(per_user) - per_user, per_user)
    of_play = stays[plays.session]
    place: Array = np.cumsum(stays) - 1
    left = Plays(*(value[of_play] for value in vars(plays).values()))
    return replace(kept, number=number_of), replace(left, session=place[left.session])
