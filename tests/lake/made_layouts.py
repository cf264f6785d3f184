"""Events in the layouts of this release and the last, and what a lake holds of them."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import UTC, datetime, timedelta
from typing import Any

import pyarrow as pa

from pozytywka_spark.config import Settings, load_settings
from tests.lake.conftest import Bench
from tests.worlds.histories import as_events

AT = datetime(2023, 1, 3, 5, 9, 55, tzinfo=UTC)
LATER = datetime(2023, 2, 28, 23, 59, 59, 707_001, tzinfo=UTC)


def home_of(bench: Bench, *overrides: str) -> Settings:
    """Settings that name the bench's lake."""
    engine = "delta-rs" if bench.engine.startswith("delta-rs") else "delta-spark"
    return load_settings(
        "local",
        [f"lake.root={bench.lake.root}", f"lake.engine={engine}", "ingest.assume_alone=true", *overrides],
    )


def events(users: int = 40, each: int = 5) -> pa.Table:
    """Events of two months, all in bucket 0."""
    rows = [
        {
            "event_time": [AT, LATER][place % 2] + timedelta(microseconds=place * 977),
            "event_type": "PLAY",
            "user_id": place % users,
            "session_id": place // each,
            "track_id": f"t{place}" if place % 7 else None,
        }
        for place in range(users * each)
    ]
    return as_events(rows, 1).to_arrow()


def content(lake: Any, *without: str) -> list[tuple[Any, ...]]:
    rows = lake.rows("events")
    return told(row.values() for row in rows.drop_columns(list(without)).to_pylist())


def told(rows: Iterable[Iterable[Any]]) -> list[tuple[Any, ...]]:
    """Rows in one order, bytes and instants as they compare; collected times are UTC without saying so."""

    def plain(value: Any) -> Any:
        if isinstance(value, datetime):
            return value.replace(tzinfo=UTC)
        return bytes(value) if isinstance(value, bytearray) else value

    return sorted((tuple(map(plain, row)) for row in rows), key=repr)
