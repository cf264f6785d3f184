"""Users: names and streets are dropped."""

from __future__ import annotations

from pozytywka_spark.ingest.validate.rules import kinds
from pozytywka_spark.ingest.validate.rules.common import needed
from pozytywka_spark.ingest.validate.rules.identifiers import number_id
from pozytywka_spark.ingest.validate.rules.verdict import Entity, Judging, Meaning, Row


def meaning(row: Row, _: Judging, __: str | None) -> Meaning:
    """Silver columns of a user, and the rule that the row breaks."""
    notes: list[str] = []
    user = number_id(row.get("user_id"), "user_id", notes)
    columns = (user, row.get("city"), row.get("favourite_genres"), row.get("premium_user"))
    return Meaning(columns, needed("user_id", user), notes)


_FIELDS = {
    "user_id": kinds.number_key,
    "city": kinds.text,
    "favourite_genres": kinds.texts,
    "premium_user": kinds.flag,
}
RULES = Entity(
    "users",
    _FIELDS,
    ("user_id",),
    tuple(_FIELDS),
    meaning,
    ignored=("name", "street"),
    safe=tuple(_FIELDS),
)
