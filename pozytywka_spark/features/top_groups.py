"""The group of genres that a user plays most, in words: features hold its code."""

from __future__ import annotations

from pozytywka_spark.hashing.codes import code_of
from pozytywka_spark.lake.api import Lake
from pozytywka_spark.names import TOP_GROUP
from pozytywka_spark.schemas import GENRE_GROUPS


def group_names(lake: Lake, table: str = "features") -> dict[int, str]:
    """The name of each group by its code; none of a lake whose table (features, user_month) has no codes.

    Groups keep their ids through refits: the code of one that is gone has no name.
    """
    schema = lake.schema(table)
    if schema is None or TOP_GROUP not in schema.names or not lake.exists(GENRE_GROUPS.name):
        return {}
    rows = lake.rows(GENRE_GROUPS.name, ["group_id", "group"]).group_by(["group_id", "group"]).aggregate([])
    return {code_of(row["group_id"]): row["group"] for row in rows.to_pylist() if row["group_id"]}
