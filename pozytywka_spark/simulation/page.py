"""The page of a simulation: the advice first, then each segment's front in plots and words."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import date
from typing import Any

from pozytywka_spark.models.serving_model import ServingModel
from pozytywka_spark.reports.charts import Chart, Dot, Line, round_ticks
from pozytywka_spark.reports.page import Page
from pozytywka_spark.simulation.recommendations import WARNING

SHOWN = 15
NAMES = 220  # pixels for the longest name of a segment
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
        section.charts(
            [overview_chart(fronts)],
            alt="Predicted change of purchases, with intervals, by segment",
            height=90 + 30 * len(segments),
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
    section.charts([front_chart(rows)], alt=f"Pareto front of {name}: change of purchases against cost")
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


def front_chart(rows: Rows) -> Chart:
    """Change of purchases against cost, with intervals, paler the farther from today."""
    farthest = max((row["distance"] for row in rows), default=0.0) or 1.0
    ends = [row["cost"] for row in rows]
    heights = [row[name] for row in rows for name in ("low", "high")]
    axes = [Line(((min(ends), 0.0), (max(ends), 0.0)), INK)] if ends else []
    if ends and min(ends) <= 0 <= max(ends):
        axes.append(Line(((0.0, min(heights)), (0.0, max(heights))), INK))
    return Chart(
        "cost a month, ad income lost included",
        "change of purchases",
        lines=(*(Line(((r["cost"], r["low"]), (r["cost"], r["high"])), GREY) for r in rows), *axes),
        dots=(
            *(Dot(row["cost"], row["change"], _shade(row["distance"] / farthest), 4) for row in rows),
            *(Dot(row["cost"], row["change"], WARM, 8, hollow=True) for row in rows if row["suggested"]),
        ),
        legend=(("near to today", _shade(0.0)), ("far", _shade(1.0)), ("suggested", WARM)),
    )


def overview_chart(fronts: Rows) -> Chart:
    """The suggested change of each segment with its interval."""
    rows = [row for row in fronts if row["suggested"]]
    heights = [row[name] for row in rows for name in ("low", "high")]
    return Chart(
        "predicted change of purchases in the horizon, 95% interval",
        "",
        lines=tuple(
            Line(((row["low"], -place), (row["high"], -place)), GREY) for place, row in enumerate(rows)
        ),
        dots=tuple(Dot(row["change"], -place, COOL, 4) for place, row in enumerate(rows)),
        rules=((0.0, ""),),
        x_ticks=round_ticks(min(0.0, *heights), max(0.0, *heights)),
        y_ticks=tuple((-place, row["segment"]) for place, row in enumerate(rows)),
        y_range=(0.5 - len(rows), 0.5),
        left=NAMES,
    )


def _shade(share: float) -> str:
    """From a dark blue (0) to a pale one (1)."""
    dark, pale = (31, 66, 120), (170, 200, 235)
    return "#" + "".join(f"{round(a + (b - a) * share):02x}" for a, b in zip(dark, pale, strict=True))
