"""The distributions that the analysts looked at, counted in buckets, so that only counts are told."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import date
from typing import Any

import polars as pl

# column: title, bucket width, divisor of the unit
TRACK_AXES = {
    "popularity": ("popularity", 5.0, 1.0),
    "loudness": ("loudness, dB", 2.0, 1.0),
    "tempo": ("tempo, beats a minute", 10.0, 1.0),
    "duration_ms": ("duration, minutes", 0.5, 60_000.0),
}
_SESSION_BUCKET = 5

Buckets = dict[str, list[tuple[float, int]]]
Months = dict[str, list[tuple[date, int]]]


@dataclass(frozen=True)
class MonthRow:
    """Events of one type in one month: how many, and of those how many repaired, or without track.

    `first` and `last` are times in microseconds since 1970 UTC.
    """

    kind: str
    month: date
    events: int
    repaired: int
    trackless: int
    first: int
    last: int

    def __add__(self, other: MonthRow) -> MonthRow:
        return MonthRow(
            self.kind,
            self.month,
            self.events + other.events,
            self.repaired + other.repaired,
            self.trackless + other.trackless,
            min(self.first, other.first),
            max(self.last, other.last),
        )


@dataclass(frozen=True)
class SessionRow:
    """Sessions of one group of users and one bucket of length; `shared` ones have several users."""

    group: str
    low: float
    sessions: int
    shared: int


def count_tracks(tracks: pl.DataFrame) -> list[list[Any]]:
    """Tracks by bucket of each axis: axis, the bucket's lower end, how many."""
    counts = []
    for name, (_, width, divisor) in TRACK_AXES.items():
        low = (pl.col(name).cast(pl.Float64) / divisor / width).floor() * width
        cells = tracks.select(low.alias("low")).drop_nulls().group_by("low").len()
        counts += [[name, *cell] for cell in cells.rows()]
    return counts


def count_sessions(sessions: pl.DataFrame, users: pl.DataFrame | None) -> list[list[Any]]:
    """Sessions (`session_id`, `events`, least `user_id`, greatest as `other`) as `SessionRow` has them.

    Apart for users with and without premium where that is known, by `user_id` and `premium_user`.
    """
    group = pl.lit("all")
    if users is not None:
        sessions = sessions.join(users, on="user_id", how="left")
        group = pl.when("premium_user").then(pl.lit("premium")).otherwise(pl.lit("others"))
    low = (pl.col("events") // _SESSION_BUCKET * _SESSION_BUCKET).cast(pl.Float64)
    rows = sessions.group_by(group.alias("group"), low.alias("low")).agg(
        pl.len(), (pl.col("user_id") != pl.col("other")).sum().alias("shared")
    )
    return [list(row) for row in rows.rows()]


def track_buckets(results: Iterable[Sequence[Any]]) -> Buckets:
    """All that `count_tracks` told, added up, in order."""
    counts: dict[tuple[str, float], int] = {}
    for axis, low, tracks in results:
        counts[axis, low] = counts.get((axis, low), 0) + tracks
    buckets: Buckets = {}
    for (axis, low), tracks in sorted(counts.items()):
        buckets.setdefault(axis, []).append((low, tracks))
    return buckets


def month_rows(results: Iterable[Sequence[Any]]) -> list[MonthRow]:
    """Events by type and month (ISO), added up, in order."""
    rows: dict[tuple[str, str], MonthRow] = {}
    for kind, month, *counts in results:
        row = MonthRow(kind, date.fromisoformat(month), *counts)
        rows[month, kind] = rows[month, kind] + row if (month, kind) in rows else row
    return [row for _, row in sorted(rows.items())]


def session_rows(results: Iterable[Sequence[Any]]) -> list[SessionRow]:
    """All that `count_sessions` told, added up, in order."""
    counts: dict[tuple[str, float], tuple[int, int]] = {}
    for group, low, sessions, shared in results:
        before = counts.get((group, low), (0, 0))
        counts[group, low] = (before[0] + sessions, before[1] + shared)
    return [SessionRow(*key, *both) for key, both in sorted(counts.items())]


def as_months(rows: Iterable[MonthRow]) -> Months:
    """For the plot: by type, the events of each month."""
    months: Months = {}
    for row in rows:
        months.setdefault(row.kind, []).append((row.month, row.events))
    return months


def as_buckets(rows: Iterable[SessionRow]) -> Buckets:
    """For the plot: by group, the sessions of each length."""
    buckets: Buckets = {}
    for row in rows:
        buckets.setdefault(row.group, []).append((row.low, row.sessions))
    return buckets
