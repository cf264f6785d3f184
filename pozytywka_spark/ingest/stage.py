"""Ingest: from a delivery of raw files to silver tables, incrementally and exactly once."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date

from pyspark.sql import SparkSession
from pyspark.sql import functions as F

from pozytywka_spark.config import Settings
from pozytywka_spark.ingest import ledger
from pozytywka_spark.ingest.batch import Source
from pozytywka_spark.ingest.contracts import CONTRACTS, Contract
from pozytywka_spark.ingest.delivery import Delivery, changed, find_delivery, unread
from pozytywka_spark.ingest.lock import only_ingest
from pozytywka_spark.ingest.outcomes import DUPLICATE, KEPT, OUTCOMES, QUARANTINED, REPAIRED
from pozytywka_spark.ingest.stream import run_stream, stream_id
from pozytywka_spark.lake.api import Lake
from pozytywka_spark.schemas import INGEST_COUNTS, INGESTS


@dataclass(frozen=True)
class EntityReport:
    """What this ingest made of an entity's raw rows; `table_rows` is what its table holds now."""

    entity: str
    read: int
    kept: int
    repaired: int
    quarantined: int
    duplicates: int
    table_rows: int


@dataclass(frozen=True)
class IngestReport:
    """An ingest in numbers. `ingest_id` is None if there was nothing new to read."""

    ingest_id: int | None
    delivery: str
    entities: tuple[EntityReport, ...]
    missing: tuple[str, ...]
    ignored_files: tuple[str, ...]
    months_touched: tuple[date, ...]


def ingest(spark: SparkSession, settings: Settings, lake: Lake) -> IngestReport:
    """Take in what is new in the delivery under `settings.raw_path`.

    An entity that wasn't delivered is reported, not an error. Raises `DataError` if the folder or all
    entities are missing, or a file can't be taken; what other entities delivered is then in the lake.
    """
    delivery = find_delivery(spark, settings.raw_path)
    with only_ingest(lake.root, settings.ingest.wait_seconds):
        ingest_id = ledger.next_ingest_id(lake)
        read_any = [
            _ingest_entity(spark, settings, lake, delivery, contract, ingest_id)
            for contract in CONTRACTS
            if delivery.files.get(contract.entity)
        ]
        if not any(read_any):
            return _report(spark, lake, delivery, None)
        ledger.finish_ingest(spark, lake, ingest_id, delivery.root)
    return _report(spark, lake, delivery, ingest_id)


def _ingest_entity(
    spark: SparkSession,
    settings: Settings,
    lake: Lake,
    delivery: Delivery,
    contract: Contract,
    ingest_id: int,
) -> bool:
    """Read what is new of one entity; whether anything was.

    Spark's file source looks at a path once. A file that grew or was replaced in place is noticed by
    its size and time, and the entity is read anew under a new generation: its old rows are duplicates.
    """
    listed = delivery.files[contract.entity]
    generation, read = ledger.read_before(lake, contract.entity, delivery.root)
    if not unread(listed, read):
        return False
    if changed(listed, read):
        generation += 1
    source = Source(
        contract,
        stream_id(contract.entity, delivery.root, generation),
        delivery.root,
        generation,
        ingest_id,
        listed,
        settings.ingest.max_line_bytes,
    )
    run_stream(spark, lake, settings.ingest, source, delivery.glob(contract.entity))
    return True


def _report(spark: SparkSession, lake: Lake, delivery: Delivery, ingest_id: int | None) -> IngestReport:
    counts: dict[tuple[str, str], int] = {}
    months: Iterable[date] = ()
    if ingest_id is not None:
        mine = F.col("ingest_id") == ingest_id
        grouped = lake.read(INGEST_COUNTS.name).where(mine).groupBy("entity", "outcome").agg(F.sum("rows"))
        counts = {(row[0], row[1]): row[2] for row in grouped.collect()}
        touched = lake.read(INGESTS.name).where(mine & F.col("event_month").isNotNull())
        months = sorted(row["event_month"] for row in touched.collect())
    entities = []
    for contract in CONTRACTS:
        by_outcome = {name: counts.get((contract.entity, name), 0) for name in OUTCOMES}
        entities.append(
            EntityReport(
                contract.entity,
                sum(by_outcome.values()),
                by_outcome[KEPT],
                by_outcome[REPAIRED],
                by_outcome[QUARANTINED],
                by_outcome[DUPLICATE],
                ledger.held(spark, lake, contract.table).count(),
            )
        )
    return IngestReport(
        ingest_id, delivery.root, tuple(entities), delivery.missing, delivery.ignored, tuple(months)
    )
