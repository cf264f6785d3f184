"""Columns that were declared since a table was made are added to it, null in the rows it has."""

from __future__ import annotations

from deltalake import DeltaTable

from pozytywka_spark.errors import LakeError
from pozytywka_spark.lake import types
from pozytywka_spark.lake.delta_rs import log
from pozytywka_spark.lake.delta_rs import supported_features as guard
from pozytywka_spark.schemas import Table

_TRIES = 3


def grown(path: str, table: Table, options: dict[str, str] | None, *, replaces: bool) -> DeltaTable | None:
    """The latest snapshot, with all declared columns; None if there is no table. Raises as `grow`."""
    delta = log.open_table(path, options)
    if delta is not None and grow(delta, table, replaces=replaces) is not None:
        return log.open_table(path, options)
    return delta


def grow(delta: DeltaTable, table: Table, *, replaces: bool = False) -> int | None:
    """Add what the table in the lake lacks; None if that is nothing.

    Raises `LakeError` if the two differ in anything else, or what is new must not be null.
    """
    for attempt in range(_TRIES):
        guard.check_writable(table.name, delta, replaces=replaces)
        existing, by = types.to_spark(delta.schema()), delta.metadata().partition_columns
        new = types.lacking(table, existing, by)
        if not new.fields:
            return None
        try:
            return log.add_columns(delta, table.name, types.as_delta(new))
        except LakeError:  # another writer was faster, perhaps with the same columns
            if attempt == _TRIES - 1:
                raise
            delta.update_incremental()
    return None
