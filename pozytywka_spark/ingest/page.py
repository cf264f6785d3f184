"""The quality report as one HTML page that a manager can read."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from pyspark.sql import DataFrame, SparkSession
from pyspark.sql import functions as F

from pozytywka_spark.config import Settings
from pozytywka_spark.ingest import distributions as d
from pozytywka_spark.ingest.contracts import CONTRACTS
from pozytywka_spark.ingest.delivery import Delivery
from pozytywka_spark.ingest.findings import Finding
from pozytywka_spark.ingest.outcomes import OUTCOMES
from pozytywka_spark.lake.api import Lake
from pozytywka_spark.reports.page import SEVERITIES, Page
from pozytywka_spark.schemas import EVENTS, INGEST_COUNTS, TRACKS, USERS

_TREND = 12


def page_path(settings: Settings) -> str:
    """Where the page lies: always the state after the last ingest."""
    return str(Path(settings.home) / "reports" / "ingest.html")


def write_page(
    spark: SparkSession,
    lake: Lake,
    settings: Settings,
    ingest_id: int,
    delivery: Delivery,
    findings: Sequence[Finding],
) -> str:
    """Make the page and put it in place in one move; its path."""
    target = Path(page_path(settings))
    target.parent.mkdir(parents=True, exist_ok=True)
    page = make_page(ingest_id, delivery, findings, trend(lake), figures(spark, lake))
    unfinished = target.with_suffix(".tmp")
    unfinished.write_text(page.render(), encoding="utf-8")
    unfinished.replace(target)
    return str(target)


def trend(lake: Lake) -> list[dict[str, Any]]:
    """What became of the rows of the last ingests, a row for each ingest and entity, latest first."""
    counts = lake.read(INGEST_COUNTS.name).where(F.col("outcome").isin(*OUTCOMES))
    by_outcome = [F.sum(F.when(F.col("outcome") == name, F.col("rows"))).alias(name) for name in OUTCOMES]
    rows = (
        counts.groupBy("ingest_id", "entity")
        .agg(F.sum("rows").alias("rows"), *by_outcome)
        .orderBy(F.desc("ingest_id"), "entity")
        .limit(_TREND * len(CONTRACTS))
        .collect()
    )
    return [
        {"ingest": row["ingest_id"], "entity": row["entity"], "rows": row["rows"]}
        | {name: row[name] or 0 for name in OUTCOMES}
        for row in rows
    ]


def figures(spark: SparkSession, lake: Lake) -> dict[str, Any]:
    """The counts behind the plots; of tables that are not there, none."""
    found: dict[str, Any] = {}
    if lake.exists(TRACKS.name):
        found["tracks"] = d.track_buckets(lake.read(TRACKS.name))
    if lake.exists(EVENTS.name):
        events = lake.read(EVENTS.name)
        users: DataFrame | None = lake.read(USERS.name) if lake.exists(USERS.name) else None
        found["months"] = d.events_by_month(events)
        found["sessions"] = d.session_buckets(events, users)
    return found


def make_page(
    ingest_id: int,
    delivery: Delivery,
    findings: Sequence[Finding],
    trend_rows: Sequence[Mapping[str, Any]],
    counted: Mapping[str, Any],
) -> Page:
    """The page from what was counted."""
    page = Page("Quality of the data", subtitle=f"Ingest {ingest_id} of {delivery.root}")
    _summary(page, delivery, findings)
    page.section("What became of the rows", anchor="rows").text(
        "Each raw row is kept, repaired, quarantined or a duplicate; the job stops if they don't add up."
    ).table(trend_rows)
    for entity in dict.fromkeys(finding.entity for finding in findings):
        mine = [finding for finding in findings if finding.entity == entity]
        page.section(entity.replace("_", " ").capitalize(), anchor=entity).table(
            [_row(finding) for finding in _by_severity(mine)]
        )
    plots = page.section("Distributions", anchor="distributions")
    if counted.get("tracks"):
        plots.figure(
            d.tracks_figure(counted["tracks"]), alt="Popularity, loudness, tempo and duration of tracks"
        )
    if counted.get("months"):
        plots.figure(d.months_figure(counted["months"]), alt="Events of each month by type")
    if counted.get("sessions"):
        plots.figure(
            d.sessions_figure(counted["sessions"]), alt="Events in a session, premium users and others"
        )
    return page


def _summary(page: Page, delivery: Delivery, findings: Sequence[Finding]) -> None:
    numbers = {name: sum(f.severity == name for f in findings) for name in reversed(SEVERITIES)}
    section = page.section("Summary").tiles({f"findings: {name}": number for name, number in numbers.items()})
    if delivery.missing:
        section.text(f"Not in this delivery: {', '.join(delivery.missing)}.")
    worst = [finding for finding in _by_severity(findings) if finding.severity in ("error", "warn")]
    section.table([{"entity": f.entity} | _row(f) for f in worst], empty="No errors and no warnings.")


def _row(finding: Finding) -> dict[str, Any]:
    return {
        "severity": finding.severity,
        "check": finding.check,
        "rows": finding.rows,
        "of": finding.total,
        "share": f"{finding.rate:.2%}" if finding.rate is not None else None,
        "meaning": finding.meaning,
        "examples": ", ".join(finding.examples),
    }


def _by_severity(findings: Sequence[Finding]) -> list[Finding]:
    return sorted(findings, key=lambda finding: -SEVERITIES.index(finding.severity))
