"""Ingest: from a delivery of raw files to silver tables, incrementally and exactly once."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime
from pathlib import Path
from typing import Any

from pyspark.sql import SparkSession

from pozytywka_spark.config import Settings
from pozytywka_spark.datadays import INGEST, recorded_span
from pozytywka_spark.dataspan import DataSpan
from pozytywka_spark.errors import DataError
from pozytywka_spark.ingest import book, ledger
from pozytywka_spark.ingest.batch import Source
from pozytywka_spark.ingest.checks import Finding
from pozytywka_spark.ingest.contracts import CONTRACTS, Contract
from pozytywka_spark.ingest.delivery import Delivery, changed, find_delivery, unread
from pozytywka_spark.ingest.findings import last_findings
from pozytywka_spark.ingest.judging import judging_of
from pozytywka_spark.ingest.lock import only_ingest
from pozytywka_spark.ingest.outcomes import DUPLICATE, KEPT, OUTCOMES, QUARANTINED, REPAIRED
from pozytywka_spark.ingest.page import page_path
from pozytywka_spark.ingest.rawfile import RawFile
from pozytywka_spark.ingest.replay import replay_all, replay_stream, second_chance
from pozytywka_spark.ingest.reporting import report_on
from pozytywka_spark.ingest.rules.verdict import Judging
from pozytywka_spark.ingest.stream import run_stream, stream_id
from pozytywka_spark.lake import s3
from pozytywka_spark.lake.api import Lake, Txn
from pozytywka_spark.reports.page import SEVERITIES

# No row of any contract is shorter; a compressed file without rows is.
_SHORTEST = 64


@dataclass(frozen=True)
class EntityReport:
    """What this ingest made of an entity's raw rows: read = kept + repaired + quarantined + duplicates.

    `replayed` rows left quarantine beside that.
    """

    entity: str
    read: int
    kept: int
    repaired: int
    quarantined: int
    duplicates: int
    replayed: int


@dataclass(frozen=True)
class IngestReport:
    """An ingest in numbers. `ingest_id` is None if there was nothing new; then nothing was written.

    `span` is where the data begin and end, None without events.
    """

    ingest_id: int | None
    delivery: str
    entities: tuple[EntityReport, ...]
    missing: tuple[str, ...]
    ignored_files: tuple[str, ...]
    months_touched: tuple[date, ...]
    findings: tuple[Finding, ...]
    page: str | None
    span: DataSpan | None = None

    def at_least(self, severity: str) -> list[Finding]:
        """Findings as bad as `severity` or worse."""
        return [f for f in self.findings if SEVERITIES.index(f.severity) >= SEVERITIES.index(severity)]


def ingest(spark: SparkSession, settings: Settings, lake: Lake) -> IngestReport:
    """Take in what is new in the delivery under `settings.raw_path`, and report on all of silver.

    An entity that wasn't delivered is reported, not an error. Raises `DataError` if the folder or all
    entities are missing, or, once all that could be taken is in the lake, naming what couldn't.
    """
    endpoint = s3.endpoint(settings.s3) if book.is_needed(settings) else None
    delivery = find_delivery(spark, settings.raw_path, endpoint)
    with only_ingest(lake.root, settings.ingest):
        ingest_id = ledger.next_ingest_id(lake)
        read = ledger.read_before(lake, delivery.root)
        judging = judging_of(settings.ingest, datetime.now(UTC))
        failures = []
        for contract in CONTRACTS:
            try:
                if delivery.files.get(contract.entity):
                    _ingest_entity(spark, settings, lake, delivery, contract, ingest_id, read, judging)
            except DataError as error:  # of this entity's files: the others are none the worse for it
                failures.append(str(error))
        if failures:
            raise DataError("; ".join(failures))
        # counts without an end may also be those of an ingest that was cut short after its last file
        if not ledger.counts_of(lake, ingest_id):
            return _nothing_new(settings, lake, delivery)
        second_chance(spark, lake, ingest_id, judging)
        return _finish(spark, settings, lake, delivery, ingest_id)


def replay(spark: SparkSession, settings: Settings, lake: Lake) -> IngestReport:
    """Try all quarantined rows again under today's rules; an ingest of its own if any passes."""
    delivery = Delivery("quarantine", {}, ())
    with only_ingest(lake.root, settings.ingest):
        ingest_id = ledger.next_ingest_id(lake)
        if not replay_all(spark, lake, ingest_id, judging_of(settings.ingest, datetime.now(UTC))):
            return _nothing_new(settings, lake, delivery)
        return _finish(spark, settings, lake, delivery, ingest_id)


def _finish(
    spark: SparkSession, settings: Settings, lake: Lake, delivery: Delivery, ingest_id: int
) -> IngestReport:
    """Close the ingest, check what silver holds now, write the page."""
    counts = ledger.counts_of(lake, ingest_id)
    findings, page = report_on(spark, settings, lake, delivery, ingest_id, counts)
    ledger.finish_ingest(spark, lake, ingest_id, delivery.root, counts)
    months = sorted({row["event_month"] for row in counts if row["event_month"]})
    return IngestReport(
        ingest_id,
        delivery.root,
        tuple(_entity_report(contract.entity, counts) for contract in CONTRACTS),
        delivery.missing,
        delivery.ignored,
        tuple(months),
        findings,
        page,
        recorded_span(lake, settings.data, INGEST),
    )


def _nothing_new(settings: Settings, lake: Lake, delivery: Delivery) -> IngestReport:
    """The report of a run that had nothing to do; what is wrong with silver is still wrong."""
    findings = last_findings(lake)
    entities = tuple(_entity_report(contract.entity, ()) for contract in CONTRACTS)
    page = page_path(settings)
    return IngestReport(
        None,
        delivery.root,
        entities,
        delivery.missing,
        delivery.ignored,
        (),
        tuple(findings),
        page if Path(page).exists() else None,
        recorded_span(lake, settings.data, INGEST),
    )


def _entity_report(entity: str, counts: Sequence[Mapping[str, Any]]) -> EntityReport:
    mine = [row for row in counts if row["entity"] == entity]
    delivered = [row for row in mine if row["stream"] != replay_stream(entity)]
    by_outcome = {name: sum(r["rows"] for r in delivered if r["outcome"] == name) for name in OUTCOMES}
    return EntityReport(
        entity,
        sum(by_outcome.values()),
        by_outcome[KEPT],
        by_outcome[REPAIRED],
        by_outcome[QUARANTINED],
        by_outcome[DUPLICATE],
        sum(row["rows"] for row in mine if row["stream"] == replay_stream(entity)),
    )


def _ingest_entity(
    spark: SparkSession,
    settings: Settings,
    lake: Lake,
    delivery: Delivery,
    contract: Contract,
    ingest_id: int,
    read: Mapping[str, ledger.Read],
    judging: Judging,
) -> None:
    """Read what is new of one entity, if anything is.

    Spark's file source looks at a path once. A file that grew or was replaced in place is noticed by
    its size and time, and the entity is read anew under a new generation: its old rows are duplicates.
    """
    listed = delivery.files[contract.entity]
    before = read.get(contract.entity, ledger.Read(0, {}))
    if not unread(listed, before.versions):
        return
    anew = bool(changed(listed, before.versions))
    generation = before.generation + anew
    source = _source(delivery, contract, ingest_id, generation, judging)
    seen = _take_in(spark, lake, settings, source, delivery)
    left = _left(lake, delivery, contract, generation, seen, before)
    if not anew and any(file.size >= _SHORTEST for file in left):
        # Spark may have read these while they were empty, in a run that was cut short: look again
        generation += 1
        source = _source(delivery, contract, ingest_id, generation, judging)
        seen = _take_in(spark, lake, settings, source, delivery)
        left = _left(lake, delivery, contract, generation, seen, ledger.Read(0, {}))
    if left:
        empty = [{"path": f.path, "size": f.size, "modified": f.modified, "rows": 0} for f in left]
        ledger.record_files(
            spark, lake, source.files_stamp(), Txn(f"{source.stream}-empty", ingest_id), empty
        )


def _take_in(
    spark: SparkSession, lake: Lake, settings: Settings, source: Source, delivery: Delivery
) -> frozenset[str]:
    """Read what the stream hasn't; Spark keeps the book of it wherever it can."""
    entity = source.contract.entity
    if book.is_needed(settings):
        return book.take_in(spark, lake, settings, source, delivery.files[entity])
    return run_stream(spark, lake, settings.ingest, source, delivery.glob(entity))


def _source(
    delivery: Delivery, contract: Contract, ingest_id: int, generation: int, judging: Judging
) -> Source:
    return Source(
        contract,
        stream_id(contract.entity, delivery.root, generation),
        delivery.root,
        generation,
        ingest_id,
        judging,
    )


def _left(
    lake: Lake,
    delivery: Delivery,
    contract: Contract,
    generation: int,
    seen: frozenset[str],
    before: ledger.Read,
) -> list[RawFile]:
    """Listed files of which no row was ever read in this generation."""
    versions = before.versions if before.generation == generation else {}
    left = [f for f in delivery.files[contract.entity] if f.path not in seen and f.path not in versions]
    if not left:
        return []
    now = ledger.read_before(lake, delivery.root).get(contract.entity)
    if now is None or now.generation != generation:
        return left
    return [file for file in left if file.path not in now.versions]
