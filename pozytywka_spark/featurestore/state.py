"""What a store says of a view beside what the lake and the settings say: what is to be done about it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from typing import Any

from pozytywka_spark.featurestore.record import ViewRecord
from pozytywka_spark.featurestore.views import View

# In a record's notes
DEFINITION = "definition"  # names all that decides values but the table's rows
IDENTITY = "identity"  # of the table
LAST_MONTH = "last_month"  # of the table, empty for one without months
UNFINISHED = "unfinished"  # why a full load that began was to be one; empty once it is whole
VERSIONS = "versions"  # of the table that were ever loaded since the last full load: values name one of these
SWEPT = "swept"  # microseconds: keys that had expired then may have been removed
MODEL = "model"  # name and version, of a view of the champion's
KEPT_VERSIONS = 10_000


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
        VERSIONS: sorted({*versions[-KEPT_VERSIONS:], now.version}),
        SWEPT: 0 if whole else before.get(SWEPT, 0),
        MODEL: list(now.model) if now.model else None,
    }


def micros_of(days: int | None) -> int | None:
    """Days as microseconds."""
    return None if days is None else days * 86_400_000_000


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
