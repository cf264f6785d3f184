"""Feedback with bad rows, and what an ingest holds and reports of it."""

from __future__ import annotations

from pozytywka_spark.ingest.stage import EntityReport, IngestReport
from pozytywka_spark.lake.api import Lake
from tests.worlds.deliveries import Row, rows_in
from tests.worlds.planted import texts

BAD = [
    {"score": 11}, {"channel": "pigeon"}, {"text": None, "score": None}, {"user_id": None},
    {"timestamp": "never"}, {"queue": "Zdzisława@poczta.pl"}, {"channel": "Kowalska"},
    {"timestamp": "2099-01-01T00:00:00"},
]  # fmt: skip


def report_of(report: IngestReport) -> EntityReport:
    (mine,) = (each for each in report.entities if each.entity == "feedback")
    return mine


def broken(rows: list[dict[str, object]]) -> list[Row]:
    return [row | {"feedback_id": f"bad{n}"} | rows[n] for n, row in enumerate(texts(len(rows), first=900))]


def texts_in(lake: Lake) -> dict[str, str | None]:
    return {row["feedback_id"]: row["text"] for row in rows_in(lake, "feedback")}
