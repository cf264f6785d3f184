"""The condition by which Delta's classes find the partitions to replace."""

from __future__ import annotations

from collections.abc import Sequence

from pozytywka_spark.lake import partitions
from pozytywka_spark.schemas import Table


def predicate(table: Table, named: Sequence[partitions.Rendered]) -> str:
    """`replaceWhere` takes text only; every value is quoted and cast to its column's type."""

    def term(name: str, value: str | None) -> str:
        if value is None:
            return f"`{name}` IS NULL"
        quoted = "'" + value.replace("\\", "\\\\").replace("'", "\\'") + "'"
        kind = table.schema[name].dataType.simpleString()
        return f"`{name}` = " + (quoted if kind == "string" else f"CAST({quoted} AS {kind})")

    return " OR ".join("(" + " AND ".join(term(*item) for item in one.items()) + ")" for one in named)
