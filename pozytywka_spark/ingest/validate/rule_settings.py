"""The settings by which an ingest judges lines."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

from pozytywka_spark.config import Ingest
from pozytywka_spark.ingest.validate.rules.verdict import Judging


def judging_of(settings: Ingest, now: datetime) -> Judging:
    """What lines are judged by in an ingest that begins `now` (with its zone), or at `ingest.at`."""
    at = settings.at or now.astimezone(UTC)
    return Judging(settings.max_line_bytes, at + timedelta(days=settings.future_days))
