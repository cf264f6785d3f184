"""The books of ingest, kept in the lake: which files were read, what became of rows, which months changed."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any

from pyspark.sql import DataFrame, SparkSession
from pyspark.sql import functions as F

from pozytywka_spark.ingest.outcomes import KEPT, REPAIRED
from pozytywka_spark.lake.api import Lake, Txn
from pozytywka_spark.schemas import INGEST_COUNTS, INGEST_FILES, INGESTS, QUARANTINE, Table


def held(spark: SparkSession, lake: Lake, table: Table) -> DataFrame:
    """The table's rows; none if it doesn't exist yet."""
    return lake.read(table.name) if lake.exists(table.name) else spark.createDataFrame([], table.schema)


def quarantined(lake: Lake, entity: str) -> DataFrame | None:
    """The entity's rows in quarantine; None if nothing was ever rejected."""
    if not lake.exists(QUARANTINE.name):
        return None
    held = lake.read(QUARANTINE.name, partitions=[{"entity": entity}])
    # a lake of an older release: its files had no timestamps but ISO ones
    new = [field for field in QUARANTINE.schema if field.name not in held.columns]
    return held.withColumns({field.name: F.lit(None).cast(field.dataType) for field in new})


def next_ingest_id(lake: Lake) -> int:
    """One more than the last finished ingest; one that was cut short passes its id on to the next."""
    return last_ingest_id(lake) + 1


def last_ingest_id(lake: Lake) -> int:
    """The id of the last finished ingest, 0 before the first."""
    if not lake.exists(INGESTS.name):
        return 0
    last = lake.read(INGESTS.name).agg(F.max("ingest_id")).first()
    return int(last[0] or 0) if last else 0


@dataclass(frozen=True)
class Read:
    """What was read of one entity of a delivery: the current generation and, in it, each file's version."""

    generation: int
    versions: Mapping[str, tuple[int, datetime]]


def read_before(lake: Lake, delivery: str) -> dict[str, Read]:
    """What was read of the delivery before, by entity."""
    if not lake.exists(INGEST_FILES.name):
        return {}
    rows = (
        lake.read(INGEST_FILES.name)
        .where(F.col("delivery") == delivery)
        .groupBy("entity", "generation", "path")
        .agg(F.max_by(F.struct("size", "modified"), "batch").alias("last"))
        .collect()
    )
    found = {}
    for entity in {row["entity"] for row in rows}:
        mine = [row for row in rows if row["entity"] == entity]
        generation = max(row["generation"] for row in mine)
        versions = {
            row["path"]: (row["last"]["size"], row["last"]["modified"])
            for row in mine
            if row["generation"] == generation
        }
        found[entity] = Read(generation, versions)
    return found


def record_files(
    spark: SparkSession, lake: Lake, stamp: Mapping[str, Any], txn: Txn, files: Sequence[Mapping[str, Any]]
) -> None:
    """Put down which versions of which files were read to their end."""
    rows = [{**stamp, **file, "stream": txn.app, "batch": txn.version} for file in files]
    lake.append(spark.createDataFrame(rows, INGEST_FILES.schema), INGEST_FILES, txn=txn)


def record_counts(
    spark: SparkSession,
    lake: Lake,
    entity: str,
    ingest_id: int,
    txn: Txn,
    counts: Sequence[Mapping[str, Any]],
) -> None:
    """Put down what became of a batch's rows, in place of what an attempt cut short has put down."""
    stamp = {"entity": entity, "stream": txn.app, "batch": txn.version, "ingest_id": ingest_id}
    rows = [stamp | dict(row) for row in counts]
    if lake.append(_as_counts(spark, rows), INGEST_COUNTS, txn=txn) is not None:
        return
    mine = (F.col("stream") == txn.app) & (F.col("batch") == txn.version)
    told = {_count_key(row) for row in rows}
    before = [row.asDict() for row in lake.read(INGEST_COUNTS.name).where(mine).collect()]
    stale = [row | {"rows": 0} for row in before if _count_key(row) not in told]
    if {_count_key(row): row["rows"] for row in before} != {_count_key(row): row["rows"] for row in rows}:
        lake.upsert(_as_counts(spark, [*rows, *stale]), INGEST_COUNTS)


def add_counts(
    spark: SparkSession,
    lake: Lake,
    entity: str,
    ingest_id: int,
    app: str,
    counts: Sequence[Mapping[str, Any]],
) -> None:
    """Put down what became of replayed rows, beside what an attempt cut short has put down."""
    stamp = {"entity": entity, "stream": app, "batch": ingest_id, "ingest_id": ingest_id}
    lake.upsert(_as_counts(spark, [stamp | dict(row) for row in counts]), INGEST_COUNTS)


def counts_of(lake: Lake, ingest_id: int) -> list[dict[str, Any]]:
    """What became of the rows of an ingest: rows of `ingest_counts`."""
    if not lake.exists(INGEST_COUNTS.name):
        return []
    rows = lake.read(INGEST_COUNTS.name).where((F.col("ingest_id") == ingest_id) & (F.col("rows") > 0))
    return [row.asDict() for row in rows.collect()]


def finish_ingest(
    spark: SparkSession, lake: Lake, ingest_id: int, delivery: str, counts: Sequence[Mapping[str, Any]]
) -> None:
    """Close the ingest: one row for each entity it read and one for each event month it added to."""
    added: dict[tuple[str, date | None], int] = {}
    for row in counts:
        new = row["rows"] if row["outcome"] in (KEPT, REPAIRED) else 0
        for key in {(row["entity"], None), (row["entity"], row["event_month"])}:
            if new or key[1] is None:
                added[key] = added.get(key, 0) + new
    rows = [
        {
            "ingest_id": ingest_id,
            "entity": entity,
            "event_month": month,
            "rows_added": rows,
            "delivery": delivery,
        }
        for (entity, month), rows in added.items()
    ]
    lake.append(spark.createDataFrame(rows, INGESTS.schema), INGESTS, txn=Txn("ingests", ingest_id))


def _as_counts(spark: SparkSession, rows: Sequence[Mapping[str, Any]]) -> DataFrame:
    return spark.createDataFrame([dict(row) for row in rows], INGEST_COUNTS.schema)


def _count_key(row: Mapping[str, Any]) -> tuple[Any, ...]:
    return row["outcome"], row["reason"], row["event_month"]
