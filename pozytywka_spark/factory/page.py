"""The page of the factory: what is proven, what decides, what people and audits say of it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from pozytywka_spark.reports.charts import Band, Chart, Line
from pozytywka_spark.reports.page import Page

Rows = Sequence[Mapping[str, Any]]
_COLOURS = {"refuse": "#b42318", "approve": "#1b7f4b"}
_CHARTS = 60  # groups drawn; tables have them all


def render(
    sides: Rows, curves: Mapping[str, Mapping[str, Sequence[Sequence[float]]]], watched: Rows, demanded: float
) -> str:
    """The page's HTML; the same content gives the same bytes."""
    kept = [row for row in sides if row["threshold"] is not None]
    page = Page("Models that decide alone", subtitle=f"{len(kept)} of {len(sides)} sides proven")
    section = page.section("Sides", anchor="sides")
    counts = {
        state: sum(row["state"] == state for row in sides)
        for state in ("live", "shadow", "stopped", "discarded")
    }
    section.tiles(counts)
    section.table([_shown(row) for row in sides], empty="Nothing was built yet.")
    section = page.section("Precision over coverage", anchor="curves")
    section.text(
        f"Tested cases, from the strictest threshold to all; {demanded:.0%} are demanded, the band reaches "
        "down to the proven bound. An account or ring counts once."
    )
    drawn = [
        (_chart(side, points), f"Precision over coverage, {side} of {group}", f"{group}: {side}")
        for group in sorted(curves)[:_CHARTS]
        for side, points in sorted(curves[group].items())
        if points
    ]
    if drawn:
        section.charts_beside(drawn)
    section = page.section("Shadow and audits against people", anchor="watched")
    section.table(watched, empty="No decision has met a person's verdict yet.")
    return page.render()


def _shown(row: Mapping[str, Any]) -> dict[str, Any]:
    names = (
        "source",
        "group",
        "side",
        "state",
        "threshold",
        "tested",
        "wrong",
        "precision_low",
        "coverage",
        "reason",
    )
    return {name: row[name] for name in names} | {"since": f"{row['effective_at']:%Y-%m-%d}"}


def _chart(side: str, points: Sequence[Sequence[float]]) -> Chart:
    colour = _COLOURS.get(side, "#2563a8")
    line = Line(tuple((x, y) for x, y, _ in points), colour)
    band = Band(tuple((x, low, y) for x, y, low in points), colour)
    return Chart("share decided", "precision", lines=(line,), bands=(band,), y_range=(0.0, 1.0))
