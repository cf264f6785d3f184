"""Report on an ingest and on silver: findings into the lake, the page for people."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from pozytywka_spark.config import Settings
from pozytywka_spark.ingest.intake.delivery import Delivery
from pozytywka_spark.ingest.quality.checks import Finding
from pozytywka_spark.ingest.quality.findings import last_findings, raw_findings, record_findings
from pozytywka_spark.ingest.quality.page import make_page, trend
from pozytywka_spark.ingest.quality.profile import profile_silver
from pozytywka_spark.ingest.resolve.event_counts import CountedFiles
from pozytywka_spark.lake.api import Lake
from pozytywka_spark.lake.event_days import INGEST, is_recorded, write_span
from pozytywka_spark.lake.tasks import Tasks
from pozytywka_spark.reports.files import INGEST_PAGE, write_page
from pozytywka_spark.schemas import SILVER


def report_on(
    settings: Settings,
    lake: Lake,
    tasks: Tasks,
    delivery: Delivery,
    ingest_id: int,
    counts: Sequence[Mapping[str, Any]],
    counted: CountedFiles | None = None,
) -> tuple[tuple[Finding, ...], str]:
    """Findings on the raw rows of an ingest (its `counts`) and on all of silver; the path of the page.

    `counted`: what the ingest has counted of silver already.
    """
    shards = {table.name: lake.shards(table.name, tasks) for table in SILVER if lake.exists(table.name)}
    silver = profile_silver(tasks, shards, settings.data, counted)
    if silver.span is not None and not is_recorded(lake, silver.span.span, silver.span.days, INGEST):
        write_span(lake, silver.span.span, silver.span.days, INGEST)
    findings = (*raw_findings(counts), *silver.findings)
    before = last_findings(lake)
    record_findings(lake, ingest_id, findings)
    page = make_page(ingest_id, delivery, findings, before, trend(lake, delivery.root), silver)
    return findings, str(write_page(settings, INGEST_PAGE, page.render()))
