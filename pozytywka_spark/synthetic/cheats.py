"""Sessions that are no ordinary listening: bots, skimmers, thieves in others' accounts, and sleepers.

Everyone first lives an ordinary life. Then bots and skimmers lose theirs for one of cheating, accounts that
are hijacked get nights of somebody else's plays for some weeks, sleepers get their nights, and those who are
charged back end. So the lives of all others stay as they are without any of this.
"""

from __future__ import annotations

from dataclasses import dataclass, fields, replace

import numpy as np

from pozytywka_spark.synthetic.catalogue import Array, Catalogue
from pozytywka_spark.synthetic.charge_backs import end_of_life
from pozytywka_spark.synthetic.people import People
from pozytywka_spark.synthetic.plan import DAY_MS, SESSIONS_A_MONTH, Plan, Rng
from pozytywka_spark.synthetic.plays import Plays
from pozytywka_spark.synthetic.roles import BOT, HIJACKED, SKIMMER, SLEEPER, own_rng
from pozytywka_spark.synthetic.sessions import Sessions, numbered

HOUR_MS = 3_600_000
SKIM_MS = (31_000, 36_000)  # a play counts from 30 seconds on
STINT_DAYS = (14, 70)  # of bots and skimmers that don't go on to the end
TAKEN_DAYS = (14, 56)  # that an account stays hijacked


@dataclass(frozen=True)
class Way:
    """How the sessions of a role go; ranges are drawn once an account, the rest anew each day."""

    days: tuple[float, float]  # share of days with a session
    hours: tuple[float, float]  # the session starts in, UTC
    plays: tuple[float, float]  # mean of a session
    tracks: tuple[int, int]  # that it is played from
    skips: tuple[float, float]  # share of plays
    skim: bool = False


WAYS = {
    BOT: Way((0.5, 1.0), (0.0, 24.0), (50.0, 130.0), (1, 4), (0.0, 0.03)),
    SKIMMER: Way((0.4, 1.0), (6.0, 24.0), (70.0, 180.0), (20, 60), (0.85, 1.0), skim=True),
    HIJACKED: Way((0.6, 1.0), (1.0, 4.0), (35.0, 80.0), (4, 12), (0.0, 0.05)),
    SLEEPER: Way((0.3, 0.9), (21.0, 24.0), (12.0, 50.0), (5, 5), (0.0, 0.0)),
}


@dataclass(frozen=True)
class Nights:
    """What a role adds to one account: its sessions' starts and plays, and the tracks."""

    starts_ms: Array
    plays: Array
    track: Array  # of each play
    skip: Array
    listened_ms: Array


def own_tracks_of(plan: Plan, role: int, user_id: int, catalogue: Catalogue) -> Array:
    """The tracks that an account of the role goes through."""
    way = WAYS[role]
    rng = own_rng(plan, user_id)
    count = int(rng.integers(way.tracks[0], way.tracks[1] + 1))
    return rng.choice(np.unique(catalogue.pools.track), count, replace=False)


def with_others(
    plan: Plan, people: People, sessions: Sessions, plays: Plays, catalogue: Catalogue
) -> tuple[Sessions, Plays]:
    """Sessions and plays with those of cheats and sleepers in their places."""
    if not (people.role >= 0).any():
        return sessions, plays
    ends = end_of_life(plan, people, sessions)
    lost = np.isin(people.role, (BOT, SKIMMER))[sessions.user] | (sessions.planned_ms >= ends[sessions.user])
    users = np.flatnonzero(np.isin(people.role, tuple(WAYS)))
    more = [_nights(plan, people, sessions, user, catalogue) for user in users.tolist()]
    return _merged(plan, people, (sessions, plays), ~lost, users, more)


def _nights(plan: Plan, people: People, sessions: Sessions, user: int, catalogue: Catalogue) -> Nights:
    role, user_id = int(people.role[user]), int(people.user_id[user])
    tracks = own_tracks_of(plan, role, user_id, catalogue)
    rng = plan.rng(12, user_id)
    mine = slice(*np.searchsorted(sessions.user, [user, user + 1]))
    first_day, last_day = _stint(plan, rng, role, sessions.planned_ms[mine])
    way = WAYS[role]
    days = np.arange(first_day, last_day)
    days = days[rng.random(len(days)) < rng.uniform(*way.days)]
    if not len(days):
        days = np.array([first_day])
    starts = days * DAY_MS + (rng.uniform(*way.hours, len(days)) * HOUR_MS).astype(np.int64) // 1000 * 1000
    plays = np.maximum(1, rng.poisson(rng.uniform(*way.plays), len(days)))
    count = int(plays.sum())
    # around and around, in the same order
    track = tracks[np.arange(count) % len(tracks)]
    duration = catalogue.tracks["duration_ms"][track]
    skip = rng.random(count) < rng.uniform(*way.skips)
    until = rng.uniform(*SKIM_MS, count) if way.skim else rng.uniform(0.03, 0.97, count) * duration
    skip &= until < duration
    return Nights(starts, plays, track, skip, np.where(skip, until, duration).astype(np.int64))


def _stint(plan: Plan, rng: Rng, role: int, ordinary_ms: Array) -> tuple[int, int]:
    """First day and the day after the last, in days since 1970."""
    end = int(plan.month_starts_ms()[-1] // DAY_MS)
    joined = int(ordinary_ms[0] // DAY_MS)
    if role == HIJACKED:
        length = int(rng.integers(*TAKEN_DAYS))
        # somebody's own life comes before it, and there is time left for some more after it
        earliest, latest = joined + 1, max(joined + 2, end - length - 7)
        first = int(earliest + (latest - earliest) * rng.uniform(0.2, 1.0))
        return min(first, end - 1), min(first + length, end)
    if role == SLEEPER or rng.random() < plan.world.fraud.lasting:
        return joined, end
    return joined, min(end, joined + int(rng.integers(*STINT_DAYS)))


def _merged(
    plan: Plan,
    people: People,
    ordinary: tuple[Sessions, Plays],
    stays: Array,
    users: Array,
    more: list[Nights],
) -> tuple[Sessions, Plays]:
    """The ordinary sessions that stay, and more of them, in order."""
    sessions, plays = ordinary
    old = np.flatnonzero(stays)
    starts = np.concatenate([sessions.planned_ms[old], *(each.starts_ms for each in more)])
    user = np.concatenate([sessions.user[old], np.repeat(users, [len(each.starts_ms) for each in more])])
    month = np.searchsorted(plan.month_starts_ms(), starts, side="right") - 1
    month[: len(old)] = sessions.month[old]
    length = np.concatenate([sessions.plays[old], *(each.plays for each in more)])
    apart = np.arange(len(starts)) >= len(old)
    order = np.lexsort((starts, user))
    merged = numbered(plan, people, *(each[order] for each in (user, month, starts, length, apart)))
    # nobody has more sessions than ids are laid out for
    fits = merged.number < plan.world.months * SESSIONS_A_MONTH
    merged = Sessions(*(getattr(merged, field.name)[fits] for field in fields(Sessions)))
    place = np.full(len(starts), -1)
    place[order[fits]] = np.arange(int(fits.sum()))
    renamed = np.full(len(sessions), -1)
    renamed[old] = place[: len(old)]
    together = _joined(plays, _plays_of(plan, people, users, more, place[len(old) :]), renamed)
    at = np.argsort(together.session, kind="stable")
    at = at[together.session[at] >= 0]
    return merged, _take(together, at)


def _plays_of(plan: Plan, people: People, users: Array, more: list[Nights], place: Array) -> Plays:
    """Plays of the sessions that come on top: nothing is liked, adverts come as they do for everyone."""
    none = np.zeros(0, dtype=np.int64)
    counts = np.concatenate([none, *(each.plays for each in more)])
    session = np.repeat(place, counts)
    user = np.repeat(users, [int(each.plays.sum()) for each in more])
    track, skip, listened = (
        np.concatenate([none, *(getattr(each, name) for each in more)])
        for name in ("track", "skip", "listened_ms")
    )
    count = len(session)
    rng = plan.rng(13, int(people.user_id[0]))
    nothing = np.zeros(count, dtype=bool)
    return Plays(
        session=session,
        track=track,
        favourite=nothing,
        liked=nothing,
        like_after_ms=np.zeros(count, dtype=np.int64),
        skipped=skip.astype(bool),
        listened_ms=listened,
        advert=rng.random(count) < people.advert[user],
        advert_ms=rng.integers(5, 31, count) * 1000,
        settle_ms=rng.integers(5, 31, count) * 1000,
    )


def _joined(plays: Plays, more: Plays, renamed: Array) -> Plays:
    first = replace(plays, session=renamed[plays.session])
    return Plays(*(np.concatenate([getattr(first, f.name), getattr(more, f.name)]) for f in fields(Plays)))


def _take(plays: Plays, at: Array) -> Plays:
    return Plays(*(getattr(plays, field.name)[at] for field in fields(Plays)))
