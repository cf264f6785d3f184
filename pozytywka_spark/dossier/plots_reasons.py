"""Charts of reasons and of the search for parameters, from plain numbers."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from itertools import accumulate
from typing import Any

import numpy as np

from pozytywka_spark.dossier.plots import NAMES, spread
from pozytywka_spark.reports.charts import Band, Chart, Dot, Line, round_ticks

BLUE, ORANGE, GREY, RED = "#2563a8", "#a15c00", "#8a94a6", "#b42318"
_COLD, _MIDDLE, _WARM = (59, 76, 192), (221, 221, 221), (180, 4, 38)  # Moreland's colours of two ends
_LANES = 60  # heights that dots of one feature may take
_FEW = 4  # ticks of a small chart
Numbers = np.ndarray[Any, np.dtype[np.float64]]


def swarm_chart(swarm: Mapping[str, Sequence[Sequence[float | None]]]) -> Chart:
    """A line of dots a feature: contribution across, colour by the value's rank among the dots."""
    dots = []
    for line, pairs in enumerate(swarm.values()):
        values = np.array([np.nan if value is None else value for value, _ in pairs], dtype=float)
        parts = np.array([part for _, part in pairs], dtype=float)
        for part, rise, rank in zip(parts, _spread(parts), _ranks(values), strict=True):
            dots.append(Dot(float(part), float(rise) - line, _colour(float(rank)), 1.5))
    return Chart(
        "contribution to the log-odds of buying",
        "",
        dots=tuple(dots),
        rules=((0, ""),),
        y_ticks=tuple((-line, name) for line, name in enumerate(swarm)),
        y_range=(0.5 - max(1, len(swarm)), 0.5),
        left=NAMES,
    )


def dependence_charts(dependence: Mapping[str, Sequence[Mapping[str, Any]]]) -> list[Chart]:
    """A chart a feature: mean contribution by value, a band from the tenth to the ninetieth percentile."""
    charts = []
    for name, bins in dependence.items():
        with_value = [row for row in bins if row["value"] is not None]
        line = tuple((row["value"], row["contribution"]) for row in with_value)
        band = tuple((row["value"], row["low"], row["high"]) for row in with_value)
        missing = [row for row in bins if row["value"] is None]
        values = [row["value"] for row in with_value]
        chart = Chart(
            "",
            "",
            lines=(Line(line, BLUE, dots=True),) if line else (),
            bands=(Band(band, BLUE),) if band else (),
            dots=tuple(Dot(max(values), row["contribution"], RED, 4.5, hollow=True) for row in missing)
            if values
            else (),
            x_ticks=round_ticks(min(values), max(values), _FEW) if values else (),
            title=name,
            left=50,
        )
        charts.append(chart)
    return charts


def stability_chart(features: Sequence[Mapping[str, Any]]) -> Chart:
    """A line a feature: its share of strength in the final model, and the span over the folds."""
    spans = (
        Line(((row["share_low"], -line), (row["share_high"], -line)), GREY)
        for line, row in enumerate(features)
    )
    return Chart(
        "share of all contributions",
        "",
        lines=(*spans, Line(((0.0, 0.0),), GREY)),
        dots=tuple(Dot(row["share"], -line, BLUE, 4) for line, row in enumerate(features)),
        y_ticks=tuple((-line, row["feature"]) for line, row in enumerate(features)),
        y_range=(0.5 - max(1, len(features)), 0.5),
        left=NAMES,
    )


def study_chart(trials: Sequence[Mapping[str, Any]]) -> Chart:
    """Mean log loss of each trial in order, pruned ones hollow, and the best so far."""
    done = [trial for trial in trials if trial["state"] == "complete"]
    losses = [row["log_loss"] for row in done]
    best = zip((row["trial"] for row in done), accumulate(losses, min), strict=True)
    # a hopeless trial must not flatten the others
    low, high = spread([loss for loss in losses if loss <= np.quantile(losses, 0.9)] if losses else [])
    pruned = [row for row in trials if row["state"] == "pruned"]
    dots = [
        Dot(row["trial"], min(row["log_loss"], high), BLUE if row in done else GREY, hollow=row in pruned)
        for row in (*done, *pruned)
    ]
    return Chart(
        "trial",
        "mean log loss of the folds",
        lines=(Line(tuple(best), ORANGE, steps=True),) if done else (),
        dots=tuple(dots),
        legend=(("completed", BLUE), ("given up early", GREY), ("best", ORANGE)),
        y_range=(low, high),
    )


def parameters_charts(trials: Sequence[Mapping[str, Any]]) -> list[Chart]:
    """A chart a parameter: its value against the log loss of completed trials."""
    done = [trial for trial in trials if trial["state"] == "complete"]
    best = min(done, key=lambda row: row["log_loss"], default=None)
    charts = []
    for name in done[0]["parameters"] if done else []:
        values = [row["parameters"][name] for row in done]
        dots = [Dot(row["parameters"][name], row["log_loss"], BLUE) for row in done]
        if best is not None:
            dots.append(Dot(best["parameters"][name], best["log_loss"], RED, 5))
        charts.append(
            Chart(
                "",
                "",
                dots=tuple(dots),
                x_ticks=round_ticks(min(values), max(values), _FEW),
                y_range=spread([row["log_loss"] for row in done]),
                title=name,
            )
        )
    return charts


def _colour(rank: float) -> str:
    """From cold at 0 to warm at 1, grey where there is none."""
    if rank != rank:
        return "#999999"
    ends, part = ((_COLD, _MIDDLE), 2 * rank) if rank < 0.5 else ((_MIDDLE, _WARM), 2 * rank - 1)
    mixed = (round(low + part * (high - low)) for low, high in zip(*ends, strict=True))
    return "#" + "".join(f"{value:02x}" for value in mixed)


def _ranks(values: Numbers) -> Numbers:
    """0 for the lowest value, 1 for the highest, ties together; NaN where missing."""
    distinct = np.unique(values[~np.isnan(values)])
    if len(distinct) < 2:
        return np.where(np.isnan(values), np.nan, 0.5)
    return np.where(np.isnan(values), np.nan, np.searchsorted(distinct, values) / (len(distinct) - 1))


def _spread(parts: Numbers) -> Numbers:
    """Heights of dots so that those at about the same place stand above and below each other."""
    if len(parts) == 0 or float(np.ptp(parts)) == 0.0:
        return np.zeros(len(parts))
    cells = np.floor((parts - parts.min()) / np.ptp(parts) * _LANES).astype(int)
    heights = np.zeros(len(parts))
    for cell in np.unique(cells):
        inside = np.flatnonzero(cells == cell)
        offsets = np.arange(len(inside))
        heights[inside] = np.where(offsets % 2, -1, 1) * ((offsets + 1) // 2)
    return np.asarray(0.38 * heights / max(1.0, float(np.abs(heights).max())))
