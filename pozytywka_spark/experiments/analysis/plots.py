"""Figures of the report, from plain rows."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from matplotlib.figure import Figure

_TREATMENTS = ("#2563a8", "#a15c00", "#1b7f4b", "#7a3fa0", "#b42318")
_CONTROL = "#5b6577"
Rows = Sequence[Mapping[str, Any]]


def cumulative_plot(rows: Rows, treatments: Sequence[str]) -> Figure:
    """Difference of premium shares by month, in points: the band for all looks, and the interval for one."""
    figure, axes = _one()
    for group, colour in zip(treatments, _colours(treatments), strict=True):
        mine = [row for row in rows if row["group"] == group]
        months = [f"{row['month']:%Y-%m}" for row in mine]
        band = [[100 * row[f"always_{end}"] for row in mine] for end in ("low", "high")]
        axes.fill_between(months, *band, color=colour, alpha=0.15, label=f"{group}: valid at every look")
        axes.errorbar(
            months,
            [100 * row["difference"] for row in mine],
            yerr=_errors(mine),
            color=colour,
            marker="o",
            markersize=4,
            capsize=2,
            linewidth=1.2,
            label=f"{group}: one look only",
        )
    axes.axhline(0, color=_CONTROL, linewidth=0.8)
    axes.set_ylabel("difference of premium share, points")
    return _finish(figure, axes)


def share_plot(rows: Rows, treatments: Sequence[str]) -> Figure:
    """Premium share of every group by month, in percent."""
    figure, axes = _one()
    control = [row for row in rows if row["group"] == treatments[0]]
    months = [f"{row['month']:%Y-%m}" for row in control]
    axes.plot(months, _percent(control, "control_share"), "o--", color=_CONTROL, label="control")
    for group, colour in zip(treatments, _colours(treatments), strict=True):
        mine = [row for row in rows if row["group"] == group]
        axes.plot(months, _percent(mine, "share"), "o-", color=colour, label=group)
    axes.set_ylabel("users who bought, %")
    axes.set_ylim(bottom=0)
    return _finish(figure, axes)


def forest_plot(rows: Rows) -> Figure:
    """A line a segment: difference in points with its interval."""
    figure = Figure(figsize=(7.5, 0.9 + 0.27 * len(rows)))
    axes = figure.subplots()
    places = np.arange(len(rows))
    axes.errorbar(
        [100 * row["difference"] for row in rows],
        places,
        xerr=_errors(rows),
        fmt="o",
        color=_TREATMENTS[0],
        markersize=4,
        capsize=2,
        linewidth=1,
    )
    axes.set_yticks(places, [f"{row['value']} · {row['group']}" for row in rows], fontsize=8)
    axes.invert_yaxis()
    axes.axvline(0, color=_CONTROL, linewidth=0.8)
    axes.set_xlabel("difference of premium share, points")
    axes.spines[["top", "right"]].set_visible(False)
    return figure


def qini_plot(curves: Mapping[str, Rows]) -> Figure:
    """Extra buyers per 100 treated users against the share of users that is treated, best first."""
    figure, axes = _one()
    names = list(curves)
    for name, colour in zip(names, _colours(names), strict=True):
        share = [0.0, *(row["share"] for row in curves[name])]
        gain = [0.0, *(100 * row["gain"] for row in curves[name])]
        axes.plot([100 * value for value in share], gain, color=colour, label=f"by {name}")
    last = 100 * curves[names[0]][-1]["gain"]
    axes.plot([0, 100], [0, last], color=_CONTROL, linestyle="--", linewidth=0.8, label="at random")
    axes.set(xlabel="share of users treated, %", ylabel="extra buyers per 100 users")
    axes.legend(frameon=False, fontsize=8)
    axes.spines[["top", "right"]].set_visible(False)
    return figure


def _errors(rows: Rows) -> list[list[float]]:
    below = [max(0.0, 100 * (row["difference"] - row["low"])) for row in rows]
    above = [max(0.0, 100 * (row["high"] - row["difference"])) for row in rows]
    return [below, above]


def _percent(rows: Rows, name: str) -> list[float]:
    return [100 * row[name] for row in rows]


def _colours(names: Sequence[str]) -> list[str]:
    return [_TREATMENTS[place % len(_TREATMENTS)] for place in range(len(names))]


def _one() -> tuple[Figure, Any]:
    figure = Figure(figsize=(7.5, 3.8))
    return figure, figure.subplots()


def _finish(figure: Figure, axes: Any) -> Figure:
    axes.tick_params(axis="x", rotation=60, labelsize=8)
    axes.legend(frameon=False, fontsize=8)
    axes.spines[["top", "right"]].set_visible(False)
    return figure
