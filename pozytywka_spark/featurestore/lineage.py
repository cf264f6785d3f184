"""Where one online value comes from: the version of the table that holds it, and what that was made from."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from datetime import date
from typing import Any

from pozytywka_spark.config import Settings
from pozytywka_spark.errors import DataError, LakeError, UsageError, require
from pozytywka_spark.featurestore.codec import unpack
from pozytywka_spark.featurestore.declared import declared_of
from pozytywka_spark.featurestore.lake_side import definition_of, files_of, reading_of
from pozytywka_spark.featurestore.lineage_work import FOUND, FindKey
from pozytywka_spark.featurestore.online import record_in, target_of
from pozytywka_spark.featurestore.record import ViewRecord
from pozytywka_spark.featurestore.rows import KNOWN_AT, frame_of, month_known, needed, newest, same_bits
from pozytywka_spark.featurestore.state import CODES, IDENTITY, MODEL, TableNow
from pozytywka_spark.featurestore.views import View
from pozytywka_spark.lake.api import Lake
from pozytywka_spark.lake.tasks import Tasks
from pozytywka_spark.schemas import INGESTS

# What each table is made from; those without an entry are ingest's own
MADE_FROM: Mapping[str, tuple[str, ...]] = {
    "predictions": ("features",),
    "features": ("user_month", "events", "users", "tracks", "artists", "track_storage"),
    "track_plays": ("events",),
}


@dataclass(frozen=True)
class Lineage:
    """One value and where it comes from. `status` of its table's version: whether that holds the same bits.

    `sources`: the versions that the tables it was made from had when the table's version was committed;
    `ingests`: those that brought events of its month. `code_hash`: of the code that loaded it.
    """

    view: str
    key: str
    feature: str
    value: float | None
    known_at: int
    table: str
    table_version: int
    holds: bool
    month: str
    sources: Mapping[str, int]
    catalogue_hash: str
    code_hash: str
    model: str
    ingests: Sequence[Mapping[str, Any]]

    def plain(self) -> dict[str, Any]:
        """As JSON."""
        return asdict(self)


def lineage(settings: Settings, lake: Lake, *, view: str, key: str, feature: str) -> Lineage:
    """Trace a stored value. Its table is read again at the version that it names.

    Raises `UsageError` for a view or feature that is none, `DataError` for a key that isn't stored,
    `LakeError` if that version was vacuumed.
    """
    require("featurestore")
    shown = declared_of(settings, lake).view(view)
    if feature not in shown.names:
        raise UsageError(f"view {view} has no column {feature}; featurestore views lists them")
    with target_of(settings).open() as store:
        record = record_in(store, view)
        (stored,) = store.get_many(view, [key])
        schemas = store.schemas(view)
    if record is None or stored is None:
        raise DataError(f"view {view}: key {key} is not in the online store; run materialize if it should be")
    rows = unpack([stored], schemas, (feature,))
    value = None if bool(rows.nulls[0, 0]) else float(rows.values[0, 0])
    known, version = int(rows.known_at[0]), int(rows.version[0])
    month = month_known(known, settings.featurestore.delay_hours) if shown.by_month else None
    with lake.tasks() as tasks:
        holds = _holds(settings, lake, tasks, shown, record, key, feature, version, (known, value))
    return Lineage(
        view,
        key,
        feature,
        value,
        known,
        shown.table,
        version,
        holds,
        f"{month:%Y-%m}" if month else "",
        _sources(lake, shown.table, version),
        record.catalogue_hash,
        str(record.notes.get(CODES, {}).get(str(version), "")),
        " version ".join(map(str, record.notes.get(MODEL) or ())),
        _ingests(lake, month),
    )


def _holds(
    settings: Settings,
    lake: Lake,
    tasks: Tasks,
    view: View,
    record: ViewRecord,
    key: str,
    feature: str,
    version: int,
    stored: tuple[int, float | None],
) -> bool:
    """Whether the key's newest row in that version of the table is the stored one, by its bits."""
    model = record.notes.get(MODEL)
    named = tuple(model) if model else None
    now = TableNow(version, str(record.notes.get(IDENTITY)), definition_of(settings, view, named), named)
    own = tuple(each for each in view.columns if each.name == feature)
    one = replace(view, columns=own) if view.made == "row" else view
    files = files_of(lake, tasks, view, now, needed(one))
    if not files.files:
        return False
    done = tasks.run(
        files.files, FindKey(one, key), weight=lambda file: max(1, file.size), named=lambda file: file.place
    )
    found = done.of(FOUND)
    if not found:
        return False
    rows = newest(frame_of(one, tasks.fetch(found), version, reading_of(settings, now, files.last_month)))
    return any(
        known == stored[0] and same_bits(value, stored[1])
        for known, value in rows.select(KNOWN_AT, feature).head(1).rows()
    )


def _sources(lake: Lake, table: str, version: int) -> dict[str, int]:
    """The version that each table it is made from had then, and those that they are made from."""
    at = next((each.time for each in lake.history(table) if each.version == version), None)
    found: dict[str, int] = {}
    for name in MADE_FROM.get(table, ()):
        if at is None or not lake.exists(name):
            continue
        earlier = [each.version for each in lake.history(name) if each.time <= at]
        if earlier:
            found[name] = max(earlier)
            found = {**_sources(lake, name, found[name]), **found}
    return found


def _ingests(lake: Lake, month: date | None) -> list[dict[str, Any]]:
    """Those that brought events of the month; of a view without months the last one."""
    try:
        rows = lake.rows(INGESTS.name).to_pylist()
    except LakeError:  # a lake that nothing was ever taken into by ingest
        return []
    if month is None:
        last = max((row["ingest_id"] for row in rows), default=None)
        mine = [row for row in rows if row["ingest_id"] == last and row["entity"] != "events"]
    else:
        mine = [row for row in rows if row["event_month"] == month]
    return [
        {"ingest_id": row["ingest_id"], "delivery": row["delivery"], "rows_added": row["rows_added"]}
        for row in sorted(mine, key=lambda row: (row["ingest_id"], str(row["entity"])))
    ]
