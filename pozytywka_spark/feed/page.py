"""The page of a day's feed: what each stage let through, what the model is worth, what it looks like."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from typing import Any

from pozytywka_spark.feed.arrange.rules import NAMES
from pozytywka_spark.feed.ranking import ALL, INTEGRITY, INVENTORY
from pozytywka_spark.feed.ranking import PAGE as PAGE_STAGE
from pozytywka_spark.feed.stages import Counts
from pozytywka_spark.feed.weights import Weights
from pozytywka_spark.names import HEADS
from pozytywka_spark.reports.charts import Chart, Line
from pozytywka_spark.reports.page import Page, Section

Rows = Sequence[Mapping[str, Any]]
_COLOURS = {"finish": "#1b7f4b", "skip": "#b42318", "like": "#2563a8", "again": "#8a5cd1"}
_GREY = "#8792a5"


@dataclass(frozen=True)
class Facts:
    """What the page tells. `measured`: of the training, `recall` (name to share) and `calibration` (rows of
    head, predicted, observed, pairs); `pages`: a few users' first places in words.
    """

    day: date
    model_version: str
    counts: Counts
    weights: Weights
    measured: Mapping[str, Any]
    totals: Mapping[str, int]
    pages: Sequence[Sequence[str]]
    evaluations: Rows


def render(facts: Facts) -> str:
    """The page's HTML; the same content gives the same bytes."""
    page = Page(f"Feed of {facts.day}", subtitle=f"model version {facts.model_version}")
    _funnel(page, facts)
    _light(page.section("The light pass", anchor="light"), facts.measured.get("recall", {}))
    _calibration(page.section("Calibration", anchor="calibration"), facts.measured.get("calibration", []))
    _weights(page.section("Weights of the value", anchor="weights"), facts.weights)
    _rules(page.section("Rules of the page", anchor="rules"), facts)
    _coverage(page.section("Coverage", anchor="coverage"), facts.totals)
    section = page.section("Beside simpler rankings", anchor="evaluation")
    section.text("nDCG, recall and shares on the 28 days after the day, with 95% intervals over users.")
    section.table(
        [_evaluated(row) for row in facts.evaluations], empty="The days after it were not evaluated yet."
    )
    _side_by_side(page.section("Three pages side by side", anchor="pages"), facts.pages)
    return page.render()


def _funnel(page: Page, facts: Facts) -> None:
    section = page.section("Funnel", anchor="funnel")
    wholes = {stage: count for (stage, rule), count in facts.counts.items() if rule == ALL}
    section.tiles({stage: count.tracks_out for stage, count in wholes.items()})
    section.table(
        [
            {
                "stage": stage,
                "users": count.users,
                "tracks in": count.tracks_in,
                "tracks out": count.tracks_out,
                "tracks a user": count.tracks_out / max(1, count.users),
                "seconds": count.seconds,
            }
            for stage, count in wholes.items()
        ],
        caption="Seconds are of all tasks together.",
    )
    _of_rules(section, facts.counts, INVENTORY, "Where candidates come from; one may have several sources")
    _of_rules(section, facts.counts, INTEGRITY, "What integrity removed, each under the first rule it breaks")


def _of_rules(section: Section, counts: Counts, stage: str, caption: str) -> None:
    rows = [
        {"rule": rule, "users": count.users, "tracks": count.tracks_out or count.tracks_in}
        for (of, rule), count in counts.items()
        if of == stage and rule != ALL
    ]
    section.table(rows, caption=caption, empty="")


def _light(section: Section, recall: Mapping[str, Any]) -> None:
    section.text("Of the tracks that the full ranker puts first, the share that the light pass keeps.")
    section.table(
        [{"measured": name, "share": value} for name, value in recall.items()], empty="Not measured."
    )


def _calibration(section: Section, rows: Rows) -> None:
    section.text("Predicted against observed rates in the days after the training's cut-off.")
    charts = []
    for head in HEADS:
        points = sorted((row["predicted"], row["observed"]) for row in rows if row["head"] == head)
        if points:
            most = max(max(point) for point in points)
            lines = (
                Line(((0.0, 0.0), (most, most)), _GREY),
                Line(tuple(points), _COLOURS[head], dots=True),
            )
            charts.append((Chart("predicted", "observed", lines=lines), f"Calibration of {head}", head))
    if charts:
        section.charts_beside(charts)
    section.table(rows, empty="Not measured.")


def _weights(section: Section, weights: Weights) -> None:
    section.text(f"From {weights.why}.")
    section.table(
        [
            {"head": one.head, "weight": one.weight, "low": one.low, "high": one.high, "source": one.source}
            for one in weights.weights
        ]
    )


def _rules(section: Section, facts: Facts) -> None:
    places = max(1, facts.totals.get("places", 0))
    section.text(
        "How often a rule gave way, for no candidate could satisfy it; the order in which they give way."
    )
    rows = []
    for name in NAMES:
        count = facts.counts.get((PAGE_STAGE, f"relaxed: {name}"))
        if count is not None:
            rows.append(
                {
                    "rule": name,
                    "pages": count.users,
                    "places": count.tracks_out,
                    "share": count.tracks_out / places,
                }
            )
    section.table(rows)


def _coverage(section: Section, totals: Mapping[str, int]) -> None:
    section.tiles(totals)
    share = totals["tracks shown"] / max(1, totals["tracks in the catalogue"])
    section.text(f"{share:.1%} of the catalogue stand on somebody's page.")


def _evaluated(row: Mapping[str, Any]) -> dict[str, Any]:
    return {name: row[name] for name in ("metric", "ranking", "slice", "value", "low", "high", "users")}


def _side_by_side(section: Section, pages: Sequence[Sequence[str]]) -> None:
    section.text("Of users drawn by hash: track and artist, value, where it came from and its marks.")
    most = max(map(len, pages), default=0)
    section.table(
        [
            {
                "position": place + 1,
                **{
                    f"user {number + 1}": page[place] if place < len(page) else ""
                    for number, page in enumerate(pages)
                },
            }
            for place in range(most)
        ]
    )
