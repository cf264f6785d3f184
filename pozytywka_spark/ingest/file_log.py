"""The book of files done: which of a delivery's files are still to be read, and in which batches.

Which files make a batch is put down before the batch begins. One that was cut short after it had written
anything is made again with the same files under the same transaction; before that, nothing binds it. A file
counts as read when `ingest_files` says so. One ingest at a time, as everywhere.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass

from pozytywka_spark.config import Settings
from pozytywka_spark.errors import DataError
from pozytywka_spark.ingest.ahead import Ahead, Taken
from pozytywka_spark.ingest.batch import Batch, Source, file_row, ingest_batch, read_batch
from pozytywka_spark.ingest.intake import ingest_log
from pozytywka_spark.ingest.intake.ingest_log import Version
from pozytywka_spark.ingest.intake.older_checkpoint import files_of_batch
from pozytywka_spark.ingest.intake.reader import MARK, Surveyed
from pozytywka_spark.ingest.intake.survey import survey
from pozytywka_spark.ingest.intake.unchanged_files import may_be_touched, only_touched
from pozytywka_spark.ingest.intake.wrong_kinds import AGAIN
from pozytywka_spark.ingest.resolve.event_counts import CountedFiles
from pozytywka_spark.ingest.validate.pass_one import JudgedRows
from pozytywka_spark.lake.api import Lake, Txn
from pozytywka_spark.lake.spark_files import SparkFiles, failure_in_words
from pozytywka_spark.lake.storage.filesystem import storage_of
from pozytywka_spark.lake.storage.listed_file import ListedFile
from pozytywka_spark.lake.storage.texts import Texts
from pozytywka_spark.lake.tasks import Tasks
from pozytywka_spark.schemas import INGEST_COUNTS, INGEST_FILES


def source_id(entity: str, delivery: str, generation: int) -> str:
    """Names a source's plans and transactions: the same delivery goes on where it stopped."""
    place = hashlib.sha256(delivery.encode()).hexdigest()[:12]
    return f"{entity}-{place}-{generation}"


@dataclass(frozen=True)
class Book:
    """The batches of one source: an entity of a delivery, in one generation."""

    by_spark: SparkFiles
    lake: Lake
    settings: Settings
    source: Source
    tasks: Tasks
    ahead: Ahead | None = None  # of which files the first batch is being read

    def finish(self, listed: Sequence[ListedFile]) -> bool:
        """Make a batch that was cut short once more, with those of its files that are listed.

        Whether there was one: it has written something, but not which files it read. What it was to read
        was decided then, so no file of it is refused now.
        """
        number = self._cut_short()
        paths = None if number is None else self._planned(number)
        if number is None or paths is None:
            return False
        with in_words(self.source.contract.entity):
            files = self._surveyed([file for file in listed if file.path in paths], refuse=False)
            self._batch(files, number)
        return True

    def is_unfinished(self) -> bool:
        """Whether a batch has written something, but not which files it read."""
        return self._cut_short() is not None

    def read_ahead(self, files: Sequence[ListedFile]) -> Taken:
        """What `take_in` would read first of these files. Raises as it does, in other words."""
        surveyed = self._surveyed(files, refuse=True)
        batch = Batch(
            self.by_spark, self.lake, self.settings, self.source, 0, tuple(surveyed[: self._step(surveyed)])
        )
        return Taken(tuple(surveyed), read_batch(batch, self.tasks))

    def read_new(self, files: Sequence[ListedFile]) -> CountedFiles | None:
        """Read files that were never read, in batches of `ingest.max_files_per_batch`.

        What was counted of the last batch's events, if anything was: parcels of `tasks`.
        Raises the `PozytywkaError` of the batch that failed, or `DataError` naming files that can't be
        read, or that aren't what they should be; then nothing of that batch is written.
        """
        counted = None
        with in_words(self.source.contract.entity):
            ahead = self.ahead if self.ahead and self.ahead.files == tuple(files) else None
            taken = ahead.taken.result() if ahead else None
            surveyed = taken.surveyed if taken else self._surveyed(files, refuse=True)
            number = self._next()
            step = self._step(surveyed)
            for start in range(0, len(surveyed), step):
                batch = surveyed[start : start + step]
                self._plans().write(f"{number}.json", json.dumps([each.file.path for each in batch]))
                counted = self._batch(batch, number, taken.first if taken and not start else None)
                number += 1
        return counted

    def pass_over(self, files: Sequence[ListedFile], read: Mapping[str, Version]) -> frozenset[str]:
        """Put down as read those files that are of another time but hold the bytes that were read before.

        `read`: the versions that the books know. The paths of these files; nothing is read of them again.
        """
        likely, storage = may_be_touched(files, read), storage_of(self.settings)
        if not likely or not all(storage.opens(file.path) for file in likely):
            return frozenset()
        same = only_touched(self.tasks, self._surveyed(likely, refuse=False), read, storage)
        rows = [file_row(file, rows=0, content_hash=same[file.path]) for file in likely if file.path in same]
        if rows:
            number = self._next()
            stamp = self.source.files_stamp()
            ingest_log.record_files(self.lake, stamp, Txn(self.source.stream, number), rows)
        return frozenset(same)

    def _surveyed(self, files: Sequence[ListedFile], *, refuse: bool) -> list[Surveyed]:
        storage = storage_of(self.settings)
        if not all(storage.opens(file.path) for file in files):
            return [Surveyed(file) for file in files]
        return survey(self.tasks, files, storage, self.source.contract, refuse=refuse)

    def _step(self, surveyed: Sequence[Surveyed]) -> int:
        """How many files make a batch."""
        return self.settings.ingest.max_files_per_batch or max(1, len(surveyed))

    def _batch(
        self, files: Sequence[Surveyed], number: int, judged: JudgedRows | None = None
    ) -> CountedFiles | None:
        batch = Batch(self.by_spark, self.lake, self.settings, self.source, number, tuple(files))
        return ingest_batch(batch, self.tasks, judged)

    def _planned(self, number: int) -> frozenset[str] | None:
        """Paths of a batch that was begun, by this version or by one that left it to Spark's file source."""
        plans = self._plans()
        text = plans.read().get(f"{number}.json")
        return files_of_batch(plans, number) if text is None else frozenset(json.loads(text))

    def _plans(self) -> Texts:
        """Which files make a batch: a text a batch, before it begins."""
        folder = f"{self.lake.root}/_checkpoints/{self.source.stream}"
        return self.by_spark.texts(folder, storage_of(self.settings))

    def _cut_short(self) -> int | None:
        """The number of the batch that has written something, but not which files it read."""
        written = self._last(INGEST_COUNTS.name)
        return written if written > self._last(INGEST_FILES.name) else None

    def _next(self) -> int:
        """The number of a batch that nothing was written of."""
        return 1 + max(self._last(INGEST_COUNTS.name), self._last(INGEST_FILES.name))

    def _last(self, table: str) -> int:
        last = self.lake.txn_version(table, self.source.stream)
        return -1 if last is None else last


@contextmanager
def in_words(entity: str) -> Iterator[None]:
    """A file of an entity that can't be read, as one line that names it; any other error as it is."""
    try:
        yield
    except Exception as error:  # Spark's own come in several classes, Py4J's among them
        text = str(error)
        start = text.find(MARK)
        what = failure_in_words(error) if start < 0 else text[start + len(MARK) :].splitlines()[0]
        if what is None:
            raise
        raise DataError(f"{what}; {AGAIN}; nothing of this batch of {entity} was taken in") from error
