"""Ingest: from a delivery of raw files to silver tables, incrementally and exactly once."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, date, datetime
from functools import partial
from pathlib import Path

from pyspark.sql import SparkSession

from pozytywka_spark.config import Settings
from pozytywka_spark.errors import DataError
from pozytywka_spark.ingest.ahead import Ahead, Read, reading_ahead
from pozytywka_spark.ingest.batch import Source
from pozytywka_spark.ingest.entity_reports import EntityReport, entity_reports
from pozytywka_spark.ingest.file_log import Book, source_id
from pozytywka_spark.ingest.intake import ingest_log
from pozytywka_spark.ingest.intake.contracts import CONTRACTS, FEEDBACK, Contract
from pozytywka_spark.ingest.intake.delivery import Delivery, changed, find_delivery, unread
from pozytywka_spark.ingest.intake.lock import only_ingest
from pozytywka_spark.ingest.masking.late_names import learn_names
from pozytywka_spark.ingest.masking.retention import delete_old_texts
from pozytywka_spark.ingest.quality.checks import Finding
from pozytywka_spark.ingest.quality.findings import last_findings
from pozytywka_spark.ingest.quality.write_report import report_on
from pozytywka_spark.ingest.resolve.event_counts import CountedFiles
from pozytywka_spark.ingest.resolve.replay import replay_all, second_chance
from pozytywka_spark.ingest.validate.rule_settings import judging_of
from pozytywka_spark.ingest.validate.rules.verdict import Judging
from pozytywka_spark.lake.api import Lake
from pozytywka_spark.lake.data_span import DataSpan
from pozytywka_spark.lake.event_days import INGEST, recorded_span
from pozytywka_spark.lake.open_tasks import workers_awake
from pozytywka_spark.lake.run_tasks import INLINE_BYTES
from pozytywka_spark.lake.spark_files import SparkFiles
from pozytywka_spark.lake.storage.listed_file import ListedFile
from pozytywka_spark.lake.tasks import Tasks
from pozytywka_spark.reports.files import INGEST_PAGE, page_path
from pozytywka_spark.reports.notebook import card
from pozytywka_spark.reports.page import SEVERITIES

_KERNELS = ("pozytywka_spark.lake.run_tasks", "pozytywka_spark.ingest.validate.line_work")


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

    def _repr_html_(self) -> str:
        title = f"ingest {self.ingest_id} of {self.delivery}" if self.ingest_id else "nothing new"
        lines = [f"not in this delivery: {', '.join(self.missing)}"] if self.missing else []
        findings = [
            {"severity": each.severity, "table": each.entity, "check": each.check, "rows": each.rows}
            for each in self.findings
        ]
        tables = {"rows": [vars(entity) for entity in self.entities], "findings": findings}
        return card(title, tables, lines, self.page)

    def at_least(self, severity: str) -> list[Finding]:
        """Findings as bad as `severity` or worse."""
        return [f for f in self.findings if SEVERITIES.index(f.severity) >= SEVERITIES.index(severity)]


def ingest(spark: SparkSession, settings: Settings, lake: Lake) -> IngestReport:
    """Take in what is new in the delivery under `settings.raw_path`, and report on all of silver.

    An entity that wasn't delivered is reported, not an error. Raises `DataError` if the folder or all
    entities are missing, or, once all that could be taken is in the lake, naming what couldn't.
    """
    delivery = find_delivery(SparkFiles(spark), settings)
    with only_ingest(lake.root, settings.ingest):
        ingest_id = ingest_log.next_ingest_id(lake)
        read = ingest_log.read_before(lake, delivery.root)
        judging = judging_of(settings.ingest, datetime.now(UTC))
        with lake.tasks() as tasks:
            running = _Running(spark, lake, settings, delivery, ingest_id, judging, tasks)
            with _ready(running, read) as ahead:
                counted = _take_in(running, read, ahead)
            # counts without an end may also be those of an ingest that was cut short after its last file
            if not ingest_log.counts_of(lake, ingest_id):
                return _nothing_new(settings, lake, delivery)
            second_chance(lake, ingest_id, judging)
            return _finish(settings, lake, tasks, delivery, ingest_id, counted)


def _take_in(
    running: _Running, read: Mapping[str, ingest_log.Read], ahead: Mapping[str, Ahead]
) -> CountedFiles | None:
    """Read what is new of all entities; what was counted of events meanwhile, if anything was."""
    counted, failures = None, []
    try:
        by_spark, settings = SparkFiles(running.spark), running.settings
        learn_names(by_spark, running.lake, running.tasks, settings, running.delivery, running.ingest_id)
        contracts: Sequence[Contract] = CONTRACTS
    except DataError as error:  # no text is taken in before it is known whose names may be in it
        failures.append(str(error))
        contracts = [contract for contract in CONTRACTS if contract is not FEEDBACK]
    for contract in contracts:
        try:
            if running.delivery.files.get(contract.entity):
                before = read.get(contract.entity, ingest_log.Read(0, {}))
                being_read = ahead.get(contract.entity)
                counted = _ingest_entity(running, contract, before, being_read) or counted
        except DataError as error:  # of this entity's files: the others are none the worse for it
            failures.append(str(error))
    if failures:
        raise DataError("; ".join(dict.fromkeys(failures)))
    return counted


@contextmanager
def _ready(running: _Running, read: Mapping[str, ingest_log.Read]) -> Iterator[Mapping[str, Ahead]]:
    """If there are large files: workers that start while this process reads small ones, and all that is new
    being read ahead of its turn.
    """
    new = {
        entity: unread(files, read[entity].versions if entity in read else {})
        for entity, files in running.delivery.files.items()
    }
    if all(sum(file.size for file in files) <= INLINE_BYTES for files in new.values()):
        yield {}
        return
    with workers_awake(running.spark, _KERNELS), reading_ahead(_first_read(running, read, new)) as ahead:
        yield ahead


def _first_read(
    running: _Running, read: Mapping[str, ingest_log.Read], new: Mapping[str, Sequence[ListedFile]]
) -> dict[str, tuple[Sequence[ListedFile], Read]]:
    """Of each entity the files that are surely read next: not where an earlier ingest left work half done, or
    files have changed.
    """
    first_files: dict[str, tuple[Sequence[ListedFile], Read]] = {}
    for contract in CONTRACTS:
        before, files = read.get(contract.entity, ingest_log.Read(0, {})), new.get(contract.entity)
        # texts wait until the names of users are known
        if files and contract is not FEEDBACK and not changed(files, before.versions):
            books = [running.book_of(contract, before.generation + later) for later in (0, 1)]
            if not any(book.is_unfinished() for book in books):
                first_files[contract.entity] = files, partial(books[0].read_ahead, files)
    return first_files


def replay(settings: Settings, lake: Lake) -> IngestReport:
    """Try all quarantined rows again under today's rules; an ingest of its own if any passes."""
    delivery = Delivery("quarantine", {}, ())
    with only_ingest(lake.root, settings.ingest):
        ingest_id = ingest_log.next_ingest_id(lake)
        if not replay_all(lake, ingest_id, judging_of(settings.ingest, datetime.now(UTC))):
            return _nothing_new(settings, lake, delivery)
        with lake.tasks() as tasks:
            return _finish(settings, lake, tasks, delivery, ingest_id)


def _finish(
    settings: Settings,
    lake: Lake,
    tasks: Tasks,
    delivery: Delivery,
    ingest_id: int,
    counted: CountedFiles | None = None,
) -> IngestReport:
    """Close the ingest, check what silver holds now, write the page."""
    counts = ingest_log.counts_of(lake, ingest_id)
    findings, page = report_on(settings, lake, tasks, delivery, ingest_id, counts, counted)
    delete_old_texts(settings, lake, tasks)
    ingest_log.finish_ingest(lake, ingest_id, delivery.root, counts)
    months = sorted({row["event_month"] for row in counts if row["event_month"]})
    return IngestReport(
        ingest_id,
        delivery.root,
        entity_reports(counts, delivery),
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
    entities = entity_reports((), delivery)
    page = str(page_path(settings, INGEST_PAGE))
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


@dataclass(frozen=True)
class _Running:
    """What all entities of an ingest have in common."""

    spark: SparkSession
    lake: Lake
    settings: Settings
    delivery: Delivery
    ingest_id: int
    judging: Judging
    tasks: Tasks

    def book_of(self, contract: Contract, generation: int, ahead: Ahead | None = None) -> Book:
        """The book of an entity in one generation."""
        source = Source(
            contract,
            source_id(contract.entity, self.delivery.root, generation),
            self.delivery.root,
            generation,
            self.ingest_id,
            self.judging,
            self.settings.ingest.accept_bad_share,
        )
        return Book(SparkFiles(self.spark), self.lake, self.settings, source, self.tasks, ahead)


def _ingest_entity(
    running: _Running, contract: Contract, before: ingest_log.Read, ahead: Ahead | None
) -> CountedFiles | None:
    """Read what is new of one entity, if anything is; what was counted of its events meanwhile.

    A path is read once. A file that grew or was replaced in place is noticed by its size and time, and
    the entity is read anew under a new generation: its old rows are duplicates.
    """
    listed = running.delivery.files[contract.entity]
    if not unread(listed, before.versions):
        return None
    if ahead is None:  # else it is known that no batch was cut short
        before = _finish_batches(running, contract, before)
    different = changed(listed, before.versions)
    touched = running.book_of(contract, before.generation).pass_over(different, before.versions)
    anew = any(file.path not in touched for file in different)
    to_read = listed if anew else [f for f in unread(listed, before.versions) if f.path not in touched]
    return running.book_of(contract, before.generation + anew, ahead).read_new(to_read) if to_read else None


def _finish_batches(running: _Running, contract: Contract, before: ingest_log.Read) -> ingest_log.Read:
    """Bring batches that were cut short to their end; what is read of the entity then.

    They are of the generation that the books know, or of one that was begun with none of it read to its end.
    """
    for generation in (before.generation, before.generation + 1):
        if running.book_of(contract, generation).finish(running.delivery.files[contract.entity]):
            read = ingest_log.read_before(running.lake, running.delivery.root)
            before = read.get(contract.entity, before)
    return before
