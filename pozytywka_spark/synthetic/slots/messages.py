"""Premium prompts: what opens a free user's session, and what it does to the hazard of that session.

From `synthetic.slots.messages` on each session is opened by one of `ARMS`, chosen among those that are
eligible, whoever the user is, and logged. With d days since the user was last shown that arm (starts of
sessions), the session's hazard is multiplied by

    exp(effect[arm, city] - novelty · 0.5^(d / half life))

and by exp(effect) where it was never shown; `none` shows nothing and multiplies by 1. Nothing else changes:
all plays are those of the world without messages, as far as nobody buys.

The truth of a decision is exact. A purchase counts to it until the user's next session, and a session ends
within its window; given all that was played, and that the user was free, the chance of a purchase in the
session with arm a is 1 - exp(-θ · level · load · multiplier(a)), load the session's summed hazard without
messages.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache

import numpy as np

from pozytywka_spark.synthetic.catalogue import Array
from pozytywka_spark.synthetic.people import People, passports
from pozytywka_spark.synthetic.plan import DAY_MS, FIRST_USER, USERS_A_CHUNK, Plan
from pozytywka_spark.synthetic.sessions import Sessions
from pozytywka_spark.synthetic.slots.log import Choices, drawn
from pozytywka_spark.synthetic.words import CITIES

SLOT = "premium_prompt"
ARMS = ("none", "try_premium", "no_adverts", "your_likes", "all_day", "new_week")
# of the user's sessions, how many come before the first in which an arm is eligible
_AFTER_SESSIONS = np.array([0, 0, 1, 1, 4, 0])
_MONDAYS = np.array([False, False, False, False, False, True])
_MESSAGES = 21  # key of the random numbers


@dataclass(frozen=True)
class Prompts:
    """The prompts of a chunk's sessions, were nobody to buy."""

    choices: Choices
    days_since: Array  # choices × arms, nan: never shown
    factors: Array  # choices × arms: what each would multiply the session's hazard by

    @property
    def factor(self) -> Array:
        """Of the arm chosen."""
        chosen: Array = self.factors[np.arange(len(self.choices)), self.choices.chosen]
        return chosen


@lru_cache(maxsize=4)
def effects(plan: Plan) -> Array:
    """Arms × cities: what is added to the log of the hazard."""
    rng = plan.rng(_MESSAGES, 0)
    spread = plan.world.slots.effect
    effect: Array = rng.normal(0, spread, (len(ARMS), 1)) + rng.normal(0, spread, (len(ARMS), len(CITIES)))
    effect[0] = 0.0
    return effect


def cities_of(plan: Plan, people: People) -> Array:
    """The city (its place in `CITIES`) of each of a chunk's people."""
    chunk = int(people.user_id[0] - FIRST_USER) // USERS_A_CHUNK
    order = np.argsort(CITIES)
    place = np.searchsorted(np.array(CITIES)[order], passports(plan, chunk)["city"])
    return order[place]


def prompts_of(plan: Plan, people: People, sessions: Sessions, start_ms: Array) -> Prompts | None:
    """The prompts, none in a world without."""
    first = plan.world.slots.messages
    if first is None:
        return None
    mine = ~sessions.apart & (people.buys_after < 0)[sessions.user]
    session = np.flatnonzero(mine & (sessions.month >= plan.month_index(first)))
    monday = (start_ms[session] // DAY_MS + 3) % 7 == 0  # 1970 began on a Thursday
    eligible = sessions.number[session][:, None] >= _AFTER_SESSIONS
    eligible &= ~_MONDAYS | monday[:, None]
    preference = np.exp(plan.rng(_MESSAGES, 1).normal(0, 0.4, len(ARMS)))
    key = (_MESSAGES, 2, int(people.user_id[0]))
    choices = drawn(plan, key, list(ARMS), session, eligible, preference)
    days = _days_since(choices, sessions.user[session], start_ms[session])
    slots = plan.world.slots
    worn = slots.novelty * 0.5 ** (np.where(np.isnan(days), np.inf, days) / slots.half_life_days)
    worn[:, 0] = 0.0
    effect = effects(plan)[:, cities_of(plan, people)[sessions.user[session]]].T
    return Prompts(choices, days, np.exp(effect - worn))


def session_factors(prompts: Prompts | None, sessions: int) -> Array:
    """What each session's hazard is multiplied by."""
    factor = np.ones(sessions)
    if prompts is not None:
        factor[prompts.choices.session] = prompts.factor
    return factor


def _days_since(choices: Choices, user: Array, start_ms: Array) -> Array:
    """Entries lie by user and time."""
    days = np.full((len(user), len(choices.arms)), np.nan)
    at = np.arange(len(user))
    for arm in range(len(choices.arms)):
        latest = np.maximum.accumulate(np.where(choices.chosen == arm, at, -1))
        before = np.concatenate([[-1], latest[:-1]]) if len(at) else latest
        shown = (before >= 0) & (user[before] == user)
        days[shown, arm] = (start_ms[shown] - start_ms[before[shown]]) / DAY_MS
    return days
