"""The books of ingest, kept in the lake: which files were read, what became of rows, which months changed."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import date, datetime
from typing import Any

from pyspark.sql import DataFrame, SparkSession
from pyspark.sql import functions as F

from pozytywka_spark.ingest.outcomes import KEPT, REPAIRED
from pozytywka_spark.lake.api import Lake
from pozytywka_spark.schemas import EVENTS, INGEST_COUNTS, INGEST_FILES, INGESTS, Table


def held(spark: SparkSession, lake: Lake, table: Table) -> DataFrame:
    """The table's rows; none if it doesn't exist yet."""
    return lake.read(table.name) if lake.exists(table.name) else spark.createDataFrame([], table.schema)


def next_ingest_id(lake: Lake) -> int:
    """One more than the last finished ingest; one that was cut short passes its id on to the next."""
    return last_ingest_id(lake) + 1


def last_ingest_id(lake: Lake) -> int:
    """The id of the last finished ingest, 0 before the first."""
    if not lake.exists(INGESTS.name):
        return 0
    last = lake.read(INGESTS.name).agg(F.max("ingest_id")).first()
    return int(last[0] or 0) if last else 0


def months_touched_since(lake: Lake, ingest_id: int) -> list[date]:
    """Event months that ingests after `ingest_id` added events to, in order.

    What features built after ingest `ingest_id` must rebuild; 0 gives every month ever touched.
    """
    if not lake.exists(INGESTS.name):
        return []
    touched = (
        lake.read(INGESTS.name)
        .where((F.col("ingest_id") > ingest_id) & F.col("event_month").isNotNull())
        .select("event_month")
        .distinct()
    )
    return sorted(row[0] for row in touched.collect())


def read_before(lake: Lake, entity: str, delivery: str) -> tuple[int, dict[str, tuple[int, datetime]]]:
    """The delivery's current generation and, of it, the version in which each file was read."""
    if not lake.exists(INGEST_FILES.name):
        return 0, {}
    rows = (
        lake.read(INGEST_FILES.name)
        .where((F.col("entity") == entity) & (F.col("delivery") == delivery))
        .groupBy("generation", "path")
        .agg(F.max_by(F.struct("size", "modified"), "batch").alias("last"))
        .collect()
    )
    generation = max((row["generation"] for row in rows), default=0)
    current = [row for row in rows if row["generation"] == generation]
    return generation, {row["path"]: (row["last"]["size"], row["last"]["modified"]) for row in current}


def record_counts(
    spark: SparkSession, lake: Lake, stream: str, batch: int, counts: Sequence[Mapping[str, Any]]
) -> None:
    """Put down what became of a batch's rows, in place of what an attempt cut short has put down."""
    keys = ("outcome", "reason", "event_month")
    told = {tuple(row[key] for key in keys) for row in counts}
    before = (
        held(spark, lake, INGEST_COUNTS)
        .where((F.col("stream") == stream) & (F.col("batch") == batch))
        .collect()
    )
    stale = [row.asDict() | {"rows": 0} for row in before if tuple(row[key] for key in keys) not in told]
    lake.upsert(spark.createDataFrame([*counts, *stale], INGEST_COUNTS.schema), INGEST_COUNTS)


def finish_ingest(spark: SparkSession, lake: Lake, ingest_id: int, delivery: str) -> None:
    """Close the ingest: one row for each entity it read and one for each event month it added to."""
    added = F.when(F.col("outcome").isin(KEPT, REPAIRED), F.col("rows")).otherwise(0)
    counts = lake.read(INGEST_COUNTS.name).where(F.col("ingest_id") == ingest_id)
    by_entity = counts.groupBy("entity").agg(F.sum(added).alias("rows_added"))
    by_month = (
        counts.where(F.col("event_month").isNotNull())
        .groupBy("entity", "event_month")
        .agg(F.sum(added).alias("rows_added"))
        .where(F.col("rows_added") > 0)
    )
    rows = by_entity.unionByName(by_month, allowMissingColumns=True).withColumns(
        {"ingest_id": F.lit(ingest_id).cast("bigint"), "delivery": F.lit(delivery)}
    )
    lake.upsert(INGESTS.conform(rows), INGESTS)


def event_months(lake: Lake) -> list[date]:
    """Months of silver, in order."""
    if not lake.exists(EVENTS.name):
        return []
    return sorted(r[0] for r in lake.read(EVENTS.name).select("event_month").distinct().collect())
