"""A session's rows, as the kernels of repair see them: by instant, for the order within one is unknown."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from itertools import groupby
from typing import NamedTuple

from pozytywka_spark.names import LIKE, PLAY, SKIP

# No listener's session is longer; whatever is, is looked at row by row only as far as users go.
LONGEST = 5_000
WITH_TRACK = frozenset((PLAY, LIKE, SKIP))


class Row(NamedTuple):
    """An event of one session, as far as it is known."""

    time: int  # microseconds
    kind: str | None
    track: str | None
    user: int | None = None
    no_track: bool = False  # the track was given, as none
    told: bool = False  # of silver, its type or track once told by its session

    @property
    def whole(self) -> bool:
        """Whether it has its type, and the track that its type calls for."""
        return self.kind is not None and (self.track is not None or self.kind not in WITH_TRACK)


def by_instant(rows: Sequence[Row], at: Iterable[int]) -> list[list[int]]:
    """The places `at` in `rows`, one list an instant, in the order of time."""
    in_order = sorted(at, key=lambda i: rows[i].time)
    return [list(group) for _, group in groupby(in_order, key=lambda i: rows[i].time)]


def agrees(row: Row, event: Row) -> bool:
    """Whether a row of the same instant may be a poorer copy of this whole event."""
    if row.kind is not None and row.kind != event.kind:
        return False
    if row.no_track and row.kind is None:
        return event.track is None
    return row.track is None or row.track == event.track
