"""Which Delta features the delta-rs engine honours; all others are refused by name, never ignored."""

from __future__ import annotations

import pyarrow as pa
from deltalake import DeltaTable

from pozytywka_spark.errors import LakeError
from pozytywka_spark.lake.types import to_spark

# Parquet bytes of such a table mean what they say, without decoding.
_READ = frozenset({"timestampNtz", "v2Checkpoint", "vacuumProtocolCheck"})
# These name what a writer must keep; the last four only if the table really uses them.
_IF_UNUSED = frozenset({"invariants", "checkConstraints", "changeDataFeed", "generatedColumns"})
_WRITE = _READ | {"appendOnly"} | _IF_UNUSED


def check_readable(name: str, table: DeltaTable) -> None:
    """Raise `LakeError` naming each feature that plain Parquet reading would get wrong."""
    _refuse(name, "read", _unreadable(table))


def check_writable(name: str, table: DeltaTable, *, replaces: bool) -> None:
    """Raise `LakeError` naming each feature that writing would break; `replaces`: rows go, too."""
    protocol, configuration = table.protocol(), table.metadata().configuration
    refused = _unreadable(table) | (set(protocol.writer_features or ()) - _WRITE)
    if "deletionVectors" in set(protocol.reader_features or ()):
        refused.add("deletionVectors")
    refused |= {key for key in configuration if key.startswith("delta.constraints.")}
    if configuration.get("delta.enableChangeDataFeed") == "true":
        refused.add("changeDataFeed")
    if replaces and configuration.get("delta.appendOnly") == "true":
        refused.add("appendOnly")
    refused |= {
        key
        for field in to_spark(table.schema())
        for key in (field.metadata or {})
        if key in ("delta.invariants", "delta.generationExpression")
    }
    _refuse(name, "write", refused)


def _unreadable(table: DeltaTable) -> set[str]:
    refused = set(table.protocol().reader_features or ()) - _READ
    if "deletionVectors" in refused and pa.table(table.deletion_vectors()).num_rows == 0:
        refused.discard("deletionVectors")  # allowed in the table, used by no file of this version
    if table.metadata().configuration.get("delta.columnMapping.mode", "none") != "none":
        refused.add("columnMapping")
    return refused


def _refuse(name: str, verb: str, features: set[str]) -> None:
    if features:
        raise LakeError(
            f"table {name}: lake.engine=delta-rs can't {verb} a table with {', '.join(sorted(features))}; "
            "use lake.engine=delta-spark"
        )
