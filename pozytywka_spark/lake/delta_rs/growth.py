"""Columns that were declared since a table was made are added to it, null in the rows it has."""

from __future__ import annotations

from deltalake import DeltaTable
from pyspark.sql import types as T

from pozytywka_spark.errors import LakeError
from pozytywka_spark.lake import types
from pozytywka_spark.lake.delta_rs import log
from pozytywka_spark.lake.delta_rs import supported_features as guard
from pozytywka_spark.lake.delta_rs.latest import latest_table
from pozytywka_spark.schemas import Table

_TRIES = 3


def grown(path: str, table: Table, options: dict[str, str] | None, *, replaces: bool) -> DeltaTable | None:
    """The latest snapshot, with all declared columns; None if there is no table. Raises as `grow`."""
    delta = latest_table(path, options)
    if delta is None or not _lacking(delta, table, replaces=replaces).fields:
        return delta
    own = log.open_table(path, options)
    if own is not None:
        grow(own, table, replaces=replaces)
    return latest_table(path, options)


def grow(delta: DeltaTable, table: Table, *, replaces: bool = False) -> int | None:
    """Add what the table in the lake lacks; None if that is nothing.

    Raises `LakeError` if the two differ in anything else, or what is new must not be null.
    """
    for attempt in range(_TRIES):
        new = _lacking(delta, table, replaces=replaces)
        if not new.fields:
            return None
        try:
            return log.add_columns(delta, table.name, types.as_delta(new))
        except LakeError:  # another writer was faster, perhaps with the same columns
            if attempt == _TRIES - 1:
                raise
            delta.update_incremental()
    return None


def _lacking(delta: DeltaTable, table: Table, *, replaces: bool) -> T.StructType:
    """The columns that were declared since. Raises `LakeError` if the two differ in anything else."""
    guard.check_writable(table.name, delta, replaces=replaces)
    return types.lacking(table, types.to_spark(delta.schema()), delta.metadata().partition_columns)
