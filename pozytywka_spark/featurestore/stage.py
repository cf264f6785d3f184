"""The lake's rows into the online store: of each view what changed since it was last written, or all."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

from pozytywka_spark.config import Settings
from pozytywka_spark.errors import DataError, require
from pozytywka_spark.featurestore.declared import declared_of
from pozytywka_spark.featurestore.lake_side import table_now
from pozytywka_spark.featurestore.load import SKIPPED, UNCHANGED, Begun, Load, Loaded, bring
from pozytywka_spark.featurestore.online import check_reached, record_in, target_of
from pozytywka_spark.featurestore.services import write_services
from pozytywka_spark.featurestore.state import month_of, record_now, whole_reason
from pozytywka_spark.featurestore.stores import Store
from pozytywka_spark.featurestore.stores.opening import is_local
from pozytywka_spark.featurestore.target import Target
from pozytywka_spark.featurestore.views import View
from pozytywka_spark.lake.api import Lake
from pozytywka_spark.lake.tasks import Tasks


def materialize(
    settings: Settings, lake: Lake, *, views: Sequence[str] = (), full: bool = False
) -> list[Loaded]:
    """Bring the online store up to date with the lake: of the named views, or of all whose tables are there.

    Of all keys in the files that came or went since the last time the newest row is looked up and written, or
    the key deleted when none is left; with `full`, or where it can't be known what changed, of all keys.
    Views are recorded once all are whole: killed and run again, the result is the same. Raises `UsageError`
    for a name that is no view or an LMDB store on a cluster, `DataError` for a named view without its table,
    `StoreError` for a store that doesn't answer, or when another load or sweep of the view began meanwhile.
    """
    require("featurestore")
    declared = declared_of(settings, lake)
    asked = [declared.view(name) for name in views] or list(declared.views.values())
    target = target_of(settings)
    with lake.tasks() as tasks, _opened(target, tasks) as store:
        opened = _Opened(settings, lake, tasks, store, target)
        begun = [_begin(opened, view, full=full, named=bool(views)) for view in asked]
        counts = bring([each for each in begun if isinstance(each, Begun)], tasks)
        loaded = [
            each if isinstance(each, Loaded) else each.finish(*counts.get(each.load.view.name, (0, 0)))
            for each in begun
        ]
        write_services(store, declared)
    return loaded


@dataclass(frozen=True)
class _Opened:
    """What all views of a load have in common."""

    settings: Settings
    lake: Lake
    tasks: Tasks
    store: Store
    target: Target


def _opened(target: Target, tasks: Tasks) -> Store:
    if is_local(target.address):
        check_reached(target, tasks)
    return target.open(create=True)


def _begin(opened: _Opened, view: View, *, full: bool, named: bool) -> Begun | Loaded:
    """A view that must be brought, or what there is to say of one that mustn't."""
    settings, lake, store = opened.settings, opened.lake, opened.store
    if not lake.exists(view.table):
        if named:
            raise DataError(
                f"view {view.name}: table {view.table} is not in {lake.root}: run the job that makes it"
            )
        return Loaded(view.name, SKIPPED, note=f"there is no table {view.table} yet")
    record = record_in(store, view.name)
    now = table_now(settings, lake, view)
    reason = whole_reason(record, now, asked=full)
    if record is not None and not reason and record.table_version == now.version:
        as_declared = record_now(settings, view, now, month_of(record), record.notes, whole=False)
        as_declared = replace(as_declared, notes=record.notes)  # those are of the load that wrote the values
        if record != as_declared:
            store.set_meta(view.name, as_declared.plain(), store.begin(view.name))
        return Loaded(view.name, UNCHANGED, since=now.version, version=now.version)
    # first the epoch, then the version: whoever began later has what is as new or newer
    target = replace(opened.target, epoch=store.begin(view.name))
    record = record_in(store, view.name)
    now = table_now(settings, lake, view)
    reason = whole_reason(record, now, asked=full)
    return Load(settings, lake, opened.tasks, store, target, view, now, record, reason).begin()
