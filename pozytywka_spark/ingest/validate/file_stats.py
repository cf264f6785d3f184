"""Counts of a file's rows that add up over its parts: all that the driver learns of them."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from datetime import date, timedelta
from typing import Any

import polars as pl

from pozytywka_spark.ingest.parcels import COMPLETE, INCOMPLETE, LOST, REJECTED
from pozytywka_spark.ingest.validate.rules.sessions import EMPTY_TRACK
from pozytywka_spark.ingest.validate.rules.verdict import Verdict

UNREADABLE = frozenset({"malformed", "too_long", "invalid_utf8"})
_COUNTS = ("rows", "incomplete", "rescued", "noted")
_TALLIES = ("notes", "absent", "reasons", "months")


@dataclass(frozen=True)
class FileStats:
    """Grain: source file, or what was read of it.

    `incomplete`: events that pass all rules, but lack a user, a type or a track; `rescued`: rows with fields
    that the contract doesn't know; `noted`: rows with a remark; `notes`: rows by remark (a row may bear
    several); `absent`: rows that lack a field altogether, by field; `reasons`: rejected rows by reason;
    `rules`: for each reason the least text of a broken rule; `months`: complete events by month
    (`YYYY-MM-01`); `first_month`, `last_month`: of all events that pass.
    """

    rows: int = 0
    incomplete: int = 0
    rescued: int = 0
    noted: int = 0
    notes: Mapping[str, int] = field(default_factory=dict)
    absent: Mapping[str, int] = field(default_factory=dict)
    reasons: Mapping[str, int] = field(default_factory=dict)
    rules: Mapping[str, str] = field(default_factory=dict)
    months: Mapping[str, int] = field(default_factory=dict)
    first_month: str | None = None
    last_month: str | None = None

    @property
    def rejected(self) -> int:
        """Rows that break a rule."""
        return sum(self.reasons.values())

    @property
    def unreadable(self) -> int:
        """Rows that are no object of JSON."""
        return sum(rows for reason, rows in self.reasons.items() if reason in UNREADABLE)

    def lacks(self, name: str) -> int:
        """Rows that lack the field altogether."""
        return self.absent.get(name, 0)

    def __add__(self, other: FileStats) -> FileStats:
        """Of two sets of rows, that of both."""
        counts: dict[str, Any] = {name: getattr(self, name) + getattr(other, name) for name in _COUNTS}
        tallies: dict[str, Any] = {
            name: _together(getattr(self, name), getattr(other, name)) for name in _TALLIES
        }
        rules = dict(self.rules)
        for reason, rule in other.rules.items():
            rules[reason] = min(rule, rules.get(reason, rule))
        first = min(filter(None, (self.first_month, other.first_month)), default=None)
        last = max(filter(None, (self.last_month, other.last_month)), default=None)
        return FileStats(**counts, **tallies, rules=rules, first_month=first, last_month=last)

    def as_result(self) -> dict[str, Any]:
        """As JSON has it; what is nothing is left out."""
        return {name: value for name, value in vars(self).items() if value}

    @classmethod
    def of_result(cls, result: Mapping[str, Any]) -> FileStats:
        """The stats that `as_result` made this of."""
        return cls(**result)


def _together(one: Mapping[str, int], other: Mapping[str, int]) -> dict[str, int]:
    return dict(Counter(one) + Counter(other))


MONTH = "_month"
_MONTHS = 1 << 32  # more than there are days to a month's first, before 1970 and after
_EPOCH = date(1970, 1, 1)


def month_of_event() -> pl.Expr:
    """The first day of the month (UTC) that an event is of, as `MONTH`."""
    return pl.col("event_time").map_batches(_months, return_dtype=pl.Date).alias(MONTH)


def _months(times: pl.Series) -> pl.Series:
    """A month is looked up by its day: of many events in few days that takes a third of the time."""
    days = times.dt.date().to_physical()
    first, last = days.min(), days.max()
    if not isinstance(first, int) or not isinstance(last, int):  # of no events
        return days.cast(pl.Date)
    numbers = pl.select(pl.int_range(first, last + 1, dtype=pl.Int32)).to_series()
    return numbers.cast(pl.Date).dt.truncate("1mo").gather(days - first)


class Remarks:
    """What is noted of rows, and what they lack, by source: the part of the stats that no row keeps."""

    def __init__(self) -> None:
        self.noted: Counter[int] = Counter()
        self.notes: defaultdict[int, Counter[str]] = defaultdict(Counter)
        self.absent: defaultdict[int, Counter[str]] = defaultdict(Counter)

    def add(self, source: int, said: Verdict) -> None:
        """A row's."""
        if said.notes:
            self.noted[source] += 1
            self.notes[source].update(said.notes)
        if said.absent:
            self.absent[source].update(said.absent)

    def of_sound(self, events: pl.DataFrame) -> None:
        """Those of sound events (see `first_look`): an empty track is the only thing to be noted of them."""
        trackless = events["source"].filter(events["track_id"].is_null()).value_counts()
        for source, rows in trackless.rows():
            self.noted[source] += rows
            self.notes[source][EMPTY_TRACK] += rows


def stats_of(frames: Mapping[str, pl.DataFrame], remarks: Remarks) -> dict[int, FileStats]:
    """The stats of each source of rows by kind (see `staged`)."""
    totals: defaultdict[int, FileStats] = defaultdict(FileStats)
    for kind, rows in frames.items():
        if kind != LOST and rows.height:
            for source, stats in _of_kind(kind, rows):
                totals[source] += stats
    for source in {*remarks.noted, *remarks.absent}:
        totals[source] += FileStats(
            noted=remarks.noted[source], notes=remarks.notes[source], absent=remarks.absent[source]
        )
    return dict(totals)


def _of_kind(kind: str, rows: pl.DataFrame) -> Iterator[tuple[int, FileStats]]:
    if kind in (COMPLETE, INCOMPLETE):
        yield from _of_events(kind, rows)
        return
    counts = rows.group_by("source").agg(pl.len(), pl.col("rescued").count())
    for source, number, rescued in counts.rows():
        yield source, FileStats(number, 0, rescued)
    if kind == REJECTED:
        reasons = rows.group_by("source", "reason").agg(pl.len(), pl.col("rule").min())
        for source, reason, number, rule in reasons.rows():
            yield source, FileStats(reasons={reason: number}, rules={reason: rule})


def _of_events(kind: str, rows: pl.DataFrame) -> Iterator[tuple[int, FileStats]]:
    # one number for both keys: by two, each row would be put into a text of its own first
    days = pl.col(MONTH).to_physical().cast(pl.Int64)
    both = pl.col("source").cast(pl.Int64) * _MONTHS + days + _MONTHS // 2
    has_rescued = rows["rescued"].null_count() < rows.height
    counts = rows.group_by(both.alias("both")).agg(
        pl.len(), *([pl.col("rescued").count()] if has_rescued else [])
    )
    for together, number, *rescued in counts.rows():
        source, month = divmod(together, _MONTHS)
        first = (_EPOCH + timedelta(days=month - _MONTHS // 2)).isoformat()
        yield (
            source,
            FileStats(
                number,
                number if kind == INCOMPLETE else 0,
                rescued[0] if rescued else 0,
                months={first: number} if kind == COMPLETE else {},
                first_month=first,
                last_month=first,
            ),
        )
