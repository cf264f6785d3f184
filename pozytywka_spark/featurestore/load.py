"""One view on its way into the online store."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import date
from functools import partial
from typing import TYPE_CHECKING

from pozytywka_spark.config import Settings
from pozytywka_spark.errors import DataError
from pozytywka_spark.featurestore.lake_side import Files, files_of
from pozytywka_spark.featurestore.materialize_work import Job, Source, gather, settle, write_rows
from pozytywka_spark.featurestore.plan import (
    chosen_files,
    job_of,
    name_of,
    size_of,
    size_of_chosen,
    slices_of,
)
from pozytywka_spark.featurestore.record import ViewRecord
from pozytywka_spark.featurestore.state import (
    LAST_MONTH,
    UNFINISHED,
    TableNow,
    month_of,
    month_text,
    record_now,
)
from pozytywka_spark.featurestore.target import Target
from pozytywka_spark.featurestore.views import View
from pozytywka_spark.lake.api import Lake
from pozytywka_spark.lake.changes import Changes
from pozytywka_spark.lake.shards import DataFile
from pozytywka_spark.lake.tasks import Done, Tasks

if TYPE_CHECKING:
    from pozytywka_spark.featurestore.stores import Store

LOADED, UNCHANGED, SKIPPED = "loaded", "unchanged", "skipped"


@dataclass(frozen=True)
class Loaded:
    """What became of a view: keys written and deleted, the table's versions before and now.

    `why_full`: why everything was read, empty where what changed was; `note`: why it was skipped.
    """

    view: str
    state: str
    written: int = 0
    deleted: int = 0
    since: int | None = None
    version: int | None = None
    why_full: str = ""
    note: str = ""


@dataclass(frozen=True)
class Load:
    """A view as its table stands, to be brought from what the store's record says; under one epoch."""

    settings: Settings
    lake: Lake
    tasks: Tasks
    store: Store
    target: Target
    view: View
    now: TableNow

    def run(self, record: ViewRecord | None, reason: str) -> Loaded:
        """`reason`: why everything must be read, empty where what changed since the record is enough."""
        changes = Changes(0, self.now.version)
        if record is not None and not reason:
            changes = self._changes(record)
            reason = changes.gone
        files = self._files() if reason or changes.files else None
        last_month = files.last_month if files else month_of(record)
        if record is not None and not reason and _all_have_newer(self.view, record, last_month):
            reason = "every key has a row of the table's new last month"
        written = deleted = 0
        if files is not None:
            written, deleted = self._bring(record, reason, files, self._own(changes))
        finished = record_now(
            self.settings, self.view, self.now, last_month, record.notes if record else {}, whole=bool(reason)
        )
        self.store.set_meta(self.view.name, finished.plain(), self.target.epoch)
        since = record.table_version if record else None
        return Loaded(self.view.name, LOADED, written, deleted, since, self.now.version, reason)

    def _changes(self, record: ViewRecord) -> Changes:
        since, until = record.table_version, self.now.version
        return self.lake.changes(self.view.table, since, self.tasks, [self.view.key], until=until)

    def _files(self) -> Files:
        job = job_of(self.settings, self.view, self.now, self.target)
        return files_of(self.lake, self.tasks, self.view, self.now, job.columns)

    def _own(self, changes: Changes) -> tuple[DataFile, ...]:
        """Of the files that came and went those that may hold rows of the view."""
        if self.now.model is None:
            return changes.files
        mine = (None, self.now.model[1])
        return tuple(file for file in changes.files if file.partition.get("model_version") in mine)

    def _bring(
        self, record: ViewRecord | None, reason: str, files: Files, changed: Sequence[DataFile]
    ) -> tuple[int, int]:
        """Keys written and deleted."""
        if reason and record is not None:
            # half a full load is no state that changes can be added to: who comes next begins again
            begun = replace(record, notes={**record.notes, UNFINISHED: reason})
            self.store.set_meta(self.view.name, begun.plain(), self.target.epoch)
        job = job_of(self.settings, self.view, self.now, self.target, files, full=bool(reason))
        self.store.declare(job.schema, self.target.epoch)
        sources = [Source(file) for file in files.files]
        sources += [Source(None)] if job.full else [Source(file, changed=True) for file in changed]
        gathered = self.tasks.run(sources, partial(gather, job), weight=size_of, named=name_of)
        slices = slices_of(gathered)
        settled = self.tasks.run(slices, partial(settle, job), weight=size_of, named=name_of)
        keys = sum(line["keys"] for line in settled.results)
        if job.wide:
            self._write_wide(job, settled, keys)
        return keys, sum(line["deleted"] for line in settled.results)

    def _write_wide(self, job: Job, settled: Done, keys: int) -> None:
        chosen = chosen_files(self.lake, self.tasks, job, self.now, settled)
        done = self.tasks.run(chosen, partial(write_rows, job), weight=size_of_chosen, named=name_of)
        written = sum(line["written"] for line in done.results)
        if written < keys:
            raise DataError(
                f"view {self.view.name}: of {keys:,} newest rows {written:,} were found again in table "
                f"{self.view.table}: it was changed by other than this project's jobs; run it again"
            )


def _all_have_newer(view: View, record: ViewRecord, last_month: date | None) -> bool:
    """Whether keys that no file names have another newest row, since the table's last month is another."""
    return view.made == "trailing plays" and record.notes.get(LAST_MONTH) != month_text(last_month)
