"""The quality report as one HTML page that a manager can read."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import polars as pl

from pozytywka_spark.ingest.intake.contracts import REQUIRED_ENTITIES
from pozytywka_spark.ingest.intake.delivery import Delivery
from pozytywka_spark.ingest.outcomes import DUPLICATE, KEPT, OUTCOMES, QUARANTINED, REPAIRED
from pozytywka_spark.ingest.quality import plots
from pozytywka_spark.ingest.quality.checks import COLUMN, Finding
from pozytywka_spark.ingest.quality.data_span_findings import caption, days_chart
from pozytywka_spark.ingest.quality.profile import Silver
from pozytywka_spark.lake.api import Lake
from pozytywka_spark.reports.page import SEVERITIES, Page
from pozytywka_spark.schemas import INGEST_COUNTS, INGESTS

_TREND = 12
_TITLES = {"sessions": "Sessions, as delivered", "events": "Events, as taken in"}
_TILES = {"error": "errors", "warn": "warnings", "info": "good to know", "ok": "in order"}
_SAID = {
    KEPT: "kept as they came",
    REPAIRED: "completed from their session",
    DUPLICATE: "known already",
    QUARANTINED: "put aside in quarantine",
}


def trend(lake: Lake, delivery: str) -> list[dict[str, Any]]:
    """What became of the rows of the last ingests, a row for each ingest and entity, latest first.

    `delivery` is that of the ingest at work, which isn't closed yet.
    """
    counts = pl.DataFrame(lake.rows(INGEST_COUNTS.name, ["ingest_id", "entity", "outcome", "rows"]))
    by_outcome = [pl.col("rows").filter(outcome=name).sum().alias(name) for name in OUTCOMES]
    grouped = (
        counts.filter(pl.col("outcome").is_in(OUTCOMES))
        .group_by("ingest_id", "entity")
        .agg(pl.col("rows").sum(), *by_outcome)
        .sort("ingest_id", "entity", descending=[True, False])
        .head(_TREND * len(REQUIRED_ENTITIES))
    )
    names: dict[int, str] = {}
    if lake.exists(INGESTS.name):
        names = dict(pl.DataFrame(lake.rows(INGESTS.name, ["ingest_id", "delivery"])).rows())
    return [
        {"ingest": row["ingest_id"], "delivery": names.get(row["ingest_id"]) or delivery}
        | {name: row[name] for name in ("entity", "rows", *OUTCOMES)}
        for row in grouped.iter_rows(named=True)
    ]


def make_page(
    ingest_id: int,
    delivery: Delivery,
    findings: Sequence[Finding],
    before: Sequence[Finding],
    trend_rows: Sequence[Mapping[str, Any]],
    silver: Silver,
) -> Page:
    """The page from what was counted; `before` are the findings of the ingest before."""
    page = Page("Quality of the data", subtitle=f"Ingest {ingest_id} of {delivery.root}")
    rows_before = {(f.entity, f.check): f.rows for f in before}
    _summary(page, delivery, findings, rows_before, trend_rows)
    section = page.section("What became of the rows", anchor="rows").text(
        "Each raw row is kept, repaired, quarantined or a duplicate; the job stops if they don't add up. "
        f"The last {_TREND} ingests, the latest first."
    )
    if len({row["ingest"] for row in trend_rows}) > 1:
        section.charts(
            [plots.trend_chart(trend_rows, OUTCOMES)], alt="Rows of each ingest by what became of them"
        )
    section.table(trend_rows)
    for entity in dict.fromkeys(finding.entity for finding in findings):
        _entity(page, entity, [f for f in findings if f.entity == entity], rows_before)
    _plots(page, silver)
    return page


def _entity(
    page: Page, entity: str, findings: Sequence[Finding], before: Mapping[tuple[str, str], int]
) -> None:
    checks = [f for f in findings if not f.check.startswith(COLUMN)]
    section = page.section(_TITLES.get(entity, entity.replace("_", " ").capitalize()), anchor=entity)
    section.table([_row(finding, before) for finding in _by_severity(checks)])
    columns = [f for f in findings if f.check.startswith(COLUMN)]
    if columns:
        section.table(
            [
                {"column": f.check, "null": f.rows, "of": f.total, "share": _share(f)}
                | {"values": f.meaning.removeprefix("null").removeprefix("; values ")}
                for f in columns
            ],
            caption="Columns",
        )


def _plots(page: Page, silver: Silver) -> None:
    section = page.section("Distributions", anchor="distributions")
    if silver.tracks:
        section.charts(
            plots.track_charts(silver.tracks),
            alt="Popularity, loudness, tempo and duration of tracks",
            columns=2,
            caption="Tracks by popularity, loudness, tempo and duration; unknown values are left out.",
        )
    if silver.span is not None:
        section.charts(
            [days_chart(silver.span)],
            alt="Events of each day, with the data's start and end",
            caption=caption(silver.span),
        )
    if silver.months:
        section.charts(
            [plots.months_chart(silver.months)],
            alt="Events of each month by type",
            caption="Events of each month by type; each line of the grid is ten times the one below.",
        )
    if silver.sessions:
        section.charts(
            [plots.sessions_chart(silver.sessions)],
            alt="Events in a session, premium users and others",
            caption="Sessions by their number of events: the share of each length, per group of users.",
        )


def _summary(
    page: Page,
    delivery: Delivery,
    findings: Sequence[Finding],
    before: Mapping[tuple[str, str], int],
    trend_rows: Sequence[Mapping[str, Any]],
) -> None:
    numbers = {name: sum(f.severity == name for f in findings) for name in reversed(SEVERITIES)}
    section = page.section("Summary").text(_verdict(numbers, trend_rows))
    section.tiles({_TILES[name]: number for name, number in numbers.items()})
    if delivery.missing:
        section.text(f"Not in this delivery: {', '.join(delivery.missing)}.")
    worst = [finding for finding in _by_severity(findings) if finding.severity in ("error", "warn")]
    section.table([{"entity": f.entity} | _row(f, before) for f in worst], empty="No errors and no warnings.")


def _verdict(numbers: Mapping[str, int], trend_rows: Sequence[Mapping[str, Any]]) -> str:
    """The state of the data in a sentence or two."""
    latest = max((row["ingest"] for row in trend_rows), default=None)
    mine = [row for row in trend_rows if row["ingest"] == latest]
    rows = {name: sum(row[name] for row in mine) for name in ("rows", *OUTCOMES)}
    if numbers["error"]:
        state = "There are errors: don't train on this data before they are explained."
    elif numbers["warn"]:
        state = "No errors; read the warnings before training."
    else:
        state = "Nothing is wrong that any check looks for."
    counts = ", ".join(f"{rows[name]:,} {_SAID[name]}" for name in OUTCOMES)
    return f"{state} This ingest read {rows['rows']:,} rows: {counts}."


def _row(finding: Finding, before: Mapping[tuple[str, str], int]) -> dict[str, Any]:
    return {
        "severity": finding.severity,
        "check": finding.check,
        "rows": finding.rows,
        "of": finding.total,
        "share": _share(finding),
        "ingest before": before.get((finding.entity, finding.check)),
        "meaning": finding.meaning,
        "examples": ", ".join(finding.examples),
    }


def _share(finding: Finding) -> str | None:
    return f"{finding.rate:.2%}" if finding.rate is not None else None


def _by_severity(findings: Sequence[Finding]) -> list[Finding]:
    return sorted(findings, key=lambda finding: -SEVERITIES.index(finding.severity))
