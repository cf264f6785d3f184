"""What a store says of a view beside what the lake and the settings say: what is to be done about it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from typing import Any

from pozytywka_spark.config import Settings
from pozytywka_spark.featurestore.code_hash import code_hash
from pozytywka_spark.featurestore.record import ViewRecord
from pozytywka_spark.featurestore.rows import known_micros
from pozytywka_spark.featurestore.views import View
from pozytywka_spark.months import DAY_MICROS

# In a record's notes
DEFINITION = "definition"  # names all that decides values but the table's rows
IDENTITY = "identity"  # of the table
LAST_MONTH = "last_month"  # of the table, empty for one without months
UNFINISHED = "unfinished"  # why a full load that began was to be one; empty once it is whole
VERSIONS = "versions"  # of the table that were ever loaded since the last full load: values name one of these
SWEPT = "swept"  # microseconds: keys that had expired then may have been removed
MODEL = "model"  # name and version, of a view of the champion's
CODES = "codes"  # by version that was loaded: the hash of the code that did


@dataclass(frozen=True)
class TableNow:
    """A view's table as it is: `model` the champion's name and version, for a view of its rows."""

    version: int
    identity: str
    definition: str
    model: tuple[str, int] | None = None


def whole_reason(record: ViewRecord | None, now: TableNow, *, asked: bool) -> str:
    """Why everything must be read again, in words; empty where what changed is enough."""
    if asked:
        return "it was asked for"
    if record is None:
        return "nothing is stored yet"
    notes = record.notes
    if notes.get(UNFINISHED):
        return "an earlier full load was interrupted"
    if notes.get(IDENTITY) != now.identity:
        return f"table {record.table} was made anew"
    if notes.get(DEFINITION) != now.definition:
        return "the view, its delay or its model is another"
    return ""


def month_text(month: date | None) -> str:
    """As notes have it."""
    return month.isoformat() if month else ""


def notes_of(
    now: TableNow, last_month: date | None, before: Mapping[str, Any], *, whole: bool
) -> dict[str, Any]:
    """The notes of a finished load."""
    versions = [] if whole else list(before.get(VERSIONS, ()))
    return {
        DEFINITION: now.definition,
        IDENTITY: now.identity,
        LAST_MONTH: month_text(last_month),
        UNFINISHED: "",
        VERSIONS: sorted({*versions, now.version}),
        CODES: {**({} if whole else before.get(CODES, {})), str(now.version): code_hash()},
        SWEPT: 0 if whole else before.get(SWEPT, 0),
        MODEL: list(now.model) if now.model else None,
    }


def month_of(record: ViewRecord | None) -> date | None:
    """The table's newest month as a record has it."""
    text = record.notes.get(LAST_MONTH) if record else None
    return date.fromisoformat(text) if text else None


def record_now(
    settings: Settings,
    view: View,
    now: TableNow,
    last_month: date | None,
    notes: Mapping[str, Any],
    *,
    whole: bool,
) -> ViewRecord:
    """What the store is to say of a view once it is as the table; `notes` those of before."""
    newest = known_micros(view, last_month, settings.featurestore.delay_hours) if last_month else 0
    return ViewRecord(
        **names_of(view),
        clock=settings.featurestore.clock,
        newest=newest,
        table_version=now.version,
        catalogue_hash=view.catalogue_hash,
        notes=notes_of(now, last_month, notes, whole=whole),
    )


def micros_of(days: int | None) -> int | None:
    """Days as microseconds."""
    return None if days is None else days * DAY_MICROS


def names_of(view: View) -> dict[str, Any]:
    """What of a view its record says as it is declared."""
    return {
        "view": view.name,
        "entity": view.entity,
        "table": view.table,
        "columns": view.names,
        "number": view.dtype,
        "ttl": micros_of(view.ttl_days),
        "kind": view.kind,
        "owner": view.owner,
    }
