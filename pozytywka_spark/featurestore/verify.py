"""Is the online store what the lake says, bit for bit: each view at the version that was loaded."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from itertools import pairwise

from pozytywka_spark.config import Settings
from pozytywka_spark.errors import LakeError, StoreError, require
from pozytywka_spark.featurestore.declared import declared_of
from pozytywka_spark.featurestore.differences import Difference
from pozytywka_spark.featurestore.lake_side import Files, definition_of, files_of
from pozytywka_spark.featurestore.materialize_work import Source
from pozytywka_spark.featurestore.online import check_reached, record_in, target_of
from pozytywka_spark.featurestore.plan import (
    chosen_files,
    job_of,
    name_of,
    size_of,
    size_of_chosen,
    slices_of,
)
from pozytywka_spark.featurestore.record import SERVICES, ViewRecord
from pozytywka_spark.featurestore.services import plain_services
from pozytywka_spark.featurestore.state import (
    DEFINITION,
    IDENTITY,
    MODEL,
    SWEPT,
    UNFINISHED,
    VERSIONS,
    TableNow,
    record_now,
)
from pozytywka_spark.featurestore.stores import Store
from pozytywka_spark.featurestore.target import Target
from pozytywka_spark.featurestore.verify_work import (
    ChangedAt,
    Check,
    compare_rows,
    gather_to_check,
    settle_to_check,
)
from pozytywka_spark.featurestore.views import View
from pozytywka_spark.lake.api import Lake
from pozytywka_spark.lake.tasks import Done, Tasks

_SHOWN = 100  # of a view, one by one


@dataclass(frozen=True)
class Verified:
    """What a view's comparison came to: keys compared, differences by kind, the first of them one by one.

    `version` of the table that it was compared at; `note`: why nothing was compared.
    """

    view: str
    compared: int
    kinds: Mapping[str, int]
    shown: Sequence[Difference]
    version: int | None = None
    note: str = ""

    @property
    def differences(self) -> int:
        """All of them."""
        return sum(self.kinds.values())


def verify(
    settings: Settings, lake: Lake, *, views: Sequence[str] = (), sample: int | None = None
) -> list[Verified]:
    """Hold each stored view against its table as it was loaded: keys, moments, nulls, every number's bits.

    `sample`: about so many keys of each view, the same ones each time; all without. A table's newer versions
    are no difference (`status` tells of them). Raises `UsageError` for a name that is no view, `LakeError`
    where the loaded version can't be read any more, `StoreError` for a store that doesn't answer.
    """
    require("featurestore")
    declared = declared_of(settings, lake)
    asked = [declared.view(name) for name in views] or list(declared.views.values())
    target = target_of(settings)
    with target.open() as store, lake.tasks() as tasks:
        check_reached(target, tasks)
        verified = [_verify(settings, lake, tasks, store, target, view, sample) for view in asked]
        if store.get_note(SERVICES) != plain_services(declared):
            detail = "what the store says of them isn't what is declared: materialize writes it anew"
            verified.append(_of([Difference("", "", "services", detail)], "services"))
    return verified


def _verify(
    settings: Settings,
    lake: Lake,
    tasks: Tasks,
    store: Store,
    target: Target,
    view: View,
    sample: int | None,
) -> Verified:
    try:
        record = record_in(store, view.name)
        schemas = store.schemas(view.name)
    except StoreError as error:
        return _of([Difference(view.name, "", "record", str(error))], view.name)
    if record is None:
        strays = next((len(keys) for keys in store.scan_keys(view.name) if keys), 0)
        if strays:
            detail = f"{strays:,} keys or more are stored, and no record of the view"
            return _of([Difference(view.name, "", "record", detail)], view.name)
        return Verified(view.name, 0, {}, (), note="not materialised")
    model = record.notes.get(MODEL)
    now = TableNow(
        record.table_version,
        str(record.notes.get(IDENTITY)),
        definition_of(settings, view, tuple(model) if model else None),
        tuple(model) if model else None,
    )
    whole = list(_of_record(lake, view, record, now))
    if whole:
        return _of(whole, view.name)
    job = job_of(settings, view, now, target)
    files = files_of(lake, tasks, view, now, job.columns)
    job = job_of(settings, view, now, target, files)
    expected = record_now(settings, view, now, files.last_month, record.notes, whole=False)
    whole = list(_fields(record, expected))
    if schemas.get(job.schema.id) != job.schema:
        whole.append(Difference(view.name, "", "schema", "the store doesn't name the schema of its values"))
    versions = tuple(record.notes.get(VERSIONS, ()))
    check = Check(job, _share(sample, files), versions, int(record.notes.get(SWEPT, 0)))
    return _compared(lake, tasks, check, now, files, whole)


def _of_record(lake: Lake, view: View, record: ViewRecord, now: TableNow) -> Iterator[Difference]:
    """Why there is nothing to compare with."""
    if record.notes.get(UNFINISHED):
        yield Difference(view.name, "", "record", "a full load was interrupted: run materialize again")
    if not lake.exists(view.table):
        yield Difference(view.name, "", "record", f"table {view.table} is not in the lake")
    elif lake.identity(view.table) != now.identity:
        yield Difference(view.name, "", "record", f"table {view.table} was made anew since: materialize")
    elif not 0 <= record.table_version <= lake.version(view.table):
        detail = f"version {record.table_version} of table {view.table} was loaded, and there is none"
        yield Difference(view.name, "", "record", detail)
    elif record.table_version not in record.notes.get(VERSIONS, ()):
        detail = f"version {record.table_version} isn't among those that were loaded"
        yield Difference(view.name, "", "record", detail)
    if record.notes.get(DEFINITION) != now.definition:
        detail = "the view, its delay or its columns are others than those that were loaded: materialize"
        yield Difference(view.name, "", "record", detail)


def _fields(record: ViewRecord, expected: ViewRecord) -> Iterator[Difference]:
    ours, theirs = expected.plain(), record.plain()
    for name in ours:
        if ours[name] != theirs[name] and name != "notes":
            detail = f"{name} is {theirs[name]!r:.80}, expected {ours[name]!r:.80}"
            yield Difference(record.view, "", "record", detail)


def _share(sample: int | None, files: Files) -> float:
    """Of all keys; there are at least as many rows."""
    return 1.0 if sample is None or not files.rows else sample / files.rows


def _compared(
    lake: Lake, tasks: Tasks, check: Check, now: TableNow, files: Files, whole: Sequence[Difference]
) -> Verified:
    job = check.job
    sources: list[Source | ChangedAt] = [Source(file) for file in files.files]
    sources += [Source(None), *_changed(lake, tasks, check)]
    gathered = tasks.run(sources, partial(gather_to_check, check), weight=_size, named=_name)
    slices = slices_of(gathered)
    settled = tasks.run(slices, partial(settle_to_check, check), weight=size_of, named=name_of)
    done = [settled]
    if job.wide:
        chosen = chosen_files(lake, tasks, job, now, settled)
        work = partial(compare_rows, check)
        done.append(tasks.run(chosen, work, weight=size_of_chosen, named=name_of))
    return _summed(job.view.name, now.version, whole, done)


def _changed(lake: Lake, tasks: Tasks, check: Check) -> Iterator[ChangedAt]:
    """What came and went between one load and the next: those keys were looked up again."""
    job = check.job
    for since, until in pairwise(check.versions):
        try:
            changes = lake.changes(job.view.table, since, tasks, [job.view.key], until=until)
        except LakeError:  # of before the log's clean-up
            continue
        model = job.reading.model
        mine = None if model is None else (None, model[1])
        for file in changes.files:
            if mine is None or file.partition.get("model_version") in mine:
                yield ChangedAt(file, until)


def _summed(view: str, version: int, whole: Sequence[Difference], done: Sequence[Done]) -> Verified:
    lines = [line for each in done for line in each.results]
    kinds = Counter(each.kind for each in whole)
    for line in lines:
        kinds.update(line["kinds"])
    shown = [*whole, *(Difference(**each) for line in lines for each in line["shown"])]
    compared = sum(line["compared"] for line in lines)
    return Verified(view, compared, dict(kinds), tuple(shown[:_SHOWN]), version)


def _of(found: Sequence[Difference], view: str) -> Verified:
    return Verified(view, 0, dict(Counter(each.kind for each in found)), tuple(found))


def _size(source: Source | ChangedAt) -> int:
    return max(1, source.file.size if source.file else 1)


def _name(source: Source | ChangedAt) -> str:
    return source.file.place if source.file else "keys of the store"
