"""Events in the layouts of this release and the last, and what a lake holds of them."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import UTC, datetime, timedelta
from typing import Any

from pyspark.sql import DataFrame
from pyspark.sql import functions as F

from pozytywka_spark import schemas
from pozytywka_spark.config import Settings, load_settings
from pozytywka_spark.hashing import identity_spark
from pozytywka_spark.schemas import EVENTS
from tests.lake.conftest import Bench

AT = datetime(2023, 1, 3, 5, 9, 55, tzinfo=UTC)
LATER = datetime(2023, 2, 28, 23, 59, 59, 707_001, tzinfo=UTC)


def home_of(bench: Bench, *overrides: str) -> Settings:
    """Settings that name the bench's lake."""
    engine = "delta-rs" if bench.engine.startswith("delta-rs") else "delta-spark"
    return load_settings(
        "local",
        [f"lake.root={bench.lake.root}", f"lake.engine={engine}", "ingest.assume_alone=true", *overrides],
    )


def events(bench: Bench, users: int = 40, each: int = 5) -> DataFrame:
    """Events of two months, all in bucket 0."""
    rows = [
        (place, [AT, LATER][place % 2] + timedelta(microseconds=place * 977), place % users, place // each)
        for place in range(users * each)
    ]
    ddl = "place bigint, event_time timestamp, user_id bigint, session_id bigint"
    made = bench.frame(rows, ddl).withColumns(
        {
            "event_type": F.lit("PLAY"),
            "track_id": F.when(F.col("place") % 7 > 0, F.concat(F.lit("t"), F.col("place").cast("string"))),
            "repaired": F.lit(False),
            "repair_reason": F.lit(None).cast("string"),
            "event_month": schemas.month_of(F.col("event_time")),
            "user_bucket": F.lit(0),
        }
    )
    return EVENTS.conform(made.withColumn("event_id", identity_spark.event_id()))


def content(lake: Any, *without: str) -> list[tuple[Any, ...]]:
    return told(lake.read("events").drop(*without).collect())


def told(rows: Iterable[Iterable[Any]]) -> list[tuple[Any, ...]]:
    """Rows in one order, bytes and instants as they compare; collected times are UTC without saying so."""

    def plain(value: Any) -> Any:
        if isinstance(value, datetime):
            return value.replace(tzinfo=UTC)
        return bytes(value) if isinstance(value, bytearray) else value

    return sorted((tuple(map(plain, row)) for row in rows), key=repr)
