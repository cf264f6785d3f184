"""Track storage: classes and their cost."""

from __future__ import annotations

from pozytywka_spark.ingest.validate.rules import kinds
from pozytywka_spark.ingest.validate.rules.common import beyond, first, needed
from pozytywka_spark.ingest.validate.rules.identifiers import text_id
from pozytywka_spark.ingest.validate.rules.verdict import Broken, Entity, Judging, Meaning, Row
from pozytywka_spark.names import STORAGE_CLASSES

BOUNDS = {"daily_cost": (0, 1_000_000)}


def meaning(row: Row, _: Judging, __: str | None) -> Meaning:
    """Silver columns of a track's storage, and the rule that the row breaks."""
    notes: list[str] = []
    track = text_id(row.get("track_id"), "track_id", notes)
    storage, cost = storage_class(row.get("storage_class")), row.get("daily_cost")
    broken = first(
        needed("track_id", track),
        None if storage in STORAGE_CLASSES else _unknown_class(),
        beyond(row, BOUNDS),
    )
    return Meaning((track, storage, cost), broken, notes)


def storage_class(raw: str | None) -> str | None:
    """The class in capitals, without blanks around it."""
    return raw if raw is None else raw.strip(" ").upper()


def _unknown_class() -> Broken:
    return Broken("unknown_storage_class", f"storage_class: one of {', '.join(STORAGE_CLASSES)}")


_FIELDS = {"track_id": kinds.text, "storage_class": kinds.text, "daily_cost": kinds.number}
RULES = Entity("track_storage", _FIELDS, ("track_id",), tuple(_FIELDS), meaning)
