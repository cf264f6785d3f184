"""Who plays which part: cheats that work alone, and honest accounts that look like cheats."""

from __future__ import annotations

from functools import lru_cache

import numpy as np

from pozytywka_spark.synthetic.catalogue import Array
from pozytywka_spark.synthetic.fraud import rings_of
from pozytywka_spark.synthetic.plan import FIRST_USER, PILOT, Plan, Rng

ROLES = ("bot", "skimmer", "hijacked", "quick_buyer", "fan", "sleeper", "quick_stayer")
BOT, SKIMMER, HIJACKED, QUICK_BUYER, FAN, SLEEPER, QUICK_STAYER = range(len(ROLES))
CHEATS = frozenset({BOT, SKIMMER, HIJACKED, QUICK_BUYER})

_ROLES = 9  # key of the random numbers
_PURCHASES = 10
_GOES_ON = 0.4  # chance of one more play before a quick purchase


def roles_of(plan: Plan, user_id: Array, chunk: int) -> Array:
    """The role of each user, -1 for the plain ones, those of rings, and for all of a pilot."""
    if not plan.world.fraud.lone or chunk >= PILOT:
        return np.full(len(user_id), -1)
    role: Array = _role_of_everyone(plan)[user_id - FIRST_USER]
    return role


@lru_cache(maxsize=2)
def _role_of_everyone(plan: Plan) -> Array:
    fraud = plan.world.fraud
    counts = [fraud.bots, fraud.skimmers, fraud.hijacked, fraud.quick_buyers]
    counts += [fraud.fans, fraud.sleepers, fraud.quick_stayers]
    ring = rings_of(plan, FIRST_USER + np.arange(plan.world.users), 0)
    members = plan.rng(_ROLES, 0).choice(np.flatnonzero(ring < 0), fraud.lone, replace=False)
    role = np.full(plan.world.users, -1)
    role[members] = np.repeat(np.arange(len(ROLES)), counts)
    return role


def plays_before_purchase(plan: Plan, role: Array, chunk: int) -> Array:
    """After how many further plays those who buy at once do so: alike for thieves and those who stay."""
    result = np.full(len(role), -1)
    quick = np.flatnonzero((role == QUICK_BUYER) | (role == QUICK_STAYER))
    if len(quick):
        result[quick] = plan.rng(_PURCHASES, chunk).geometric(1 - _GOES_ON, len(quick)) - 1
    return result


def own_rng(plan: Plan, user_id: int) -> Rng:
    """Random numbers of one account with a role."""
    return plan.rng(_ROLES, 1, user_id)
