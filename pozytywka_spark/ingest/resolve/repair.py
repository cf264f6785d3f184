"""Repair of events: only what is certain, and marked.

A session has one user; so a row without one has that of the others, unless the delivery shows sessions of
several users. A type and a track are filled in where the session and the delivery's grammar leave one answer
(see `certain`, `grammar`). A neighbour proves something only if it is the neighbour: where a row of the
session may be missing (see `gaps`), or where it has several users, no type and no track is told by order.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from pozytywka_spark.ingest.resolve.certain_values import ANOTHER, CROWD, Session, Value
from pozytywka_spark.ingest.resolve.grammar import ENOUGH, Grammar
from pozytywka_spark.ingest.resolve.session_rows import LONGEST, Row, agrees
from pozytywka_spark.names import PLAY

USER = "user_from_session"
TYPE = "type_by_order"
TRACK_OF_PLAY = "track_from_play"
TRACK_OF_FOLLOWER = "track_from_skip_or_like"

_GAPS = "a row of the session may be missing, so that its order tells nothing for certain"
_USERS = "the session has several users, so that its order tells nothing for certain"
_SHARED = "sessions of the delivery have several users"
_NO_USER = "no row of the session tells its user"
_COPY = "it may be a copy of an event of its instant"
_RARE = "what fits is too rare in the delivery to be certain"
_LONG = f"the session has more than {LONGEST} events"
_CROWD = f"more than {CROWD} events share an instant"
_ODD = "no complete session of the delivery has rows like those around it"
_FEW = f"the delivery shows too few complete sessions to tell: not {ENOUGH} occasions for what it never shows"


@dataclass(frozen=True)
class Outcome:
    """What became of an incomplete row: its fields as far as they are certain, and why not the rest.

    `copy`: an event of its instant holds all that it says; `reason` (null: nothing was filled) tells what
    was filled in, by what; `why` (null: it is complete) why the rest was not.
    """

    kind: str | None
    track: str | None
    user: int | None
    copy: bool = False
    reason: str | None = None
    why: str | None = None


def repair(rows: Sequence[Row], grammar: Grammar, *, gaps: bool = False) -> list[Outcome | None]:
    """The incomplete among a session's rows, one outcome each, in the order of `rows`; None for the others.

    `rows` are all there are of the session, of silver and of the batch, each event once, in any order.
    `gaps`: a row of it may be missing.
    """
    copies, doubted = _copies(rows, grammar)
    users = {row.user for row in rows if row.user is not None}
    user = next(iter(users)) if len(users) == 1 and grammar.one_user else None
    at = [i for i in range(len(rows)) if i not in copies]
    values: dict[int, Value] = {}
    why: dict[int, str] = {}
    if any(not rows[i].whole for i in at):
        nothing = _nothing_told(len(at), len(users), grammar, gaps)
        if nothing is None:
            values, why = _by_order(rows, at, doubted, grammar)
        else:
            why = dict.fromkeys(at, nothing)
    no_user = _USERS if len(users) > 1 else _NO_USER if not users else _SHARED
    return [
        _outcome(row, i in copies, user, values.get(i), why.get(i), no_user)
        if row.user is None or not row.whole
        else None
        for i, row in enumerate(rows)
    ]


def _nothing_told(events: int, users: int, grammar: Grammar, gaps: bool) -> str | None:
    """Why the order of a session tells nothing; null if it may."""
    if gaps:
        return _GAPS
    if users > 1:
        return _USERS
    if not grammar.one_user:
        return _SHARED
    return _LONG if events > LONGEST else None


def _copies(rows: Sequence[Row], grammar: Grammar) -> tuple[frozenset[int], frozenset[int]]:
    """Rows that are copies of events of their instant, and rows that may be.

    A row that agrees, as far as it goes, with an event which its session once told is that row come again.
    With any other event, one that has its type is a copy, unless two events of that type are ever seen in
    one instant.
    """
    whole: dict[int, list[Row]] = {}
    for row in rows:
        if row.whole:
            whole.setdefault(row.time, []).append(row)
    surely: set[int] = set()
    perhaps: set[int] = set()
    for i, row in enumerate(rows):
        events = [] if row.whole else [event for event in whole.get(row.time, ()) if agrees(row, event)]
        if not events:
            continue
        once = row.kind is not None and not grammar.comes_twice(row.kind)
        (surely if once or any(event.told for event in events) else perhaps).add(i)
    return frozenset(surely), frozenset(perhaps)


def _by_order(
    rows: Sequence[Row], at: Sequence[int], doubted: frozenset[int], grammar: Grammar
) -> tuple[dict[int, Value], dict[int, str]]:
    """The one value of each row that has one, and why the others have none."""
    session = Session(rows, at, doubted, grammar)
    if any(len(instant) > CROWD for instant in session.instants):
        return {}, dict.fromkeys(session.open, _CROWD)
    if not session.settle():
        return {}, dict.fromkeys(session.open, _ODD)
    values: dict[int, Value] = {}
    why: dict[int, str] = {}
    lenient: Session | None = None
    for i in session.open:
        left = session.values[i]
        value = left[0]
        if len(left) == 1 and value is not None and value[1] != ANOTHER:
            if session.usual(i):
                values[i] = value
            else:
                why[i] = _RARE
        elif None in left:
            why[i] = _COPY
        else:
            if lenient is None:
                lenient = Session(rows, at, doubted, grammar.lenient)
                lenient.settle()
            few = len(lenient.values[i]) < len(left)
            why[i] = _several(left) + (f"; {_FEW}" if few else "")
    return values, why


def _several(left: Sequence[Value]) -> str:
    values = [value for value in left if value is not None]
    kinds = sorted({kind for kind, _ in values})
    if len(kinds) > 1:
        return f"several types fit: {', '.join(kinds)}"
    tracks = {track for _, track in values}
    return "no row tells its track" if tracks == {ANOTHER} else "several tracks fit"


def _outcome(row: Row, copy: bool, user: int | None, value: Value, why: str | None, no_user: str) -> Outcome:
    kind, track = value if value is not None and not row.whole else (row.kind, row.track)
    found = Row(row.time, kind, track)
    told = []
    if row.user is None and user is not None:
        told.append(USER)
    if row.kind is None and kind is not None:
        told.append(TYPE)
    if found.whole and not row.whole and row.track is None and track is not None:
        told.append(TRACK_OF_FOLLOWER if kind == PLAY else TRACK_OF_PLAY)
    unresolved = no_user if row.user is None and user is None else None if found.whole else why
    return Outcome(
        kind, track, user if row.user is None else row.user, copy, ",".join(told) or None, unresolved
    )
