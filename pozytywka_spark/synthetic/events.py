"""From lives to events: the purchase ends the adverts, and everything falls into place in time."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from pozytywka_spark.names import EVENT_TYPES
from pozytywka_spark.synthetic.catalogue import Array
from pozytywka_spark.synthetic.life import Life
from pozytywka_spark.synthetic.plan import Plan

PLAY, SKIP, LIKE, ADVERTISEMENT, BUY_PREMIUM = range(len(EVENT_TYPES))
# What can follow a play, in the order of the file where times tie.
_SLOTS = np.array([PLAY, LIKE, SKIP, ADVERTISEMENT, BUY_PREMIUM])
_NO_TRACK = -1
_MANY = 1 << 20  # more sessions than anyone has


@dataclass(frozen=True)
class Events:
    """One entry an event, in the order of the file: by user, session and time."""

    time_ms: Array
    user: Array  # index into the chunk's people
    track: Array  # index into the catalogue, -1 for adverts and purchases
    kind: Array  # index into EVENT_TYPES
    session_id: Array


def events_of(plan: Plan, life: Life) -> Events:
    """What is delivered of `life`: up to the world's end, without adverts after the purchase."""
    plays, sessions = life.plays, life.sessions
    user = sessions.user[plays.session]
    bought_at = purchases(plan, life)
    index = np.arange(len(plays))
    buys = index == bought_at[user]
    advert = plays.advert & (index <= bought_at[user])
    pause = advert * plays.advert_ms
    start = start_of_play(life, plays.listened_ms + pause + buys * plays.settle_ms)
    end = start + plays.listened_ms
    time = np.stack([start, start + plays.like_after_ms, end, end, end + pause], axis=1)
    there = np.stack([np.ones_like(buys), plays.liked, plays.skipped, advert, buys], axis=1)
    there &= time < plan.month_starts_ms()[-1]
    row, slot = np.nonzero(there)
    kind = _SLOTS[slot]
    track = np.where((kind == ADVERTISEMENT) | (kind == BUY_PREMIUM), _NO_TRACK, plays.track[row])
    return Events(time[row, slot], user[row], track, kind, sessions.session_id[plays.session[row]])


def purchases(plan: Plan, life: Life) -> Array:
    """For each user the play after which premium is bought; beyond all plays if never."""
    user = life.sessions.user[life.plays.session]
    people = life.people
    reached = plan.level * people.taste[user] * life.load_so_far >= people.patience[user]
    at = np.full(len(people), len(life.plays))
    hits = np.flatnonzero(reached)
    np.minimum.at(at, user[hits], hits)
    at_once = np.flatnonzero(people.buys_after >= 0)
    if len(at_once):
        # within the first session, which may be shorter
        first, last = (
            np.searchsorted(user * _MANY + life.sessions.number[life.plays.session], at_once * _MANY, side)
            for side in ("left", "right")
        )
        at[at_once] = np.minimum(first + people.buys_after[at_once], last - 1)
    return at


def purchase_times(plan: Plan, life: Life) -> Array:
    """For each user the time of the delivered purchase; beyond all times if there is none."""
    events = events_of(plan, life)
    times = np.full(len(life.people), np.iinfo(np.int64).max)
    bought = events.kind == BUY_PREMIUM
    times[events.user[bought]] = events.time_ms[bought]
    return times


def start_of_play(life: Life, taken_ms: Array) -> Array:
    """When each play starts, each taking `taken_ms`. Plays of a session follow one another without a gap."""
    session = life.plays.session
    before = np.cumsum(taken_ms) - taken_ms
    first = np.flatnonzero(np.diff(session, prepend=-1))
    start: Array = life.walk.start_ms[session] + before - before[first][session]
    return start
