"""The truth about accounts that cheat, or look like it: who is what, from when to when, with which tracks."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from pozytywka_spark.names import BUY_PREMIUM, EVENT_TYPES
from pozytywka_spark.synthetic.catalogue import Array, Catalogue, catalogue_of
from pozytywka_spark.synthetic.charge_backs import NEVER, end_of_life
from pozytywka_spark.synthetic.cheats import WAYS, own_tracks_of
from pozytywka_spark.synthetic.events import events_of
from pozytywka_spark.synthetic.fans import artist_of_fans
from pozytywka_spark.synthetic.fraud import own_tracks
from pozytywka_spark.synthetic.life import Life, life_of
from pozytywka_spark.synthetic.plan import DAY_MS, Plan
from pozytywka_spark.synthetic.roles import CHEATS, QUICK_BUYER, ROLES, SLEEPER

RING = "ring"


@dataclass(frozen=True)
class Account:
    """An account that is not a plain one. Times are UTC milliseconds, half-open."""

    user_id: int
    kind: str  # `ring`, or one of `ROLES`
    bad: bool
    starts_ms: int
    ends_ms: int
    ring: int | None
    tracks: list[str]
    artist: str | None
    bought_ms: int | None
    charged_back_ms: int | None


def accounts_of(plan: Plan, chunk: int) -> list[Account]:
    """Accounts of a chunk's users that did anything in their part before the world's end."""
    life = life_of(plan, chunk)
    people = life.people
    concerned = np.flatnonzero((people.role >= 0) | (people.ring >= 0))
    if not len(concerned):
        return []
    catalogue = catalogue_of(plan)
    spans = _Spans.of(plan, life)
    charged = end_of_life(plan, people, life.sessions)
    artist = artist_of_fans(plan, catalogue, people)
    told = [
        _account(plan, life, catalogue, spans, int(user), int(artist[user]), int(charged[user]))
        for user in concerned
    ]
    return [account for account in told if account is not None]


@dataclass(frozen=True)
class _Spans:
    """For each user, milliseconds of delivered events: the first (`NEVER` if none) and the last, of all
    of them and of those apart; and the purchase."""

    first: Array
    apart_first: Array
    apart_last: Array
    bought: Array
    end: int

    @classmethod
    def of(cls, plan: Plan, life: Life) -> _Spans:
        events = events_of(plan, life)
        users = len(life.people)
        own = life.sessions.apart[np.searchsorted(life.sessions.session_id, events.session_id)]

        def least(at: Array) -> Array:
            result = np.full(users, NEVER)
            np.minimum.at(result, events.user[at], events.time_ms[at])
            return result

        last = np.full(users, -1)
        np.maximum.at(last, events.user[own], events.time_ms[own])
        everything = np.ones(len(own), dtype=bool)
        bought = events.kind == EVENT_TYPES.index(BUY_PREMIUM)
        return cls(least(everything), least(own), last, least(bought), int(plan.month_starts_ms()[-1]))


def _account(
    plan: Plan, life: Life, catalogue: Catalogue, spans: _Spans, user: int, artist: int, charged: int
) -> Account | None:
    role, ring = int(life.people.role[user]), int(life.people.ring[user])
    user_id = int(life.people.user_id[user])
    apart = role in WAYS and role != SLEEPER
    first = int((spans.apart_first if apart else spans.first)[user])
    if first == NEVER:
        return None
    ends = (int(spans.apart_last[user]) // DAY_MS + 1) * DAY_MS if apart else spans.end
    bought = int(spans.bought[user])
    if ring >= 0:
        tracks = own_tracks(plan, catalogue)[ring]
    elif role in WAYS:
        tracks = own_tracks_of(plan, role, user_id, catalogue)
    else:
        tracks = np.zeros(0, dtype=np.int64)
    return Account(
        user_id=user_id,
        kind=RING if ring >= 0 else ROLES[role],
        bad=ring >= 0 or role in CHEATS,
        starts_ms=first // DAY_MS * DAY_MS,
        ends_ms=min(ends, spans.end, charged),
        ring=ring if ring >= 0 else None,
        tracks=[str(name) for name in catalogue.tracks["id"][tracks]],
        artist=str(catalogue.artists["id"][artist]) if artist >= 0 else None,
        bought_ms=bought if bought != NEVER else None,
        charged_back_ms=charged if role == QUICK_BUYER and bought < charged < spans.end else None,
    )
