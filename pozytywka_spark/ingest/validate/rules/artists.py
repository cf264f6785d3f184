"""Artists."""

from __future__ import annotations

from pozytywka_spark.ingest.validate.rules import kinds
from pozytywka_spark.ingest.validate.rules.common import needed
from pozytywka_spark.ingest.validate.rules.identifiers import text_id
from pozytywka_spark.ingest.validate.rules.verdict import Entity, Judging, Meaning, Row


def meaning(row: Row, _: Judging, __: str | None) -> Meaning:
    """Silver columns of an artist, and the rule that the row breaks."""
    notes: list[str] = []
    artist = text_id(row.get("id"), "id", notes)
    return Meaning((artist, row.get("name"), row.get("genres")), needed("id", artist), notes)


_FIELDS = {"id": kinds.text, "name": kinds.text, "genres": kinds.texts}
RULES = Entity("artists", _FIELDS, ("id",), tuple(_FIELDS), meaning)
