"""The page of a simulation: the advice first, then each segment's front in plots and words."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import date
from typing import Any

from matplotlib.figure import Figure

from pozytywka_spark.reports.page import Page
from pozytywka_spark.simulation.advice import WARNING
from pozytywka_spark.training.serving import ServingModel

SHOWN = 15
INK, WARM, COOL, GREY = "#1d2433", "#b42318", "#2563a8", "#c9ced8"
Rows = Sequence[Mapping[str, Any]]


def render(fronts: Rows, month: date, model: ServingModel, notes: Sequence[str]) -> str:
    """The HTML of the rows of `simulations` of one month and grouping."""
    segments = list(dict.fromkeys(row["segment"] for row in fronts))
    users = sum(row["users"] for row in fronts if row["point"] == 0)
    page = Page(
        f"What could be changed: {month:%Y-%m}",
        f"users: {users:,}, segments: {len(segments)}, {model.name} version {model.version}",
    )
    section = page.section("Advice")
    section.text(WARNING)
    section.table(
        [advice_row(row) for row in fronts if row["suggested"]], empty="No segment is large enough."
    )
    section.text(*notes)
    if segments:
        section.figure(
            overview_figure(fronts), alt="Predicted change of purchases, with intervals, by segment"
        )
    for name in segments:
        _segment(page, name, [row for row in fronts if row["segment"] == name])
    page.section("How it was found").text(
        "For each segment a genetic search (NSGA-II) turned what the platform can turn. Features made of "
        "the same measure moved together. Only changes were allowed that leave most users looking like users "
        "seen in the segment. Points shown are beaten by no other in purchases, cost and distance at once.",
        "Intervals (95%) come from the model fitted again on users drawn with replacement. They say how "
        "sure the model is of what goes with purchases, not that it is the cause.",
        "Distance: how far the levers move the segment's means, in standard deviations among its users. "
        "Support: share of the changed users who resemble someone seen. Gain: the value of the additional "
        "sales less all costs.",
    )
    return page.render()


def advice_row(row: Mapping[str, Any]) -> dict[str, Any]:
    """A suggested point as people read it."""
    return {
        "segment": row["segment"],
        "users": row["users"],
        "advice": row["advice"].removesuffix(f" for {row['segment']}"),
        "purchases": row["purchases"],
        "predicted change": f"{row['change']:+.1f} ({row['low']:+.1f} to {row['high']:+.1f})",
        "ad income lost": row["ad_income_lost"],
        "all costs": row["cost"],
        "gain": row["gain"],
    }


def _segment(page: Page, name: str, rows: Rows) -> None:
    section = page.section(name)
    section.figure(front_figure(rows), alt=f"Pareto front of {name}: change of purchases against cost")
    best = sorted(rows, key=lambda row: (not row["suggested"], -row["gain"]))[:SHOWN]
    section.table(
        [
            {
                "": "suggested" if row["suggested"] else "",
                "change": row["advice"].removesuffix(f" for {name}"),
                "purchases": f"{row['change']:+.1f} ({row['low']:+.1f} to {row['high']:+.1f})",
                "cost": row["cost"],
                "distance": row["distance"],
                "support": row["support"],
                "gain": row["gain"],
            }
            for row in best
        ],
        caption=f"{len(rows)} points, the {len(best)} with the largest gain",
    )


def front_figure(rows: Rows) -> Figure:
    """Change of purchases against cost, coloured by distance, with intervals."""
    figure = Figure(figsize=(7, 3.2), layout="constrained")
    axes = figure.subplots()
    cost, change = [row["cost"] for row in rows], [row["change"] for row in rows]
    axes.vlines(cost, [row["low"] for row in rows], [row["high"] for row in rows], color=GREY, linewidth=1)
    dots = axes.scatter(cost, change, c=[row["distance"] for row in rows], cmap="viridis", s=22, zorder=3)
    for row in rows:
        if row["suggested"]:
            axes.scatter([row["cost"]], [row["change"]], s=110, facecolors="none", edgecolors=WARM, zorder=4)
    axes.axhline(0, color=INK, linewidth=0.6)
    axes.axvline(0, color=INK, linewidth=0.6)
    axes.set(xlabel="cost a month, ad income lost included", ylabel="change of purchases")
    axes.spines[["top", "right"]].set_visible(False)
    figure.colorbar(dots, label="distance from today")
    return figure


def overview_figure(fronts: Rows) -> Figure:
    """The suggested change of each segment with its interval."""
    rows = [row for row in fronts if row["suggested"]]
    figure = Figure(figsize=(8, 0.8 + 0.3 * len(rows)), layout="constrained")
    axes = figure.subplots()
    places = range(len(rows))
    axes.hlines(places, [row["low"] for row in rows], [row["high"] for row in rows], color=GREY, linewidth=2)
    axes.scatter([row["change"] for row in rows], places, color=COOL, zorder=3)
    axes.set_yticks(places, [row["segment"] for row in rows], fontsize=8)
    axes.axvline(0, color=INK, linewidth=0.6)
    axes.invert_yaxis()
    axes.set_xlabel("predicted change of purchases in the horizon, 95% interval")
    axes.spines[["top", "right"]].set_visible(False)
    return figure
