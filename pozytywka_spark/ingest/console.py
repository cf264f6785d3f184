"""Print an ingest to the console."""

from __future__ import annotations

from dataclasses import asdict
from typing import Any

from pozytywka_spark import cli
from pozytywka_spark.ingest.outcomes import QUARANTINED, UNKNOWN_NAME
from pozytywka_spark.ingest.stage import IngestReport

_WORST = 10


def show_ingest(report: IngestReport) -> None:
    """Print it: rows by what became of them, reasons of quarantine, months, findings, the page."""
    if report.ingest_id is None:
        cli.say("nothing new: no table was changed")
    else:
        cli.show_table(f"Ingest {report.ingest_id}: raw rows", _rows(report))
    rejected = [f for f in report.findings if f.check.startswith(f"{QUARANTINED}: ")]
    if rejected:
        cli.show_table(
            "quarantined",
            [
                {"entity": f.entity, "reason": f.check.removeprefix(f"{QUARANTINED}: "), "rows": f.rows}
                for f in rejected
            ],
        )
    if report.missing:
        cli.say(f"not in this delivery: {', '.join(report.missing)}")
    if report.ignored_files:
        cli.say(f"not part of a delivery, ignored: {', '.join(report.ignored_files)}")
    nameless = sum(f.rows for f in report.findings if f.check == f"raw: {UNKNOWN_NAME}")
    if nameless and report.ingest_id is not None:
        cli.say(
            f"{nameless:,} texts of users whose names aren't known yet and may stand in them: deliver users"
        )
    if report.months_touched:
        cli.say(f"event months touched: {', '.join(f'{month:%Y-%m}' for month in report.months_touched)}")
    if report.span:
        cli.say(report.span.described())
    _show_findings(report)
    if report.page:
        cli.say(f"quality report: {report.page}")


def _rows(report: IngestReport) -> list[dict[str, Any]]:
    """A row for each entity; `replayed` only where any was, for it is seldom and the line is full."""
    rows = [asdict(entity) for entity in report.entities]
    hidden = set() if any(row["replayed"] for row in rows) else {"replayed"}
    return [{name: value for name, value in row.items() if name not in hidden} for row in rows]


def _show_findings(report: IngestReport) -> None:
    errors, warnings = ([f for f in report.findings if f.severity == level] for level in ("error", "warn"))
    if errors or warnings:
        cli.say(f"findings: {len(errors)} errors, {len(warnings)} warnings")
    for finding in errors[:_WORST]:
        cli.say(f"  error: {finding.entity}: {finding.check}: {finding.rows:,} of {finding.total:,}")
