"""The lake's rows into the online store: of each view what changed since it was last written, or all."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from pozytywka_spark.config import Settings
from pozytywka_spark.errors import DataError, require
from pozytywka_spark.featurestore.declared import declared_of
from pozytywka_spark.featurestore.lake_side import table_now
from pozytywka_spark.featurestore.load import SKIPPED, UNCHANGED, Load, Loaded
from pozytywka_spark.featurestore.online import check_reached, record_in, target_of
from pozytywka_spark.featurestore.services import write_services
from pozytywka_spark.featurestore.state import month_of, record_now, whole_reason
from pozytywka_spark.featurestore.stores import Store
from pozytywka_spark.featurestore.stores.opening import is_local
from pozytywka_spark.featurestore.target import Target
from pozytywka_spark.featurestore.views import View
from pozytywka_spark.lake.api import Lake


def materialize(
    settings: Settings, lake: Lake, *, views: Sequence[str] = (), full: bool = False
) -> list[Loaded]:
    """Bring the online store up to date with the lake: of the named views, or of all whose tables are there.

    Of all keys in the files that came or went since the last time the newest row is looked up and written, or
    the key deleted when none is left; with `full`, or where it can't be known what changed, of all keys. A
    view is recorded once it is whole: killed and run again, the result is the same. Raises `UsageError` for a
    name that is no view or an LMDB store on a cluster, `DataError` for a named view without its table,
    `StoreError` for a store that doesn't answer, or when another load or sweep of the view began meanwhile.
    """
    require("featurestore")
    declared = declared_of(settings, lake)
    asked = [declared.view(name) for name in views] or list(declared.views.values())
    target = target_of(settings)
    if is_local(target.address):
        with lake.tasks() as tasks:
            check_reached(target, tasks)
    loaded = []
    with target.open(create=True) as store:
        for view in asked:
            if lake.exists(view.table):
                loaded.append(_load(settings, lake, store, target, view, full=full))
            elif views:
                raise DataError(
                    f"view {view.name}: table {view.table} is not in {lake.root}: run the job that makes it"
                )
            else:
                loaded.append(Loaded(view.name, SKIPPED, note=f"there is no table {view.table} yet"))
        write_services(store, declared)
    return loaded


def _load(settings: Settings, lake: Lake, store: Store, target: Target, view: View, *, full: bool) -> Loaded:
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
    target = replace(target, epoch=store.begin(view.name))
    record = record_in(store, view.name)
    now = table_now(settings, lake, view)
    reason = whole_reason(record, now, asked=full)
    with lake.tasks() as tasks:
        return Load(settings, lake, tasks, store, target, view, now).run(record, reason)
