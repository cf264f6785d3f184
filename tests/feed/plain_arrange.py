"""Pass 2 as anybody would write it: one user, one place, one track after the other."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np

from pozytywka_spark.feed.arrange.rules import Rules


@dataclass(frozen=True)
class Track:
    entry: int
    track: int
    value: float
    artist: int
    genre: int
    new: bool
    promoted: bool
    passed: int
    embedding: tuple[float, ...]  # whole numbers up to 127


@dataclass(frozen=True)
class Place:
    entry: int
    broken: frozenset[str]
    explored: bool
    probability: float


def page_of(
    tracks: Sequence[Track], rules: Rules, drawn: Sequence[bool], pick: Sequence[float]
) -> list[Place]:
    ordered = sorted(tracks, key=lambda one: (-one.value, one.track))
    if not rules.arrange:
        return [Place(one.entry, frozenset(), False, 1.0) for one in ordered[: rules.page]]
    values = [one.value for one in ordered]
    scale = (values[0] - values[min(len(values), rules.page) - 1] if values else 0.0) * rules.spread
    places = [min(at + rules.sink * one.passed, len(ordered) - 1) for at, one in enumerate(ordered)]
    sunk = [replace(one, value=values[places[at]]) for at, one in enumerate(ordered)]
    sunk = sorted(sunk, key=lambda one: (-one.value, one.passed > 0))  # sorted() keeps the order of equals
    first = _fill(sunk, rules, scale, drawn, pick, 0)
    if sum(one.new for one in tracks) < rules.new_artists:
        return first
    for earlier in range(10):
        page = _fill(sunk, rules, scale, drawn, pick, earlier)
        if not any("new artists" in place.broken for place in page):
            return page
    return first


def _fill(
    tracks: Sequence[Track],
    rules: Rules,
    scale: float,
    drawn: Sequence[bool],
    pick: Sequence[float],
    earlier: int,
) -> list[Place]:
    first = min(10, rules.page, len(tracks))
    page: list[Track] = []
    places: list[Place] = []
    waiting = list(tracks)
    while waiting and len(page) < rules.page:
        missing = min(rules.new_artists, first) - sum(one.new for one in page)
        left = first - len(page)
        insists = missing > 0 and left > 0 and missing >= left - earlier
        levels = [_level(one, page, insists) for one in waiting]
        possible = [one for one, level in zip(waiting, levels, strict=True) if level == min(levels)]
        scores = [one.value - scale / 127**2 * max([0, *(_like(one, it) for it in page)]) for one in possible]
        best = possible[int(np.argmax(scores))]
        chosen, at = best, len(page)
        if drawn[at]:
            chosen = possible[int(pick[at] * len(possible))]
        chance = rules.explore / len(possible) + (1 - rules.explore if chosen is best else 0)
        broken = _broken(chosen, page) | (
            {"new artists"} if left > 0 and missing - chosen.new > left - 1 else set()
        )
        places.append(Place(chosen.entry, frozenset(broken), bool(drawn[at]), chance))
        page.append(chosen)
        waiting.remove(chosen)
    return places


_ORDER = ["new artists", "genre in a row", "artist in 20", "artist in 4", "promoted in 10"]


def _level(one: Track, page: Sequence[Track], insists: bool) -> int:
    broken = _broken(one, page) | ({"new artists"} if insists and not one.new else set())
    return max((_ORDER.index(name) for name in broken), default=-1)


def _broken(one: Track, page: Sequence[Track]) -> set[str]:
    """Of what would stand on the page then."""
    after = [*page, one]
    broken = set()
    if len(after) <= 20 and sum(each.artist == one.artist for each in after) > 3:
        broken.add("artist in 20")
    if one.artist in [each.artist for each in after[-4:-1]]:
        broken.add("artist in 4")
    if len(after) >= 4 and one.genre >= 0 and {each.genre for each in after[-4:]} == {one.genre}:
        broken.add("genre in a row")
    if one.promoted and any(each.promoted for each in after[-10:-1]):
        broken.add("promoted in 10")
    return broken


def _like(one: Track, other: Track) -> float:
    return float(sum(a * b for a, b in zip(one.embedding, other.embedding, strict=True)))
