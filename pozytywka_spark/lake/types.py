"""Spark's schemas and Delta's: the same JSON, but for what Delta doesn't keep."""

from __future__ import annotations

import json
from collections.abc import Sequence
from typing import TYPE_CHECKING

from pyspark.sql import types as T

from pozytywka_spark.errors import LakeError
from pozytywka_spark.schemas import Table

if TYPE_CHECKING:  # tasks cast rows only, and their workers would wait for it
    from deltalake import DeltaTable, Schema


def to_delta(table: Table) -> Schema:
    """The schema that the log gets. Raises `LakeError` for a type that Delta doesn't have."""
    from deltalake import Schema

    try:
        return Schema.from_json(stored(table.schema).json())
    except Exception as error:  # deltalake raises a bare Exception here
        raise LakeError(f"table {table.name}: Delta can't hold its schema: {error}") from error


def as_delta(schema: T.StructType) -> Schema:
    """Stored columns as the log has them."""
    from deltalake import Schema

    return Schema.from_json(schema.json())


def to_spark(schema: Schema) -> T.StructType:
    """A log's schema as Spark reads it."""
    return T.StructType.fromJson(json.loads(schema.to_json()))


def stored(schema: T.StructType) -> T.StructType:
    """`schema` as tables hold it: NOT NULL at the top only, plain strings for char and varchar."""
    return T.StructType([T.StructField(f.name, _stored(f.dataType), f.nullable, f.metadata) for f in schema])


def _stored(kind: T.DataType) -> T.DataType:
    if isinstance(kind, T.StructType):
        return T.StructType([T.StructField(f.name, _stored(f.dataType), True, f.metadata) for f in kind])
    if isinstance(kind, T.ArrayType):
        return T.ArrayType(_stored(kind.elementType), True)
    if isinstance(kind, T.MapType):
        return T.MapType(_stored(kind.keyType), _stored(kind.valueType), True)
    if isinstance(kind, (T.CharType, T.VarcharType)):
        return T.StringType()
    return kind


def differences(declared: T.StructType, there: T.StructType) -> list[str]:
    """What keeps rows of `declared` from fitting a table that holds `there`, in words."""
    ours, theirs = ({field.name: field for field in stored(schema)} for schema in (declared, there))
    messages = [f"{name} is not in the table" for name in ours if name not in theirs]
    messages += [f"{name} is missing" for name in theirs if name not in ours]
    for name in ours.keys() & theirs.keys():
        mine, other = ours[name], theirs[name]
        if mine.dataType != other.dataType:
            messages.append(
                f"{name} is {mine.dataType.simpleString()}, the table holds {other.dataType.simpleString()}"
            )
        elif mine.nullable and not other.nullable:
            messages.append(f"{name} may be null, the table's is NOT NULL")
    return sorted(messages)


def holds(delta: DeltaTable, table: Table) -> bool:
    """Whether the table in the lake has the declared columns and partitions."""
    return not _mismatches(table, to_spark(delta.schema()), delta.metadata().partition_columns)


def check_holds(delta: DeltaTable, table: Table) -> None:
    """`check_same` for a table of the log."""
    check_same(table, to_spark(delta.schema()), delta.metadata().partition_columns)


def lacking(table: Table, there: T.StructType, partition_by: Sequence[str]) -> T.StructType:
    """The declared columns that the table in the lake doesn't have yet. Raises `LakeError` as `check_same`,
    also for one that would have to be NOT NULL or a partition column.
    """
    new = [field for field in stored(table.schema) if field.name not in there.names]
    addable = [field for field in new if field.nullable and field.name not in table.partition_by]
    check_same(table, T.StructType([*there.fields, *addable]), partition_by)
    return T.StructType(new)


def check_same(table: Table, stored: T.StructType, partition_by: Sequence[str]) -> None:
    """Raise `LakeError` naming each way in which the table in the lake differs from the declared one."""
    messages = _mismatches(table, stored, partition_by)
    if messages:
        raise LakeError(
            f"table {table.name}: the lake's differs from what is to be written: {'; '.join(messages)}; "
            "overwrite it, or write to another lake.root"
        )


def _mismatches(table: Table, stored: T.StructType, partition_by: Sequence[str]) -> list[str]:
    messages = differences(table.schema, stored)
    if tuple(partition_by) != table.partition_by:
        messages.append(
            f"it is partitioned by ({', '.join(partition_by)}), not ({', '.join(table.partition_by)})"
        )
    return messages
