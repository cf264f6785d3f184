"""Remove from the online store what has expired; reads don't answer with it anyway."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

from pozytywka_spark.config import Settings
from pozytywka_spark.errors import require
from pozytywka_spark.featurestore.clock import now_micros
from pozytywka_spark.featurestore.codec import headers
from pozytywka_spark.featurestore.declared import declared_of
from pozytywka_spark.featurestore.online import record_in, target_of
from pozytywka_spark.featurestore.state import SWEPT
from pozytywka_spark.featurestore.stores import Store
from pozytywka_spark.months import as_moment


@dataclass(frozen=True)
class Swept:
    """What became of a view: keys that had expired at `now` (UTC, text) and were removed."""

    view: str
    deleted: int
    now: str


def sweep(settings: Settings, *, views: Sequence[str] = ()) -> list[Swept]:
    """Delete the keys whose newest row is older than its view's time to live, by the settings' clock.

    A load that runs meanwhile is ended by it, and does its work when it is run again. Raises `UsageError` for
    a name that is no view, `StoreError` for a store that doesn't answer.
    """
    require("featurestore")
    declared = declared_of(settings)
    asked = [declared.view(name) for name in views] or list(declared.views.values())
    swept = []
    with target_of(settings).open() as store:
        for view in asked:
            record = record_in(store, view.name)
            if record is None or record.ttl is None:
                continue
            now = now_micros(settings.featurestore.clock, record.newest)
            epoch = store.begin(view.name)
            # said before it is done: whoever finds such a key absent knows why
            notes = {**record.notes, SWEPT: max(now, int(record.notes.get(SWEPT, 0)))}
            store.set_meta(view.name, replace(record, notes=notes).plain(), epoch)
            deleted = _sweep(store, view.name, now - record.ttl, epoch)
            swept.append(Swept(view.name, deleted, f"{as_moment(now):%Y-%m-%d %H:%M}"))
    return swept


def _sweep(store: Store, view: str, last: int, epoch: int) -> int:
    """Delete what was known at `last` (microseconds) or before; how many."""
    deleted = 0
    for pairs in store.scan(view):
        known = headers([value for _, value in pairs])["known_at"].tolist()
        expired = [key for (key, _), at in zip(pairs, known, strict=True) if at <= last]
        deleted += store.delete_many(view, expired, epoch) if expired else 0
    return deleted
