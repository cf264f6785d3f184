"""The distributions that the analysts looked at, counted by Spark in buckets, so only counts come back."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from typing import Any

from matplotlib.dates import date2num
from matplotlib.figure import Figure
from pyspark.sql import DataFrame
from pyspark.sql import functions as F

from pozytywka_spark.schemas import EVENT_TYPES

# column: title, bucket width, divisor of the unit
_TRACK_AXES = {
    "popularity": ("popularity", 5.0, 1.0),
    "loudness": ("loudness, dB", 2.0, 1.0),
    "tempo": ("tempo, beats a minute", 10.0, 1.0),
    "duration_ms": ("duration, minutes", 0.5, 60_000.0),
}
_SESSION_BUCKET = 5
_INK = "#2563a8"
_COLOURS = dict(zip(EVENT_TYPES, ("#2563a8", "#a15c00", "#1b7f4b", "#8a94a6", "#b42318"), strict=True))

Buckets = dict[str, list[tuple[float, int]]]
Months = dict[str, list[tuple[date, int]]]


def track_buckets(tracks: DataFrame) -> Buckets:
    """Tracks by bucket of each axis: the bucket's lower end, and how many."""
    cells = [
        F.struct(
            F.lit(name).alias("axis"),
            (F.floor(F.col(name) / divisor / width) * width).cast("double").alias("low"),
        )
        for name, (_, width, divisor) in _TRACK_AXES.items()
    ]
    rows = (
        tracks.select(F.explode(F.array(*cells)).alias("cell"))
        .where(F.col("cell.low").isNotNull())
        .groupBy("cell.axis", "cell.low")
        .count()
        .orderBy("axis", "low")
    )
    found: Buckets = {}
    for row in rows.collect():
        found.setdefault(row["axis"], []).append((row["low"], row["count"]))
    return found


@dataclass(frozen=True)
class MonthRow:
    """Events of one type in one month: how many, and of those how many repaired, or without track."""

    kind: str
    month: date
    events: int
    repaired: int
    trackless: int
    first: str
    last: str


@dataclass(frozen=True)
class SessionRow:
    """Sessions of one group of users and one bucket of length; `shared` ones have several users."""

    group: str
    low: float
    sessions: int
    shared: int


def month_rows(events: DataFrame) -> list[MonthRow]:
    """Events by type and month, in order."""
    rows = (
        events.groupBy("event_type", "event_month")
        .agg(
            F.count("*"),
            F.count_if("repaired"),
            F.count_if(F.col("track_id").isNull()),
            F.min("event_time").cast("string"),
            F.max("event_time").cast("string"),
        )
        .orderBy("event_month", "event_type")
    )
    return [MonthRow(*row) for row in rows.collect()]


def session_rows(events: DataFrame, users: DataFrame | None) -> list[SessionRow]:
    """Sessions by number of events, apart for users with and without premium where that is known."""
    sizes = events.groupBy("session_id").agg(
        F.count("*").alias("events"), F.min("user_id").alias("user_id"), F.max("user_id").alias("other")
    )
    group = F.lit("all")
    if users is not None:
        flags = users.select("user_id", "premium_user")
        sizes = sizes.join(F.broadcast(flags), on="user_id", how="left")
        group = F.when(F.col("premium_user"), F.lit("premium")).otherwise(F.lit("others"))
    low = (F.floor(F.col("events") / _SESSION_BUCKET) * _SESSION_BUCKET).cast("double")
    rows = (
        sizes.groupBy(group.alias("group"), low.alias("low"))
        .agg(F.count("*"), F.count_if(F.col("user_id") != F.col("other")))
        .orderBy("group", "low")
    )
    return [SessionRow(*row) for row in rows.collect()]


def as_months(rows: Iterable[MonthRow]) -> Months:
    """For the plot: by type, the events of each month."""
    found: Months = {}
    for row in rows:
        found.setdefault(row.kind, []).append((row.month, row.events))
    return found


def as_buckets(rows: Iterable[SessionRow]) -> Buckets:
    """For the plot: by group, the sessions of each length."""
    found: Buckets = {}
    for row in rows:
        found.setdefault(row.group, []).append((row.low, row.sessions))
    return found


def tracks_figure(buckets: Buckets) -> Figure:
    """Four histograms beside each other."""
    figure = Figure(figsize=(10, 5.2), layout="constrained")
    for axes, (name, (title, width, _)) in zip(figure.subplots(2, 2).flat, _TRACK_AXES.items(), strict=True):
        cells = buckets.get(name, [])
        axes.bar(
            [low for low, _ in cells], [n for _, n in cells], width=width * 0.95, align="edge", color=_INK
        )
        axes.set_xlabel(title)
        axes.set_ylabel("tracks")
        _plain(axes)
    return figure


def months_figure(months: Months) -> Figure:
    """A line for each event type; logarithmic, for purchases are a thousand times rarer than plays."""
    figure = Figure(figsize=(10, 3.4), layout="constrained")
    axes = figure.subplots()
    for kind in EVENT_TYPES:
        cells = months.get(kind, [])
        if cells:
            axes.plot(
                date2num([m for m, _ in cells]),
                [n for _, n in cells],
                marker="o",
                label=kind,
                color=_COLOURS[kind],
            )
    axes.xaxis_date()
    axes.set_yscale("log")
    axes.set_xlabel("month")
    axes.set_ylabel("events a month")
    axes.grid(axis="y", color="#e1e5ec")
    axes.legend(frameon=False, ncols=len(EVENT_TYPES), loc="upper center", bbox_to_anchor=(0.5, 1.18))
    axes.tick_params(axis="x", rotation=30)
    _plain(axes)
    return figure


def sessions_figure(buckets: Mapping[str, list[tuple[float, int]]]) -> Figure:
    """Shares of sessions by length, each group adding up to one."""
    figure = Figure(figsize=(10, 3.2), layout="constrained")
    axes = figure.subplots()
    for (group, cells), colour in zip(sorted(buckets.items()), (_INK, "#a15c00", "#1b7f4b"), strict=False):
        total = sum(n for _, n in cells)
        axes.step(
            [low for low, _ in cells], [n / total for _, n in cells], where="post", label=group, color=colour
        )
    axes.set_xlabel("events in a session")
    axes.set_ylabel("share of sessions")
    axes.legend(frameon=False)
    _plain(axes)
    return figure


def trend_figure(rows: Sequence[Mapping[str, Any]], outcomes: Sequence[str]) -> Figure:
    """A bar for each ingest, in the order of time, of its rows by what became of them."""
    ingests = sorted({row["ingest"] for row in rows})
    figure = Figure(figsize=(10, 3.0), layout="constrained")
    axes = figure.subplots()
    below = [0] * len(ingests)
    for outcome, colour in zip(outcomes, ("#2563a8", "#1b7f4b", "#8a94a6", "#b42318"), strict=True):
        heights = [sum(row[outcome] for row in rows if row["ingest"] == number) for number in ingests]
        axes.bar([str(number) for number in ingests], heights, bottom=below, label=outcome, color=colour)
        below = [low + height for low, height in zip(below, heights, strict=True)]
    axes.set_xlabel("ingest")
    axes.set_ylabel("raw rows")
    axes.legend(frameon=False, ncols=len(outcomes), loc="upper center", bbox_to_anchor=(0.5, 1.18))
    _plain(axes)
    return figure


def _plain(axes: object) -> None:
    for side in ("top", "right"):
        axes.spines[side].set_visible(False)  # type: ignore[attr-defined]  # matplotlib has no types here
