"""Allowed names of tables and columns, and their places."""

from __future__ import annotations

import re
from collections.abc import Sequence

from pyspark.sql import types as T

from pozytywka_spark.errors import LakeError
from pozytywka_spark.schemas import Table

_TABLE_NAME = re.compile(r"[a-z][a-z0-9_]{0,99}")
_FORBIDDEN_IN_COLUMNS = set(" ,;{}()\n\t=")

# Types whose text in the log and in a folder's name is the same for every engine.
_PARTITION_TYPES = (
    T.StringType,
    T.ByteType,
    T.ShortType,
    T.IntegerType,
    T.LongType,
    T.BooleanType,
    T.DateType,
)


def table_path(root: str, name: str) -> str:
    """The folder of table `name`; raises `LakeError` for a name that could leave the root."""
    if not _TABLE_NAME.fullmatch(name):
        raise LakeError(f"table name {name!r}: expected lower-case letters, digits and _, a letter first")
    return f"{root.rstrip('/')}/{name}"


def check_declaration(table: Table) -> None:
    """Raise `LakeError` if no engine could hold `table` as it is declared."""
    lowered = [name.lower() for name in table.columns]
    twice = sorted({name for name in lowered if lowered.count(name) > 1})
    if twice:
        raise LakeError(f"table {table.name}: columns that differ in case only: {', '.join(twice)}")
    odd = [name for name in table.columns if not name or _FORBIDDEN_IN_COLUMNS & set(name)]
    if odd:
        raise LakeError(
            f"table {table.name}: column {odd[0]!r}: Delta without column mapping allows none of "
            "' ,;{}()=', tab and line end"
        )
    _known(table, "partition", table.partition_by)
    for name in table.partition_by:
        kind = table.schema[name].dataType
        if not isinstance(kind, _PARTITION_TYPES):
            raise LakeError(
                f"table {table.name}: partition column {name} is {kind.simpleString()}; "
                "expected a string, whole number, boolean or date"
            )
    if set(table.partition_by) >= set(table.columns):
        raise LakeError(
            f"table {table.name}: every column is a partition column; a file needs at least one other"
        )


def check_keys(table: Table, keys: Sequence[str]) -> None:
    """Raise `LakeError` if `keys` can't identify a row of `table`."""
    if not keys:
        raise LakeError(f"table {table.name}: an upsert needs key columns, and the table declares none")
    _known(table, "key", keys)


def _known(table: Table, what: str, names: Sequence[str]) -> None:
    unknown = [name for name in names if name not in table.columns]
    if unknown:
        raise LakeError(
            f"table {table.name}: {what} column {unknown[0]} is not there; it has {', '.join(table.columns)}"
        )
