"""Place by place over a batch of users at once: each place gets the best track that breaks no rule."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from pozytywka_spark.feed.arrange.rules import (
    ARTIST_APART,
    ARTIST_IN_4,
    ARTIST_IN_20,
    ARTIST_TIMES,
    ARTIST_WITHIN,
    GENRE_IN_A_ROW,
    GENRE_RUN,
    NEW_ARTISTS,
    NEW_WITHIN,
    PROMOTED_APART,
    PROMOTED_IN_10,
    Rules,
)
from pozytywka_spark.feed.arrange.shortlist import Shortlist
from pozytywka_spark.feed.pairs import Array

_LONG_AGO = 1_000_000


@dataclass(frozen=True)
class Filled:
    """Users × places: the column of the shortlist (-1 none), rules broken (a bit each), and how it came."""

    column: Array
    broken: Array
    explored: Array
    probability: Array


def fill(short: Shortlist, rules: Rules, drawn: Array, pick: Array, earlier: int = 0) -> Filled:
    """Fill the pages.

    `drawn`, `pick`: users × places, whether the place is drawn, and where in [0, 1) the draw falls among the
    tracks that the rules allow. `earlier`: so many places before the last possible one the places for new
    artists are insisted on. The probability is that of this track at this place, given those above it.
    """
    users, width = short.entry.shape
    page = _empty(users, rules.page)
    state = _State(short, rules, earlier)
    every = np.arange(users)
    for place in range(min(rules.page, width)):
        allowed = state.allowed(place)
        some = allowed.any(axis=1)
        if not some.all():
            state.relax(allowed, np.flatnonzero(~some), place)
        possible = np.count_nonzero(allowed, axis=1)
        best = np.where(allowed, state.score(), -np.inf).argmax(axis=1)
        chosen = best.copy()
        for user in np.flatnonzero(drawn[:, place] & (possible > 0)):
            chosen[user] = np.flatnonzero(allowed[user])[int(pick[user, place] * possible[user])]
        is_there = possible > 0
        page.broken[:, place] = np.where(is_there, state.broken(chosen, place), 0)
        page.column[:, place] = np.where(is_there, chosen, -1)
        page.explored[:, place] = drawn[:, place] & is_there
        by_chance = rules.explore / np.maximum(possible, 1)
        otherwise = np.where(chosen == best, 1 - rules.explore, 0.0)
        page.probability[:, place] = np.where(is_there, by_chance + otherwise, 0.0)
        state.put(every, chosen, is_there, place)
    return page


def _empty(users: int, places: int) -> Filled:
    shape = (users, places)
    return Filled(
        np.full(shape, -1, np.int64), np.zeros(shape, np.uint8), np.zeros(shape, bool), np.zeros(shape)
    )


class _State:
    """What stands on the pages so far, as the rules need it."""

    def __init__(self, short: Shortlist, rules: Rules, earlier: int) -> None:
        users, width = short.entry.shape
        self.short, self.rules, self.earlier = short, rules, earlier
        self.free = short.entry >= 0
        # the first places of a page, or fewer if there aren't as many tracks
        self.first = np.minimum(np.count_nonzero(self.free, axis=1), min(NEW_WITHIN, rules.page))
        self.missing = np.minimum(rules.new_artists, self.first)  # places for new artists, not filled yet
        self.times = np.zeros((users, width), np.int8)  # of each track's artist on the page
        self.recent = [np.zeros((users, width), bool) for _ in range(ARTIST_APART - 1)]
        self.nearest = np.zeros((users, width), np.float32)
        self.genre = np.full(users, -1, np.int32)
        self.run = np.zeros(users, np.int64)
        self.promoted_at = np.full(users, -_LONG_AGO)
        self.any_promoted = bool(short.promoted.any())

    def allowed(self, place: int) -> Array:
        bad = self.recent[0] | self.recent[1]
        for more in self.recent[2:]:
            bad |= more
        if place < ARTIST_WITHIN:
            bad |= self.times >= ARTIST_TIMES
        for rows, broken in self._of_some(place):
            bad[rows] |= broken
        allowed: Array = self.free & ~bad
        return allowed

    def _of_some(self, place: int) -> list[tuple[Array, Array]]:
        """Rules that bind only some users at this place: which, and the tracks that break them."""
        short, found = self.short, []
        if (rows := self._insists(place)).size:
            found.append((rows, ~short.new[rows]))
        if (rows := np.flatnonzero((self.run >= GENRE_RUN) & (self.genre >= 0))).size:
            found.append((rows, short.genre[rows] == self.genre[rows, None]))
        if self.any_promoted and (rows := np.flatnonzero(place - self.promoted_at < PROMOTED_APART)).size:
            found.append((rows, short.promoted[rows]))
        return found

    def _insists(self, place: int) -> Array:
        left = self.first - place
        return np.flatnonzero((self.missing > 0) & (left > 0) & (self.missing >= left - self.earlier))

    def relax(self, allowed: Array, rows: Array, place: int) -> None:
        """Where no track is allowed: those whose latest-to-give-way broken rule is the first to give way."""
        short = self.short
        level = np.full((len(rows), allowed.shape[1]), -1, np.int8)
        insisted = np.isin(rows, self._insists(place))
        level[insisted[:, None] & ~short.new[rows]] = NEW_ARTISTS
        level[self._same_genre(rows)] = GENRE_IN_A_ROW
        if place < ARTIST_WITHIN:
            level[self.times[rows] >= ARTIST_TIMES] = ARTIST_IN_20
        for recent in self.recent:
            level[recent[rows]] = ARTIST_IN_4
        level[(place - self.promoted_at[rows] < PROMOTED_APART)[:, None] & short.promoted[rows]] = (
            PROMOTED_IN_10
        )
        level[~self.free[rows]] = np.iinfo(np.int8).max
        allowed[rows] = self.free[rows] & (level == level.min(axis=1, keepdims=True))

    def _same_genre(self, rows: Array) -> Array:
        bound = (self.run[rows] >= GENRE_RUN) & (self.genre[rows] >= 0)
        same: Array = bound[:, None] & (self.short.genre[rows] == self.genre[rows, None])
        return same

    def score(self) -> Array:
        score: Array = self.short.value - self.short.spread[:, None] * self.nearest
        return score

    def broken(self, chosen: Array, place: int) -> Array:
        """The rules that the chosen tracks break, a bit each."""
        short, every = self.short, np.arange(len(chosen))
        left = self.first - place - 1
        new = short.new[every, chosen]
        bits = ((left >= 0) & (self.missing - new > left)).astype(np.uint8) << NEW_ARTISTS
        genre = (self.run >= GENRE_RUN) & (self.genre >= 0) & (short.genre[every, chosen] == self.genre)
        bits |= genre.astype(np.uint8) << GENRE_IN_A_ROW
        if place < ARTIST_WITHIN:
            bits |= (self.times[every, chosen] >= ARTIST_TIMES).astype(np.uint8) << ARTIST_IN_20
        near = np.logical_or.reduce([recent[every, chosen] for recent in self.recent])
        bits |= near.astype(np.uint8) << ARTIST_IN_4
        promoted = short.promoted[every, chosen] & (place - self.promoted_at < PROMOTED_APART)
        broken: Array = bits | promoted.astype(np.uint8) << PROMOTED_IN_10
        return broken

    def put(self, every: Array, chosen: Array, is_there: Array, place: int) -> None:
        """The chosen tracks stand there; a user without one has no more places."""
        short = self.short
        self.free[every, chosen] = False
        same = short.artist == short.artist[every, chosen][:, None]
        self.times += same
        self.recent = [*self.recent[1:], same]
        genre = short.genre[every, chosen]
        self.run = np.where(genre == self.genre, self.run + 1, 1)
        self.genre = genre
        self.missing = self.missing - (short.new[every, chosen] & is_there)
        np.maximum(self.missing, 0, out=self.missing)
        if self.any_promoted:
            self.promoted_at = np.where(short.promoted[every, chosen], place, self.promoted_at)
        if self.rules.spread > 0:
            likeness = np.matmul(short.embedding, short.embedding[every, chosen][:, :, None])[:, :, 0]
            np.maximum(self.nearest, likeness, out=self.nearest)
