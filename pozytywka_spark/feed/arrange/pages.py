"""Pages of many users from their valued candidates; some hundred users at a time, whatever their number."""

from __future__ import annotations

from dataclasses import dataclass, fields
from datetime import date

import numpy as np

from pozytywka_spark.feed.arrange.draws import draws
from pozytywka_spark.feed.arrange.places import Filled, fill
from pozytywka_spark.feed.arrange.rules import NEW_ARTISTS, NEW_WITHIN, Rules
from pozytywka_spark.feed.arrange.shortlist import Shortlist, TrackTraits, shortlist
from pozytywka_spark.feed.pairs import Array

AT_ONCE = 128  # users whose candidates' embeddings stay in the cache


@dataclass(frozen=True)
class Valued:
    """Candidates of users, as in `Pairs`, with what pass 2 goes by, an entry each."""

    user_id: Array
    start: Array
    track: Array
    value: Array
    passed: Array  # times it stood high and was passed over lately
    new: Array  # by an artist new to the user


@dataclass(frozen=True)
class Pages:
    """Users × places: the entry of the candidates (-1 none), rules broken (a bit each), whether it was
    drawn, and the probability of this track at this place, given those above.
    """

    entry: Array
    broken: Array
    explored: Array
    probability: Array


def arrange(valued: Valued, traits: TrackTraits, rules: Rules, day: date) -> Pages:
    """The page of each user.

    Without `rules.arrange` the order of the value, and nothing else.
    """
    users = len(valued.user_id)
    parts = [
        _batch(valued, slice(at, min(at + AT_ONCE, users)), traits, rules, day)
        for at in range(0, users, AT_ONCE)
    ]
    if not parts:
        return _empty(0, rules)
    return Pages(*(np.concatenate([getattr(part, f.name) for part in parts]) for f in fields(Pages)))


def _batch(valued: Valued, users: slice, traits: TrackTraits, rules: Rules, day: date) -> Pages:
    start = valued.start[users.start : users.stop + 1]
    if start[-1] == start[0]:
        return _empty(len(start) - 1, rules)
    passed = valued.passed if rules.arrange else np.zeros_like(valued.passed)
    short = shortlist(start, valued.track, valued.value, passed, valued.new, traits, rules)
    if not rules.arrange:
        return _by_value(short, start, rules)
    drawn, pick = draws(valued.user_id[users], day, rules.page, rules.explore)
    filled = _with_new_artists(short, rules, drawn, pick)
    at = np.maximum(filled.column, 0)
    entry = np.take_along_axis(short.entry, at, axis=1) + start[0]
    return Pages(np.where(filled.column >= 0, entry, -1), filled.broken, filled.explored, filled.probability)


def _empty(users: int, rules: Rules) -> Pages:
    none = np.zeros((users, rules.page))
    return Pages(none.astype(np.int64) - 1, none.astype(np.uint8), none.astype(bool), none)


def _by_value(short: Shortlist, start: Array, rules: Rules) -> Pages:
    entry = np.full((len(start) - 1, rules.page), -1, np.int64)
    there = short.entry[:, : rules.page]
    entry[:, : there.shape[1]] = np.where(there >= 0, there + start[0], -1)
    shape = entry.shape
    return Pages(entry, np.zeros(shape, np.uint8), np.zeros(shape, bool), np.where(entry >= 0, 1.0, 0.0))


def _with_new_artists(short: Shortlist, rules: Rules, drawn: Array, pick: Array) -> Filled:
    """Places for new artists are the last possible ones; where other rules forbid that, earlier ones."""
    filled = fill(short, rules, drawn, pick)
    could = short.new.sum(axis=1, where=short.entry >= 0) >= rules.new_artists
    for earlier in range(1, NEW_WITHIN):
        again = np.flatnonzero(could & (filled.broken >> NEW_ARTISTS & 1).any(axis=1))
        if not again.size:
            break
        other = fill(short.rows(again), rules, drawn[again], pick[again], earlier)
        better = ~(other.broken >> NEW_ARTISTS & 1).any(axis=1)
        for field in fields(Filled):
            getattr(filled, field.name)[again[better]] = getattr(other, field.name)[better]
    return filled
