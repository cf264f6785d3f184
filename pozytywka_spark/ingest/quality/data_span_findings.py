"""Findings on the data's span, for the quality report: what lies outside it, and events by day."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, datetime, timedelta

from pozytywka_spark.config import Data
from pozytywka_spark.ingest.quality.checks import INFO, OK, WARN, Finding
from pozytywka_spark.lake.data_span import DataSpan, last_day, midnight, span_of, thin_days
from pozytywka_spark.reports.charts import Bar, Chart, day_ticks

_MARGIN = timedelta(days=21)  # of days outside the span, which may lie decades away
_INK, _THIN, _OUTSIDE = "#2563a8", "#d59a3b", "#b42318"


@dataclass(frozen=True)
class Spanned:
    """Events by UTC day, the span that they make, and the days that say nothing of it."""

    days: Mapping[date, int]
    span: DataSpan
    thin: frozenset[date]


def spanned(days: Mapping[date, int], data: Data) -> Spanned | None:
    """What the days say; None if there are none."""
    return Spanned(days, span_of(days, data), thin_days(days, data)) if days else None


def span_findings(seen: Spanned) -> list[Finding]:
    """A warning for each side on which an event lies more than a day outside the span."""
    span, total = seen.span, sum(seen.days.values())
    early, late = span.start.date() - timedelta(days=1), last_day(span.end) + timedelta(days=1)
    before = (
        f"data begin on {span.start.date()}, the first event is of {span.first_event}: stray clocks, or a "
        "begin that is thin; months before it have no features; data.start=YYYY-MM-DD overrides"
    )
    after = (
        f"data end on {last_day(span.end)}, the last event is of {span.last_event}: stray clocks, or a day "
        "cut short; no label rests on what lies after it; data.end=YYYY-MM-DD (itself outside) overrides"
    )
    return [
        _finding("before the data's start", before, span.events_before, total, far=span.first_event < early),
        _finding("after the data's end", after, span.events_after, total, far=span.last_event > late),
    ]


def _finding(name: str, meaning: str, events: int, total: int, *, far: bool) -> Finding:
    severity = OK if not events else WARN if far else INFO
    return Finding("events", name, severity, events, total, meaning)


def days_chart(seen: Spanned) -> Chart:
    """A bar a day, from three weeks before the start to three weeks after the end."""
    span = seen.span
    first, last = span.start.date(), last_day(span.end)
    shown = [day for day in sorted(seen.days) if first - _MARGIN <= day <= last + _MARGIN]
    bars = []
    for day in shown:
        colour = _OUTSIDE if not first <= day <= last else _THIN if day in seen.thin else _INK
        place = day.toordinal()
        bars.append(Bar(place, place + 0.9, 0, seen.days[day], colour))
    rules = tuple((_place(moment), word) for moment, word in ((span.start, "start"), (span.end, "end")))
    ends = [*shown, first, last]
    ticks = day_ticks(min(ends), max(ends))
    return Chart("day", "events a day", bars=tuple(bars), rules=rules, x_ticks=ticks)


def _place(moment: datetime) -> float:
    return moment.toordinal() + (moment - midnight(moment.date())) / timedelta(days=1)


def caption(seen: Spanned) -> str:
    """What the figure shows, and what lies too far outside to be drawn."""
    span = seen.span
    edges = (span.start.date() - _MARGIN, last_day(span.end) + _MARGIN)
    hidden = {day: events for day, events in seen.days.items() if not edges[0] <= day <= edges[1]}
    text = f"Events by day, {span.described()}."
    text += " Amber: thin days, of less than a usual day's share; red: outside."
    if hidden:
        text += f" Not drawn: {sum(hidden.values()):,} events on {len(hidden)} days further away."
    return text
