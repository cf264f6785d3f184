"""Names that users' files tell: learnt before texts are read, and masked in those that came before them."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import polars as pl

from pozytywka_spark.config import Settings
from pozytywka_spark.hashing.slices import slices_for
from pozytywka_spark.ingest.batch import file_row
from pozytywka_spark.ingest.file_log import in_words, source_id
from pozytywka_spark.ingest.intake import ingest_log
from pozytywka_spark.ingest.intake.contracts import FEEDBACK, USERS
from pozytywka_spark.ingest.intake.delivery import Delivery, unread
from pozytywka_spark.ingest.intake.reader import Surveyed, parts_of
from pozytywka_spark.ingest.intake.survey import survey
from pozytywka_spark.ingest.masking.name_words import KnownNames
from pozytywka_spark.ingest.masking.name_work import ReadNames, new_names
from pozytywka_spark.ingest.masking.salt import salt_of, stream_of
from pozytywka_spark.ingest.masking.text_files import rewrite_shards, shards_of, written_anew
from pozytywka_spark.ingest.parcels import NAMES, NEW_NAMES
from pozytywka_spark.ingest.resolve.new_rows import RowSlice
from pozytywka_spark.ingest.validate.pass_one import named_part
from pozytywka_spark.lake.api import Lake, Txn
from pozytywka_spark.lake.data_files import data_files
from pozytywka_spark.lake.shards import Shard
from pozytywka_spark.lake.spark_files import SparkFiles
from pozytywka_spark.lake.storage.filesystem import storage_of
from pozytywka_spark.lake.storage.listed_file import ListedFile
from pozytywka_spark.lake.tasks import Done, Result, TaskFiles, Tasks
from pozytywka_spark.schemas import FEEDBACK as TEXTS
from pozytywka_spark.schemas import INGEST_FILES, NAME_WORDS

_ENTITY = NAME_WORDS.name
_SLICE_ROWS = 4_000_000


def learn_names(
    by_spark: SparkFiles, lake: Lake, tasks: Tasks, settings: Settings, delivery: Delivery, ingest_id: int
) -> None:
    """Hash the names of the delivery's users, and mask them in the texts that are there.

    Only in a lake that has texts, or is to get some; and of files that weren't read for it before. New words
    are in the table once no text has them any more, and files are put down as read once the table has their
    words: so a run that is cut short is repeated, and nothing is left out. Raises `UsageError` if the salt
    can't be had, `DataError` naming a file that can't be read.
    """
    if not (delivery.files.get(FEEDBACK.entity) or lake.exists(TEXTS.name)):
        return
    salt = salt_of(settings, lake)
    stream = f"{stream_of(salt)}-{source_id(USERS.entity, delivery.root, 0)}"
    to_read = _unread(lake, delivery, stream)
    if not to_read:
        return
    with in_words(USERS.entity):
        names = _read_names(by_spark, tasks, settings, to_read, salt)
    parcels = tuple(names.of(NAMES))
    existing = data_files(lake, tasks, NAME_WORDS.name)
    parts = slices_for(sum(parcel.rows for parcel in parcels), _SLICE_ROWS)
    new = tasks.run(
        [RowSlice(parcels, existing, part, parts) for part in range(parts)] if parcels else [],
        new_names,
        weight=lambda one: one.size,
        named=lambda one: f"slice {one.part + 1} of {one.parts} of name_words",
    )
    if new.written:
        mask_texts(lake, tasks, KnownNames(salt, tuple(new.of(NEW_NAMES))))
        last = lake.txn_version(NAME_WORDS.name, stream_of(salt)) if lake.exists(NAME_WORDS.name) else None
        lake.append(new.written, NAME_WORDS, txn=Txn(stream_of(salt), 0 if last is None else last + 1))
    _record(lake, delivery, stream, ingest_id, to_read)


def mask_texts(lake: Lake, tasks: Tasks, names: KnownNames) -> None:
    """Mask names in the texts of the table `feedback`; what the table's older versions held is deleted."""
    rewrite_shards(lake, tasks, shards_of(lake, tasks), MaskNames(names))


@dataclass(frozen=True)
class MaskNames:
    """Work on shards of `feedback`: writes those anew that have any of the names in a text."""

    names: KnownNames

    def __call__(self, items: Sequence[Shard], files: TaskFiles) -> Iterator[Result]:
        """Facts of each shard that changed."""
        for shard in items:
            rows = [files.read([file]) for file in shard.files]
            masked = [self.names.mask(each, files) for each in rows]
            if any(_differ(one, other) for one, other in zip(rows, masked, strict=True)):
                yield written_anew(shard, masked, files)


def _differ(rows: pl.DataFrame, masked: pl.DataFrame) -> bool:
    return not rows.get_column("text").equals(masked.get_column("text"), null_equal=True)


def _unread(lake: Lake, delivery: Delivery, stream: str) -> list[ListedFile]:
    """Users' files of which this version wasn't read for names."""
    rows = ingest_log.rows_of(lake, INGEST_FILES, entity=_ENTITY, stream=stream)
    latest = {row["path"]: row for row in sorted(rows, key=lambda row: row["batch"])}
    versions = {path: ingest_log.version_of(row) for path, row in latest.items()}
    return unread(delivery.files.get(USERS.entity, ()), versions)


def _read_names(
    by_spark: SparkFiles, tasks: Tasks, settings: Settings, files: Sequence[ListedFile], salt: bytes
) -> Done:
    storage = storage_of(settings)
    work = ReadNames(storage, salt, settings.ingest.max_line_bytes)
    if all(storage.opens(file.path) for file in files):  # a wrong file is refused when users are read
        surveyed: Sequence[Surveyed] = survey(tasks, files, storage, USERS, refuse=False)
        parts = parts_of(surveyed, tasks.slots)
        return tasks.run(parts, work, weight=lambda part: part.cost, named=named_part)
    lines = by_spark.put_lines_down(tasks, files)
    return tasks.run(lines, work.judge_lines, weight=lambda file: file.size, named=lambda file: file.place)


def _record(lake: Lake, delivery: Delivery, stream: str, ingest_id: int, files: Sequence[ListedFile]) -> None:
    last = lake.txn_version(INGEST_FILES.name, stream) if lake.exists(INGEST_FILES.name) else None
    stamp = {"ingest_id": ingest_id, "entity": _ENTITY, "delivery": delivery.root, "generation": 0}
    rows = [file_row(file, rows=0, content_hash=None) for file in files]
    ingest_log.record_files(lake, stamp, Txn(stream, 0 if last is None else last + 1), rows)
