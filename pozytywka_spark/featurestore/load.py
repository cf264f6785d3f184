"""Views on their way into the online store."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import date
from functools import partial
from typing import TYPE_CHECKING

from pozytywka_spark.config import Settings
from pozytywka_spark.errors import DataError
from pozytywka_spark.featurestore.lake_side import Files, files_of
from pozytywka_spark.featurestore.materialize_work import (
    Job,
    Source,
    Whole,
    gather,
    settle,
    settle_whole,
    write_rows,
)
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
    """A view as its table stands, to be brought from what the store's record says; under one epoch.

    `reason`: why everything must be read, empty where what changed since the record is enough.
    """

    settings: Settings
    lake: Lake
    tasks: Tasks
    store: Store
    target: Target
    view: View
    now: TableNow
    record: ViewRecord | None
    reason: str

    def begin(self) -> Begun:
        """What is to be read. A full load is noted in the store before anything of it is written."""
        record, reason = self.record, self.reason
        changes = Changes(0, self.now.version)
        if record is not None and not reason:
            changes = self._changes(record)
            reason = changes.gone
        files = self._files() if reason or changes.files else None
        last_month = files.last_month if files else month_of(record)
        if record is not None and not reason and _all_have_newer(self.view, record, last_month):
            reason = "every key has a row of the table's new last month"
        if files is None:
            return Begun(self, reason, last_month)
        if reason and record is not None:
            # half a full load is no state that changes can be added to: who comes next begins again
            begun = replace(record, notes={**record.notes, UNFINISHED: reason})
            self.store.set_meta(self.view.name, begun.plain(), self.target.epoch)
        job = job_of(self.settings, self.view, self.now, self.target, files, full=bool(reason))
        self.store.declare(job.schema, self.target.epoch)
        changed = [Source(file, changed=True) for file in self._own(changes)]
        return Begun(self, reason, last_month, job, (*map(Source, files.files), *changed))

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


@dataclass(frozen=True)
class Begun:
    """A view whose keys are to be brought: by `job` from `sources`, or, without a job, from nothing."""

    load: Load
    reason: str
    last_month: date | None
    job: Job | None = None
    sources: tuple[Source, ...] = ()

    def finish(self, written: int, deleted: int) -> Loaded:
        """Record the view, which is whole now."""
        load, record = self.load, self.load.record
        notes = record.notes if record else {}
        finished = record_now(
            load.settings, load.view, load.now, self.last_month, notes, whole=bool(self.reason)
        )
        load.store.set_meta(load.view.name, finished.plain(), load.target.epoch)
        since = record.table_version if record else None
        return Loaded(load.view.name, LOADED, written, deleted, since, load.now.version, self.reason)


def bring(begun: Sequence[Begun], tasks: Tasks) -> dict[str, tuple[int, int]]:
    """By view, keys written and deleted: views of one slice in one job, others one after another."""
    jobs = [(each, each.job) for each in begun if each.job is not None]
    small = [Whole(job, each.sources) for each, job in jobs if job.slices == 1]
    settled = tasks.run(small, settle_whole, weight=size_of, named=name_of)
    counts = {line["view"]: (line["keys"], line["deleted"]) for line in settled.results}
    for each, job in jobs:
        brought = settled if job.slices == 1 else _by_slices(job, each.sources, tasks)
        if job.slices > 1:
            sums = [sum(line[name] for line in brought.results) for name in ("keys", "deleted")]
            counts[job.view.name] = (sums[0], sums[1])
        if job.wide:
            _write_wide(job, brought, counts[job.view.name][0], each.load)
    return counts


def _by_slices(job: Job, sources: Sequence[Source], tasks: Tasks) -> Done:
    of_store = [Source(None)] if job.full else []
    gathered = tasks.run([*sources, *of_store], partial(gather, job), weight=size_of, named=name_of)
    return tasks.run(slices_of(gathered), partial(settle, job), weight=size_of, named=name_of)


def _write_wide(job: Job, settled: Done, keys: int, load: Load) -> None:
    chosen = chosen_files(load.lake, load.tasks, job, load.now, settled)
    done = load.tasks.run(chosen, partial(write_rows, job), weight=size_of_chosen, named=name_of)
    written = sum(line["written"] for line in done.results)
    if written < keys:
        raise DataError(
            f"view {job.view.name}: of {keys:,} newest rows {written:,} were found again in table "
            f"{job.view.table}: it was changed by other than this project's jobs; run it again"
        )


def _all_have_newer(view: View, record: ViewRecord, last_month: date | None) -> bool:
    """Whether keys that no file names have another newest row, since the table's last month is another."""
    return view.made == "trailing plays" and record.notes.get(LAST_MONTH) != month_text(last_month)
