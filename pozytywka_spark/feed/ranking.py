"""A batch of users through all stages: inventory, integrity, the light pass, heads, value, the page.

One function does it for the table, for `explain` and for tests; what each stage did is kept, not only pages.
"""

from __future__ import annotations

import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import date
from typing import Protocol

import numpy as np

from pozytywka_spark.feed.about import About, about
from pozytywka_spark.feed.arrange.pages import Pages, Valued, arrange
from pozytywka_spark.feed.arrange.rules import NAMES as PAGE_RULES
from pozytywka_spark.feed.arrange.rules import Rules
from pozytywka_spark.feed.arrange.shortlist import TrackTraits
from pozytywka_spark.feed.integrity import PASSED, REJECTED_DAYS, RULES, Barred, judge, rejected
from pozytywka_spark.feed.inventory.collect import SOURCES, Wanted, collect
from pozytywka_spark.feed.inventory.sources import Lists, Shown
from pozytywka_spark.feed.listening import DAY_US, Listeners
from pozytywka_spark.feed.pairs import Array, Pairs
from pozytywka_spark.feed.track_side import Tracks
from pozytywka_spark.hashing.dice import mix

INVENTORY, INTEGRITY, LIGHT, HEADS, PAGE = "inventory", "integrity", "light", "heads", "page"
ALL = ""  # the rule of a stage's line as a whole
RECALL = "first 50 of the full ranker"  # of users scored in full: how many there are, how many are kept
_FIRST = 50
_SEED = 0xF011


class Ranker(Protocol):
    """A trained model: pass 0 and the heads."""

    def light(self, pairs: Pairs, users: About, tracks: Tracks) -> Array:
        """Of each pair the score that pass 0 keeps by."""

    def chances(self, pairs: Pairs, users: About, tracks: Tracks) -> Array:
        """Pairs × heads (finish, skip, like, again), calibrated; a head left out is 0."""


@dataclass(frozen=True)
class Plan:
    """What the settings and the day say of a ranking. `weights`: of the heads, in their order.

    `in_full`: share of the users whose every candidate goes through the heads, to see what the light model
    loses of what stands first.
    """

    day: date
    wanted: Wanted
    keep: int  # by the light model
    rules: Rules
    weights: Array
    in_full: float = 0.0


@dataclass(frozen=True)
class Shared:
    """What all users share."""

    tracks: Tracks
    lists: Lists
    barred: Barred
    traits: TrackTraits


@dataclass(frozen=True)
class Own:
    """What earlier feeds say of a batch's users: `passed`, keys (user · tracks + track) and times, sorted."""

    shown: Shown | None = None
    passed_key: Array = field(default_factory=lambda: np.zeros(0, np.int64))
    passed_times: Array = field(default_factory=lambda: np.zeros(0, np.int64))


@dataclass(frozen=True)
class Count:
    """Of a stage, or a rule of it: how many tracks of how many users went in and came out."""

    users: int
    tracks_in: int
    tracks_out: int
    seconds: float = 0.0

    def __add__(self, other: Count) -> Count:
        return Count(
            self.users + other.users,
            self.tracks_in + other.tracks_in,
            self.tracks_out + other.tracks_out,
            self.seconds + other.seconds,
        )


@dataclass(frozen=True)
class Ranked:
    """Each stage's outcome. `verdict`, `light`: an entry of `found`; all else an entry of `kept`.

    `light` is NaN of what integrity removed; `places`: of each of `kept` its entry in `found`.
    """

    found: Pairs
    verdict: Array
    light: Array
    places: Array
    kept: Pairs
    chances: Array
    value: Array
    passed: Array
    new: Array
    pages: Pages
    counts: dict[tuple[str, str], Count]


def rank(listeners: Listeners, own: Own, shared: Shared, ranker: Ranker, plan: Plan) -> Ranked:
    """The pages of a batch of users, as of the tracks' cut-off."""
    counts: dict[tuple[str, str], Count] = {}
    tracks, size = shared.tracks, len(shared.tracks.side)
    with _timed() as clock:
        users = about(listeners, tracks)
        found = collect(users, tracks, shared.lists, plan.wanted, own.shown)
    counts[INVENTORY, ALL] = Count(_having(found), 0, len(found), clock.seconds)
    for number, name in enumerate(SOURCES):
        mine = (found.sources >> number & 1).astype(bool)
        counts[INVENTORY, name] = Count(len(np.unique(found.user[mine])), 0, int(mine.sum()))
    with _timed() as clock:
        verdict = judge(found, tracks.side, shared.barred, _rejected(users, found, tracks.cut_off_us, size))
        passed_on = np.flatnonzero(verdict == PASSED)
        sound = some(found, passed_on)
    counts[INTEGRITY, ALL] = Count(_having(found), len(found), len(sound), clock.seconds)
    for number, name in RULES.items():
        broken = verdict == number
        counts[INTEGRITY, name] = Count(len(np.unique(found.user[broken])), int(broken.sum()), 0)
    with _timed() as clock:
        score = ranker.light(sound, users, tracks)
        best = best_of(sound, score, plan.keep)
        kept = some(sound, best)
    counts[LIGHT, ALL] = Count(_having(sound), len(sound), len(kept), clock.seconds)
    with _timed() as clock:
        users_in_full, wanted, stay = _recall(sound, score, users, tracks, ranker, plan)
    counts[LIGHT, RECALL] = Count(users_in_full, wanted, stay, clock.seconds)
    with _timed() as clock:
        chances = ranker.chances(kept, users, tracks)
        value = chances.astype(np.float64) @ plan.weights
    counts[HEADS, ALL] = Count(_having(kept), len(kept), len(kept), clock.seconds)
    key = kept.user * size + kept.track
    passed = times_of(key, own.passed_key, own.passed_times)
    new = ~is_among(
        kept.user * len(tracks.side.artist_id) + tracks.side.artist[kept.track],
        _played_artists(users, tracks),
    )
    with _timed() as clock:
        valued = Valued(kept.user_id, kept.start, kept.track, value, passed, new)
        pages = arrange(valued, shared.traits, plan.rules, plan.day)
    standing = pages.entry >= 0
    counts[PAGE, ALL] = Count(int(standing.any(axis=1).sum()), len(kept), int(standing.sum()), clock.seconds)
    for number, name in enumerate(PAGE_RULES):
        relaxed = pages.broken >> number & 1
        counts[PAGE, f"relaxed: {name}"] = Count(
            int(relaxed.any(axis=1).sum()), int(relaxed.sum()), int(relaxed.sum())
        )
    counts[PAGE, "passed over"] = Count(len(np.unique(kept.user[passed > 0])), int((passed > 0).sum()), 0)
    counts[PAGE, "explore"] = Count(int(pages.explored.any(axis=1).sum()), 0, int(pages.explored.sum()))
    light = np.full(len(found), np.nan, np.float64)
    light[passed_on] = score
    return Ranked(found, verdict, light, passed_on[best], kept, chances, value, passed, new, pages, counts)


def some(pairs: Pairs, which: Array) -> Pairs:
    """Some entries, in their order; users without any stay, with none."""
    user = pairs.user[which]
    start = np.searchsorted(user, np.arange(len(pairs.user_id) + 1)).astype(np.int64)
    return Pairs(pairs.user_id, start, pairs.track[which], pairs.sources[which])


def best_of(pairs: Pairs, score: Array, most: int) -> Array:
    """The entries with the `most` highest scores of each user, in their order; ties: the first track."""
    user = pairs.user
    order = np.lexsort((pairs.track, -score, user))
    place = np.arange(len(order)) - np.repeat(pairs.start[:-1], np.diff(pairs.start))
    best: Array = np.sort(order[place < most])
    return best


def is_among(key: Array, sorted_keys: Array) -> Array:
    """Which keys are among sorted ones."""
    if not len(sorted_keys):
        return np.zeros(len(key), bool)
    place = np.minimum(np.searchsorted(sorted_keys, key), len(sorted_keys) - 1)
    among: Array = sorted_keys[place] == key
    return among


def times_of(key: Array, sorted_keys: Array, times: Array) -> Array:
    """The number that belongs to each key, 0 without one."""
    if not len(sorted_keys):
        return np.zeros(len(key), np.int64)
    place = np.minimum(np.searchsorted(sorted_keys, key), len(sorted_keys) - 1)
    found: Array = np.where(sorted_keys[place] == key, times[place], 0)
    return found


def _recall(
    sound: Pairs, score: Array, users: About, tracks: Tracks, ranker: Ranker, plan: Plan
) -> tuple[int, int, int]:
    """Of users drawn by a stated hash: how many, the full ranker's first tracks, and those that are kept."""
    drawn = mix(mix(np.full(1, _SEED, np.uint64)) ^ sound.user_id.astype(np.int64).view(np.uint64))
    chosen = (drawn / np.float64(2**64) < plan.in_full) & (np.diff(sound.start) > plan.keep)
    if not chosen.any():
        return 0, 0, 0
    which = np.flatnonzero(chosen[sound.user])
    # users stay in their rows, or what is known of them would be somebody else's
    part = some(sound, which)
    value = ranker.chances(part, users, tracks).astype(np.float64) @ plan.weights
    first = best_of(part, value, _FIRST)
    stays = best_of(part, score[which], plan.keep)
    return int(chosen.sum()), len(first), len(np.intersect1d(first, stays, assume_unique=True))


def _rejected(users: About, pairs: Pairs, cut_off_us: int, size: int) -> Array:
    past = users.listeners.listening
    user, track = rejected(
        past.play_user, past.play_track, past.play_us, past.play_skipped, cut_off_us - REJECTED_DAYS * DAY_US
    )
    return is_among(pairs.user * size + pairs.track, user * size + track)


def _played_artists(users: About, tracks: Tracks) -> Array:
    past = users.artists
    played = past.plays > 0
    keys: Array = past.user[played] * len(tracks.side.artist_id) + past.thing[played]
    return keys


def _having(pairs: Pairs) -> int:
    return int((np.diff(pairs.start) > 0).sum())


class _Clock:
    seconds = 0.0


@contextmanager
def _timed() -> Iterator[_Clock]:
    """How long a stage takes, which the page tells; nothing else depends on it."""
    clock, begin = _Clock(), time.perf_counter()
    try:
        yield clock
    finally:
        clock.seconds = time.perf_counter() - begin
