"""Frames for tests of kernels: events and lines as literals, and tables of what became of them."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

import polars as pl

from pozytywka_spark.ingest.parcels import COMPLETE_ROWS

START = datetime(2023, 2, 1, tzinfo=UTC)


def events(*rows: dict[str, Any] | tuple[Any, ...]) -> pl.DataFrame:
    """COMPLETE rows of (seconds, type, user, session, track) and, as mappings, whatever else they bear."""
    filled = []
    for place, row in enumerate(rows):
        more = dict(zip(("at", "event_type", "user_id", "session_id", "track_id"), row, strict=True)) if (
            isinstance(row, tuple)) else dict(row)  # fmt: skip
        time = START + timedelta(seconds=more.pop("at", 0))
        filled.append({"event_time": time, "source": 0, "source_order": place} | more)
    return pl.DataFrame(filled, COMPLETE_ROWS)


def as_held(rows: pl.DataFrame) -> pl.DataFrame:
    """Complete rows as a file of `events` has them, but for their ids."""
    told = rows.with_columns(event_id=pl.lit(b"\0" * 16), repaired=pl.col("repair_reason").is_not_null())
    return told.drop("rescued", "line_id", "source", "source_order")
