"""The page's charts: distributions that the analysts looked at."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from pozytywka_spark.ingest.quality.distributions import TRACK_AXES, Buckets, Months
from pozytywka_spark.names import EVENT_TYPES
from pozytywka_spark.reports.charts import Bar, Chart, Line, day_ticks

_INK = "#2563a8"
_COLOURS = dict(zip(EVENT_TYPES, ("#2563a8", "#a15c00", "#1b7f4b", "#8a94a6", "#b42318"), strict=True))


def track_charts(buckets: Buckets) -> list[Chart]:
    """Four histograms."""
    return [
        Chart(
            title,
            "tracks",
            bars=tuple(
                Bar(low, low + width * 0.95, 0, tracks, _INK) for low, tracks in buckets.get(name, ())
            ),
        )
        for name, (title, width, _) in TRACK_AXES.items()
    ]


def months_chart(months: Months) -> Chart:
    """A line for each event type; logarithmic, for purchases are a thousand times rarer than plays."""
    kinds = [kind for kind in EVENT_TYPES if months.get(kind)]
    days = [month for kind in kinds for month, _ in months[kind]]
    return Chart(
        "month",
        "events a month",
        lines=tuple(
            Line(
                tuple((month.toordinal(), events) for month, events in months[kind]),
                _COLOURS[kind],
                dots=True,
            )
            for kind in kinds
        ),
        legend=tuple((kind, _COLOURS[kind]) for kind in kinds),
        x_ticks=day_ticks(min(days), max(days)),
        logarithmic=True,
    )


def sessions_chart(buckets: Mapping[str, list[tuple[float, int]]]) -> Chart:
    """Shares of sessions by length, each group adding up to one."""
    groups = list(zip(sorted(buckets), (_INK, "#a15c00", "#1b7f4b"), strict=False))
    lines = []
    for group, colour in groups:
        total = sum(sessions for _, sessions in buckets[group])
        shares = tuple((low, sessions / total) for low, sessions in buckets[group])
        lines.append(Line(shares, colour, steps=True))
    return Chart("events in a session", "share of sessions", lines=tuple(lines), legend=tuple(groups))


def trend_chart(rows: Sequence[Mapping[str, Any]], outcomes: Sequence[str]) -> Chart:
    """A bar for each ingest, in the order of time, of its rows by what became of them."""
    ingests = sorted({row["ingest"] for row in rows})
    colours = dict(zip(outcomes, ("#2563a8", "#1b7f4b", "#8a94a6", "#b42318"), strict=True))
    bars = []
    for place, number in enumerate(ingests):
        low = 0
        for outcome, colour in colours.items():
            high = low + sum(row[outcome] for row in rows if row["ingest"] == number)
            bars.append(Bar(place - 0.4, place + 0.4, low, high, colour))
            low = high
    ticks = tuple((float(place), str(number)) for place, number in enumerate(ingests))
    return Chart("ingest", "raw rows", bars=tuple(bars), legend=tuple(colours.items()), x_ticks=ticks)
