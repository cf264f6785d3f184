"""Counting what stands beside what in sessions: the evidence for a delivery's grammar.

A session of thirty events, of which one in seven lacks a field, is hardly ever complete; so every complete
stretch of a session counts, be the rest as it may. What a missing field leaves open is not counted.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Sequence
from itertools import combinations, pairwise

from pozytywka_spark.ingest.resolve.grammar import FOLLOWERS, Key
from pozytywka_spark.ingest.resolve.session_rows import LONGEST, WITH_TRACK, Row, agrees
from pozytywka_spark.names import ADVERTISEMENT, BUY_PREMIUM, PLAY

Instant = list[Row]


def tally(rows: Iterable[Row]) -> Counter[Key]:
    """What one session shows, in any order of its rows; copies of an event count once (see `grammar`)."""
    rows = list(rows)
    counts: Counter[Key] = Counter()
    _users(rows, counts)
    if len(rows) > LONGEST:
        return counts
    instants = _instants(rows)
    _purchases(instants, counts)
    for place, instant in enumerate(instants):
        _company(instant, place == len(instants) - 1, counts)
        for row in instant:
            if row.kind in WITH_TRACK and row.no_track:
                counts["blank", row.kind] += 1
            if row.kind in FOLLOWERS:
                _owner(row, place, instants, counts)
                _since(row, place, instants, counts)
    if instants and _typed(instants[0]):
        counts[("starts",)] += 1
    counts[("again",)] += _again(instants)
    return counts


def _instants(rows: Sequence[Row]) -> list[Instant]:
    """Each event once, by instant; a row that may be a copy of another counts as one of unknown type."""
    at: dict[int, dict[tuple[str | None, str | None, bool], Row]] = {}
    for row in rows:
        # only of a row that should have a track it matters whether there was none, or none was told
        blank = row.no_track and (row.kind is None or row.kind in WITH_TRACK)
        at.setdefault(row.time, {}).setdefault((row.kind, row.track, blank), row)
    instants = []
    for _, events in sorted(at.items()):
        instant = list(events.values())
        if len(instant) > 1:
            whole = [row for row in instant if row.whole]
            instant = [row._replace(kind=None) if _may_be_a_copy(row, whole) else row for row in instant]
        instants.append(instant)
    return instants


def _may_be_a_copy(row: Row, whole: Sequence[Row]) -> bool:
    return not row.whole and any(agrees(row, event) for event in whole)


def _typed(instant: Instant) -> bool:
    return all(row.kind is not None for row in instant)


def _company(instant: Instant, last: bool, counts: Counter[Key]) -> None:
    if len(instant) == 1:
        _alone(instant[0].kind, last, counts)
        return
    kinds = sorted(row.kind for row in instant if row.kind is not None)
    for first, second in combinations(kinds, 2):
        counts["tie", first, second] += 1
    if len(kinds) < len(instant):
        return
    for kind in kinds:
        counts["kind", kind] += 1
    if last:
        return
    for kind in kinds:
        counts["mid", kind] += 1
    for first, second in set(combinations(kinds, 2)):
        counts["both", first, second] += 1
    if len(kinds) <= 2:
        counts["just", *kinds] += 1


def _alone(kind: str | None, last: bool, counts: Counter[Key]) -> None:
    if kind is None:
        return
    counts["kind", kind] += 1
    if not last:
        counts["mid", kind] += 1
        counts["just", kind] += 1


def _owner(row: Row, place: int, instants: list[Instant], counts: Counter[Key]) -> None:
    """Which play a like or skip belongs to, going by its track."""
    kind, track = row.kind, row.track
    assert kind is not None
    if track is None:
        return
    beside = [other for other in instants[place] if other.kind == PLAY]
    if any(play.track is None for play in beside) or not _typed(instants[place]):
        beside = []
    before = place - 1
    while before >= 0 and _typed(instants[before]) and not _has_play(instants[before]):
        before -= 1
    if before >= 0 and not _typed(instants[before]):
        return
    plays = {other.track for other in instants[before] if other.kind == PLAY} if before >= 0 else set()
    if track not in plays and (None in plays or not _typed(instants[place])):
        return
    counts["owned", kind] += 1
    if beside:
        counts["with", kind] += 1
    if track in plays:
        return
    if any(play.track == track for play in beside):
        counts["same", kind] += 1
    else:
        counts["none" if before < 0 else "other", kind] += 1


def _since(row: Row, place: int, instants: list[Instant], counts: Counter[Key]) -> None:
    """What stood between a play and its like or skip."""
    assert row.kind is not None
    for before in range(place - 1, -1, -1):
        if _has_play(instants[before]):
            counts["after", row.kind] += 1
            return
        if not _typed(instants[before]):
            return
        for other in instants[before]:
            counts["since", str(other.kind), row.kind] += 1


def _again(instants: list[Instant]) -> int:
    plays = [row.track for instant in instants for row in instant if row.kind == PLAY]
    return sum(track is not None and track == after for track, after in pairwise(plays))


def _has_play(instant: Instant) -> bool:
    return any(row.kind == PLAY for row in instant)


def _users(rows: Sequence[Row], counts: Counter[Key]) -> None:
    users = [user for *_, user in {row[:4] for row in rows if row.user is not None}]
    if len(users) > 1:
        counts[("session",)] += 1
        counts[("users",)] += len(set(users)) > 1


def _purchases(instants: list[Instant], counts: Counter[Key]) -> None:
    bought = [place for place, rows in enumerate(instants) if any(row.kind == BUY_PREMIUM for row in rows)]
    if not bought:
        return
    counts[("bought",)] += bought[0] < len(instants) - 1
    counts[("twice",)] += len(bought) > 1
    later = (row for rows in instants[bought[0] + 1 :] for row in rows)
    counts[("unsold",)] += any(row.kind == ADVERTISEMENT for row in later)
