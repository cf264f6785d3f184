"""Which choices of a chunk are delivered as decisions, and what each arm was worth in them."""

from __future__ import annotations

import numpy as np

from pozytywka_spark.synthetic.catalogue import Array, catalogue_of
from pozytywka_spark.synthetic.events import purchases, start_of_play
from pozytywka_spark.synthetic.life import Life, life_of
from pozytywka_spark.synthetic.plan import Plan
from pozytywka_spark.synthetic.slots import messages, spotlight
from pozytywka_spark.synthetic.slots.log import Choices, Entries
from pozytywka_spark.synthetic.words import CITIES


def slots_of(plan: Plan) -> list[str]:
    """The slots that the world has."""
    slots = plan.world.slots
    return [messages.SLOT] * (slots.messages is not None) + [spotlight.SLOT] * (slots.spotlight is not None)


def entries_of(plan: Plan, chunk: int, slot: str) -> Entries:
    """The decisions of a slot about a chunk's users, up to the world's end."""
    life = life_of(plan, chunk)
    return _prompts(plan, life) if slot == messages.SLOT else _spotlight(plan, life)


def _prompts(plan: Plan, life: Life) -> Entries:
    """Up to the session in which premium was bought."""
    prompts = messages.prompts_of(plan, life.people, life.sessions, life.walk.start_ms)
    assert prompts is not None
    sessions, plays = life.sessions, life.plays
    session = prompts.choices.session
    user = sessions.user[session]
    last = np.append(plays.session, len(sessions))[purchases(plan, life)]  # beyond all sessions if never
    there = (session <= last[user]) & (life.walk.start_ms[session] < plan.month_starts_ms()[-1])
    bare = _load_in_time(plan, life)[session] / prompts.factor
    exponent = plan.level * life.people.taste[user] * bare
    city = np.array(CITIES)[messages.cities_of(plan, life.people)]
    return _entries(
        messages.SLOT,
        life,
        prompts.choices,
        there,
        group=city[user],
        values=-np.expm1(-exponent[:, None] * prompts.factors),
        days_since=prompts.days_since,
    )


def _spotlight(plan: Plan, life: Life) -> Entries:
    shown = spotlight.shown_of(plan, life.people, life.sessions)
    assert shown is not None
    session = shown.choices.session
    there = life.walk.start_ms[session] < plan.month_starts_ms()[-1]
    favourite = catalogue_of(plan).genres[life.people.favourites[:, 0]]
    return _entries(
        spotlight.SLOT,
        life,
        shown.choices,
        there,
        group=favourite[life.sessions.user[session]],
        values=shown.chances,
        reward=shown.taken,
    )


def _load_in_time(plan: Plan, life: Life) -> Array:
    """Each session's load from breaks before the world's end: a purchase after it is never delivered."""
    plays = life.plays
    taken = plays.listened_ms + plays.advert * plays.advert_ms
    in_time = start_of_play(life, taken) + taken < plan.month_starts_ms()[-1]
    return np.bincount(plays.session, weights=life.load * in_time, minlength=len(life.sessions))


def _entries(
    slot: str,
    life: Life,
    choices: Choices,
    there: Array,
    *,
    group: Array,
    values: Array,
    days_since: Array | None = None,
    reward: Array | None = None,
) -> Entries:
    session = choices.session[there]
    return Entries(
        slot=slot,
        choices=Choices(
            choices.arms,
            session,
            choices.eligible[there],
            choices.probabilities[there],
            choices.chosen[there],
            choices.explored[there],
        ),
        user_id=life.people.user_id[life.sessions.user[session]],
        time_ms=life.walk.start_ms[session],
        session_id=life.sessions.session_id[session],
        group=group[there],
        values=values[there],
        days_since=None if days_since is None else days_since[there],
        reward=None if reward is None else reward[there],
    )
