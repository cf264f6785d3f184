"""Figures of reasons and of the search for parameters, from plain numbers."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from matplotlib.figure import Figure

BLUE, ORANGE, GREY, RED = "#2563a8", "#a15c00", "#8a94a6", "#b42318"
_LANES = 60  # heights that dots of one feature may take


def swarm_plot(swarm: Mapping[str, Sequence[Sequence[float | None]]]) -> Figure:
    """A line of dots a feature: contribution across, colour by the value's rank among the dots."""
    from matplotlib import colormaps

    figure = Figure(figsize=(8, 0.8 + 0.42 * len(swarm)))
    axes = figure.subplots()
    for line, pairs in enumerate(swarm.values()):
        values = np.array([np.nan if value is None else value for value, _ in pairs], dtype=float)
        parts = np.array([part for _, part in pairs], dtype=float)
        colours = np.array(colormaps["coolwarm"](_ranks(values)))
        colours[np.isnan(values)] = (0.6, 0.6, 0.6, 1.0)
        axes.scatter(parts, line + _spread(parts), c=colours, s=7, linewidths=0)
    axes.set_yticks(range(len(swarm)), list(swarm), fontsize=8)
    axes.invert_yaxis()
    axes.axvline(0, color=GREY, linewidth=0.8)
    axes.set_xlabel("contribution to the log-odds of buying")
    return _bare(figure)


def dependence_plot(dependence: Mapping[str, Sequence[Mapping[str, Any]]]) -> Figure:
    """A panel a feature: mean contribution by value, a band from the tenth to the ninetieth percentile."""
    columns = 3
    lines = -(-len(dependence) // columns)
    figure = Figure(figsize=(11, 2.7 * lines), layout="constrained")
    panels = figure.subplots(lines, columns, squeeze=False).ravel()
    for axes, (name, bins) in zip(panels, dependence.items(), strict=False):
        known = [row for row in bins if row["value"] is not None]
        values = [row["value"] for row in known]
        axes.fill_between(
            values, [row["low"] for row in known], [row["high"] for row in known], color=BLUE, alpha=0.15
        )
        axes.plot(values, [row["contribution"] for row in known], "o-", color=BLUE, markersize=3)
        for row in bins:
            if row["value"] is None and values:
                axes.plot([max(values)], [row["contribution"]], "x", color=RED)
        axes.axhline(0, color=GREY, linewidth=0.8)
        axes.set_title(name, fontsize=9)
        axes.tick_params(labelsize=7)
    for axes in panels[len(dependence) :]:
        axes.set_visible(False)
    return _bare(figure)


def stability_plot(features: Sequence[Mapping[str, Any]]) -> Figure:
    """A line a feature: its share of strength in the final model, and the span over the folds."""
    figure = Figure(figsize=(7, 0.6 + 0.28 * len(features)))
    axes = figure.subplots()
    for line, row in enumerate(features):
        axes.plot([row["share_low"], row["share_high"]], [line, line], color=GREY, linewidth=2)
        axes.plot([row["share"]], [line], "o", color=BLUE)
    axes.set_yticks(range(len(features)), [row["feature"] for row in features], fontsize=8)
    axes.invert_yaxis()
    axes.set_xlim(left=0)
    axes.set_xlabel("share of all contributions")
    return _bare(figure)


def study_plot(trials: Sequence[Mapping[str, Any]]) -> Figure:
    """Mean log loss of each trial in order, pruned ones hollow, and the best so far."""
    figure = Figure(figsize=(7, 3.2))
    axes = figure.subplots()
    done = [trial for trial in trials if trial["state"] == "complete"]
    given_up = [trial for trial in trials if trial["state"] == "pruned"]
    numbers, losses = [row["trial"] for row in done], [row["log_loss"] for row in done]
    axes.plot(numbers, losses, "o", color=BLUE, label="completed", markersize=4)
    axes.plot(
        [row["trial"] for row in given_up],
        [row["log_loss"] for row in given_up],
        "o",
        markerfacecolor="none",
        color=GREY,
        label="given up early",
        markersize=4,
    )
    axes.step(
        numbers, np.minimum.accumulate(losses) if losses else [], where="post", color=ORANGE, label="best"
    )
    if losses:  # a hopeless trial must not flatten the others
        low, high = min(losses), float(np.quantile(losses, 0.9))
        axes.set_ylim(low - 0.1 * (high - low + 1e-4), high + 0.5 * (high - low + 1e-4))
    axes.set(xlabel="trial", ylabel="mean log loss of the folds")
    axes.legend(frameon=False, fontsize=8)
    return _bare(figure)


def parameters_plot(trials: Sequence[Mapping[str, Any]]) -> Figure:
    """A panel a parameter: its value against the log loss of completed trials."""
    done = [trial for trial in trials if trial["state"] == "complete"]
    names = list(done[0]["parameters"]) if done else []
    best = min(done, key=lambda row: row["log_loss"], default=None)
    figure = Figure(figsize=(11, 2.4 * max(1, -(-len(names) // 3))), layout="constrained")
    panels = figure.subplots(max(1, -(-len(names) // 3)), 3, squeeze=False).ravel()
    for axes, name in zip(panels, names, strict=False):
        axes.plot(
            [row["parameters"][name] for row in done],
            [row["log_loss"] for row in done],
            "o",
            color=BLUE,
            markersize=3,
        )
        if best is not None:
            axes.plot([best["parameters"][name]], [best["log_loss"]], "o", color=RED, markersize=5)
        axes.set_title(name, fontsize=9)
        axes.tick_params(labelsize=7)
    for axes in panels[len(names) :]:
        axes.set_visible(False)
    return _bare(figure)


def _ranks(values: np.ndarray[Any, np.dtype[np.float64]]) -> np.ndarray[Any, np.dtype[np.float64]]:
    """0 for the lowest value, 1 for the highest, ties together, missing anywhere."""
    known = np.unique(values[~np.isnan(values)])
    if len(known) < 2:
        return np.full(len(values), 0.5)
    return np.asarray(np.searchsorted(known, values) / (len(known) - 1))


def _spread(parts: np.ndarray[Any, np.dtype[np.float64]]) -> np.ndarray[Any, np.dtype[np.float64]]:
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


def _bare(figure: Figure) -> Figure:
    for axes in figure.axes:
        axes.spines[["top", "right"]].set_visible(False)
    return figure
