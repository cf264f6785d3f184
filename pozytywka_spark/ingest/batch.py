"""One batch of one entity, from raw lines to committed tables; done twice, it changes nothing.

The order of the writes makes it so: first what became of the rows is put down, then quarantine and
rescued fields, then silver, then the files as read. Each write bears the batch as its transaction,
and what the same batch has put into quarantine doesn't count as there before; so whenever an
attempt is cut short, the next one finds the same outcomes, or finds them written.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

from pozytywka_spark.config import Settings
from pozytywka_spark.errors import DataError
from pozytywka_spark.ingest.intake import ingest_log
from pozytywka_spark.ingest.intake.contracts import FEEDBACK, Contract
from pozytywka_spark.ingest.intake.reader import Surveyed
from pozytywka_spark.ingest.intake.wrong_kinds import first_of
from pozytywka_spark.ingest.masking.retention import texts_from
from pozytywka_spark.ingest.masking.text_files import known_names
from pozytywka_spark.ingest.outcomes import NOTED, OUTCOMES
from pozytywka_spark.ingest.resolve.commit_batch import write_resolved
from pozytywka_spark.ingest.resolve.event_counts import CountedFiles
from pozytywka_spark.ingest.resolve.existing_rows import chosen_layout, record_layout, resolve_beside_held
from pozytywka_spark.ingest.resolve.rejected import BatchStamp
from pozytywka_spark.ingest.resolve.resolve_rows import BatchFiles
from pozytywka_spark.ingest.validate.file_stats import FileStats
from pozytywka_spark.ingest.validate.pass_one import NOTHING_READ, JudgedRows, read_files, read_lines
from pozytywka_spark.ingest.validate.rules.verdict import Judging
from pozytywka_spark.lake.api import Lake, Txn
from pozytywka_spark.lake.layout import buckets_of
from pozytywka_spark.lake.spark_files import SparkFiles
from pozytywka_spark.lake.storage.filesystem import storage_of
from pozytywka_spark.lake.storage.listed_file import ListedFile
from pozytywka_spark.lake.tasks import Tasks
from pozytywka_spark.schemas import INGEST_COUNTS, INGEST_FILES


@dataclass(frozen=True)
class Source:
    """What a batch belongs to: one entity of one delivery, the `generation`-th time it is read.

    `stream` names it in transactions and in the books.
    """

    contract: Contract
    stream: str
    delivery: str
    generation: int
    ingest_id: int
    judging: Judging
    accept_bad_share: float

    def files_stamp(self) -> dict[str, Any]:
        """What the rows of `ingest_files` have in common."""
        return {
            "ingest_id": self.ingest_id,
            "entity": self.contract.entity,
            "delivery": self.delivery,
            "generation": self.generation,
        }


@dataclass(frozen=True)
class Batch:
    """The `number`-th batch of a source: these files, in the order of their paths (none: none is left)."""

    by_spark: SparkFiles
    lake: Lake
    settings: Settings
    source: Source
    number: int
    files: tuple[Surveyed, ...]

    @property
    def txn(self) -> Txn:
        """The transaction that all its writes bear."""
        return Txn(self.source.stream, self.number)

    def has_written(self, table: str) -> bool:
        """Whether an attempt at this batch has written the table."""
        last = self.lake.txn_version(table, self.txn.app)
        return last is not None and last >= self.number


def ingest_batch(batch: Batch, tasks: Tasks, judged: JudgedRows | None = None) -> CountedFiles | None:
    """Read, judge, resolve and commit one batch; what was counted of its events meanwhile, if anything was.

    `judged`: its rows, if they were read before. Raises `DataError` if a required field is in no row of a
    file, or if most rows of a file are unusable; then nothing of the batch is written.
    """
    if batch.has_written(INGEST_FILES.name):
        return None
    counted = None
    if judged is None:
        judged = read_batch(batch, tasks)
    if not batch.has_written(INGEST_COUNTS.name):  # what was begun is brought to its end
        check_fields(judged.files, batch.source.contract)
        check_share(judged.files, batch.source)
    if judged.rows and not batch.has_written(batch.source.contract.table.name):
        counted = _take_in(batch, tasks, judged)
    ingest_log.record_files(batch.lake, batch.source.files_stamp(), batch.txn, _versions(batch, judged))
    return counted


def read_batch(batch: Batch, tasks: Tasks) -> JudgedRows:
    """Its rows, judged and put down; nothing is written."""
    if not batch.files:
        return NOTHING_READ
    storage, source = storage_of(batch.settings), batch.source
    entity, buckets = source.contract.entity, buckets_of(batch.lake)
    names = known_names(batch.lake, tasks, batch.settings) if source.contract is FEEDBACK else None
    if all(storage.opens(each.file.path) for each in batch.files):
        return read_files(tasks, batch.files, storage, entity, source.judging, buckets, names)
    lines = batch.by_spark.put_lines_down(tasks, [each.file for each in batch.files])
    paths = tuple(each.file.path for each in batch.files)
    return read_lines(tasks, lines, paths, entity, source.judging, buckets, names)


def _take_in(batch: Batch, tasks: Tasks, judged: JudgedRows) -> CountedFiles | None:
    source, contract, entity = batch.source, batch.source.contract, batch.source.contract.entity
    stamp = BatchStamp(entity, source.stream, batch.number, source.ingest_id)
    files = BatchFiles(stamp, tuple((each.file.modified, each.file.path) for each in batch.files))
    layout = chosen_layout(batch.lake, contract, judged, batch.settings.lake.user_buckets)
    since = texts_from(batch.settings, batch.lake, tasks) if contract is FEEDBACK else None
    resolved = resolve_beside_held(batch.lake, tasks, contract, judged, files, layout, since)
    reconcile(entity, judged.rows, resolved.counts)
    counts = [*resolved.counts, *count_notes(judged.files.values())]
    ingest_log.record_counts(batch.lake, entity, source.ingest_id, batch.txn, counts)
    record_layout(batch.lake, contract, layout)
    write_resolved(batch.lake, contract, resolved, batch.txn)
    return resolved.counted


def check_fields(files: Mapping[str, FileStats], contract: Contract) -> None:
    """Raise `DataError` naming the fields that no readable row of a file (a path) has."""
    for path, file in files.items():
        readable = file.rows - file.unreadable
        lacking = [name for name in contract.required if 0 < readable <= file.lacks(name)]
        if lacking:
            raise DataError(
                f"{path}: no row has {', '.join(lacking)}; {contract.entity} "
                f"need {', '.join(contract.required)} (null is allowed); nothing of this file was taken in"
            )


def check_share(files: Mapping[str, FileStats], source: Source) -> None:
    """Raise `DataError` naming the files of which more than `accept_bad_share` of the rows failed a rule."""
    refused = [
        (path, file) for path, file in files.items() if file.rejected > source.accept_bad_share * file.rows
    ]
    if not refused:
        return
    raise DataError(
        f"{first_of(refused, _told)}; "
        f"nothing of this batch of {source.contract.entity} was taken in: "
        "deliver the right file, or take what is usable and quarantine the rest with a higher "
        f"ingest.accept_bad_share (now {source.accept_bad_share:g})"
    )


def _told(refused: tuple[str, FileStats]) -> str:
    """A refused file in words: how much of it is unusable, and mostly why."""
    path, file = refused
    reason, rows = min(file.reasons.items(), key=lambda one: (-one[1], one[0]))
    rule = f" ({file.rules[reason]})" if reason in file.rules else ""
    return (
        f"{path}: {file.rejected:,} of {file.rows:,} rows ({file.rejected / file.rows:.0%}) are unusable, "
        f"{rows:,} of them {reason}{rule}"
    )


def count_notes(files: Iterable[FileStats]) -> list[dict[str, Any]]:
    """Raw rows by what was noted of them; a row may bear several notes, so these don't add up to rows."""
    notes: Counter[str] = Counter()
    for file in files:
        notes.update(file.notes)
    return [
        {"outcome": NOTED, "reason": note, "event_month": None, "rows": rows}
        for note, rows in sorted(notes.items())
    ]


def reconcile(entity: str, read: int, counts: Sequence[Mapping[str, Any]]) -> None:
    """Check that read = kept + repaired + quarantined + duplicates; raise `DataError` if a row got lost."""
    by_outcome = {name: sum(r["rows"] for r in counts if r["outcome"] == name) for name in OUTCOMES}
    if read != sum(by_outcome.values()):
        described = ", ".join(f"{name} {rows:,}" for name, rows in by_outcome.items())
        raise DataError(
            f"{entity}: {read:,} rows were read but {sum(by_outcome.values()):,} accounted for "
            f"({described}); "
            "nothing was written; a file may have changed while it was read: run ingest again"
        )


def _versions(batch: Batch, judged: JudgedRows) -> list[dict[str, Any]]:
    """The files as they were listed, with the rows and the hash of what was read."""
    return [
        file_row(
            each.file,
            rows=judged.files[each.file.path].rows if each.file.path in judged.files else 0,
            content_hash=judged.hashes.get(each.file.path),
        )
        for each in batch.files
    ]


def file_row(file: ListedFile, rows: int, content_hash: str | None) -> dict[str, Any]:
    """What `ingest_files` says of a version of a file."""
    modified = datetime.fromtimestamp(0, UTC) + timedelta(microseconds=file.modified_micros)
    described = {"path": file.path, "size": file.size, "modified": modified}
    return {**described, "rows": rows, "content_hash": content_hash}
