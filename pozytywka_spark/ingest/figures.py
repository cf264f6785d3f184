"""The page's figures: distributions that the analysts looked at."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from matplotlib.dates import date2num
from matplotlib.figure import Figure

from pozytywka_spark.ingest.distributions import TRACK_AXES, Buckets, Months
from pozytywka_spark.names import EVENT_TYPES

_INK = "#2563a8"
_COLOURS = dict(zip(EVENT_TYPES, ("#2563a8", "#a15c00", "#1b7f4b", "#8a94a6", "#b42318"), strict=True))


def tracks_figure(buckets: Buckets) -> Figure:
    """Four histograms beside each other."""
    figure = Figure(figsize=(10, 5.2), layout="constrained")
    for axes, (name, (title, width, _)) in zip(figure.subplots(2, 2).flat, TRACK_AXES.items(), strict=True):
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
