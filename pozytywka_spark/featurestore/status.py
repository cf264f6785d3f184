"""How far the online store is behind the lake, how old its newest rows are, and what it takes."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date

from pozytywka_spark.config import Settings
from pozytywka_spark.errors import require
from pozytywka_spark.featurestore.clock import now_micros
from pozytywka_spark.featurestore.declared import declared_of
from pozytywka_spark.featurestore.lake_side import champion_of
from pozytywka_spark.featurestore.online import record_in, target_of
from pozytywka_spark.featurestore.record import ViewRecord
from pozytywka_spark.featurestore.rows import known_micros
from pozytywka_spark.featurestore.stores import Store
from pozytywka_spark.featurestore.views import View
from pozytywka_spark.lake import partitions
from pozytywka_spark.lake.api import Lake
from pozytywka_spark.months import DAY_MICROS, as_moment

MANY = 50_000_000  # users of a service that has grown
FRESH, BEHIND, STALE, ABSENT, NO_TABLE = "fresh", "behind", "stale", "not stored", "no table"


@dataclass(frozen=True)
class ViewStatus:
    """A view beside its table. `lag`: versions of the table since the one that is stored; `age_days`: of its
    newest row, by the clock, against the promised `fresh_days`; `many_gb`: what 50 million keys would take.
    """

    view: str
    state: str
    keys: int
    bytes_a_key: float
    version: int | None
    table_version: int | None
    newest: str
    age_days: float | None
    fresh_days: int | None

    @property
    def lag(self) -> int | None:
        """Versions behind."""
        if self.version is None or self.table_version is None:
            return None
        return self.table_version - self.version

    @property
    def many_gb(self) -> float:
        """Gigabytes of 50 million keys, in 10^9 bytes."""
        return self.bytes_a_key * MANY / 1e9

    @property
    def is_late(self) -> bool:
        """Whether a promise is broken: rows are too old, or aren't stored though the table is there."""
        return self.state in (STALE, ABSENT)


def status(settings: Settings, lake: Lake, *, views: Sequence[str] = ()) -> list[ViewStatus]:
    """Each view's. Age is by `featurestore.clock`: the lake's newest cut-off is now, or the machine's time.

    Raises `UsageError` for a name that is no view, `StoreError` for a store that doesn't answer.
    """
    require("featurestore")
    declared = declared_of(settings, lake)
    asked = [declared.view(name) for name in views] or list(declared.views.values())
    with target_of(settings).open() as store:
        return [_status(settings, lake, store, view) for view in asked]


def _status(settings: Settings, lake: Lake, store: Store, view: View) -> ViewStatus:
    record, size = record_in(store, view.name), store.size(view.name)
    version = lake.version(view.table) if lake.exists(view.table) else None
    age = None if version is None or record is None else _age_days(settings, lake, view, record)
    stored = record.table_version if record else None
    shown = f"{as_moment(record.newest):%Y-%m-%d %H:%M}" if record and record.newest else ""
    state = _state(view, stored, version, age)
    return ViewStatus(
        view.name, state, size.keys, size.bytes_a_key, stored, version, shown, age, view.fresh_days
    )


def _state(view: View, stored: int | None, version: int | None, age: float | None) -> str:
    if version is None:
        return NO_TABLE
    if stored is None:
        return ABSENT
    if view.fresh_days is not None and age is not None and age > view.fresh_days:
        return STALE
    return FRESH if stored == version else BEHIND


def _age_days(settings: Settings, lake: Lake, view: View, record: ViewRecord) -> float | None:
    """How long before now the newest stored row became known; None of a view of no known time."""
    if not view.by_month:
        return None
    section = settings.featurestore
    last = newest_month(settings, lake, view)
    newest = known_micros(view, last, section.delay_hours) if last else record.newest
    return (now_micros(section.clock, newest) - record.newest) / DAY_MICROS


def newest_month(settings: Settings, lake: Lake, view: View) -> date | None:
    """The newest month that the view's table has rows of, by the names of its files' folders."""
    model = champion_of(settings) if view.champion else None
    folders = [partitions.of_path(file) for file in lake.files(view.table)]
    mine = [each for each in folders if not view.champion or _is_of(each, model)]
    months = [each["month"] for each in mine if each.get("month")]
    return date.fromisoformat(str(max(map(str, months)))) if months else None


def _is_of(folder: partitions.Rendered, model: tuple[str, int] | None) -> bool:
    return model is not None and folder.get("model_version") == str(model[1])
