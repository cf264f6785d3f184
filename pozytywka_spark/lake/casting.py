"""Rows on their way into a table's files: each column by its name, in the type that the table declares.

Polars' and DuckDB's own Arrow types (views, large lists, unsigned counts, dictionaries, nanoseconds) end
here: a reader of the table meets those of its schema only.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from functools import lru_cache
from typing import Any

import pyarrow as pa
from pyarrow import types as kinds
from pyspark.sql import types as T
from pyspark.sql.pandas.types import to_arrow_schema

from pozytywka_spark.errors import LakeError
from pozytywka_spark.lake.types import stored
from pozytywka_spark.schemas import Table


@lru_cache(maxsize=64)  # of hundreds of files of one table: half a millisecond each for a hundred columns
def arrow_schema(schema: T.StructType) -> pa.Schema:
    """Arrow's plain types of a table's columns, all nullable; timestamps are UTC instants in microseconds."""
    nullable = [T.StructField(field.name, field.dataType) for field in stored(schema)]
    return to_arrow_schema(T.StructType(nullable), timezone="UTC")


def as_table(rows: Sequence[Mapping[str, Any]], table: Table) -> pa.Table:
    """Few rows as the table's columns; what a row lacks is null."""
    return pa.Table.from_pylist([dict(row) for row in rows], schema=arrow_schema(table.schema))


def declared(rows: pa.Table, table: Table, leave_out: Sequence[str] = ()) -> pa.Table:
    """`rows` with exactly the table's columns (but for those to leave out), in order; others are dropped.

    Raises `LakeError` naming what is missing, of another type, beyond its type's range, or null against
    the declaration. No type is changed but for a wider or narrower one of its kind that holds the values.
    """
    fields = [field for field in table.schema if field.name not in leave_out]
    missing = [field.name for field in fields if field.name not in rows.schema.names]
    if missing:
        raise LakeError(
            f"table {table.name}: columns missing: {', '.join(missing)}; "
            f"it holds: {', '.join(rows.schema.names)}"
        )
    schema = arrow_schema(T.StructType(fields))
    columns = [_declared(rows.column(field.name), field, table.name) for field in schema]
    for field, column in zip(fields, columns, strict=True):
        if not field.nullable and column.null_count:
            raise LakeError(f"table {table.name}: column {field.name} is NOT NULL, and a row has null")
    return pa.Table.from_arrays(columns, schema=schema)


def _declared(column: pa.ChunkedArray, field: pa.Field, table: str) -> pa.ChunkedArray:
    if column.type == field.type:
        return column
    if not _fits(column.type, field.type):
        raise LakeError(f"table {table}: {field.name} is {column.type}, expected {field.type}")
    try:
        return column.cast(field.type)
    except (pa.ArrowInvalid, pa.ArrowNotImplementedError) as error:
        reason = str(error).splitlines()[0]
        raise LakeError(f"table {table}: {field.name} doesn't fit {field.type}: {reason}") from error


def _fits(actual: pa.DataType, declared_type: pa.DataType) -> bool:
    """Whether one is a spelling of the other; that each value fits is for the cast to say."""
    if kinds.is_null(actual):
        return True
    if kinds.is_dictionary(actual):
        return _fits(actual.value_type, declared_type)
    if _is_list(declared_type):
        return _is_list(actual) and _fits(actual.value_type, declared_type.value_type)
    if kinds.is_struct(declared_type):
        return kinds.is_struct(actual) and _same_fields(actual, declared_type)
    if kinds.is_map(declared_type):
        return (
            kinds.is_map(actual)
            and _fits(actual.key_type, declared_type.key_type)
            and _fits(actual.item_type, declared_type.item_type)
        )
    if kinds.is_timestamp(declared_type):
        # a naive one would be taken for UTC without anyone having said so
        return kinds.is_timestamp(actual) and (actual.tz is None) == (declared_type.tz is None)
    return any(holds(actual) and holds(declared_type) for holds in _KINDS)


def _same_fields(actual: pa.DataType, declared_type: pa.DataType) -> bool:
    ours, theirs = ({field.name: field.type for field in kind} for kind in (actual, declared_type))
    return ours.keys() == theirs.keys() and all(_fits(ours[name], theirs[name]) for name in theirs)


def _is_list(kind: pa.DataType) -> bool:
    return any((kinds.is_list(kind), kinds.is_large_list(kind), kinds.is_fixed_size_list(kind)))


def _is_text(kind: pa.DataType) -> bool:
    return any((kinds.is_string(kind), kinds.is_large_string(kind), kinds.is_string_view(kind)))


def _is_binary(kind: pa.DataType) -> bool:
    plain = (kinds.is_binary(kind), kinds.is_large_binary(kind))
    return any((*plain, kinds.is_fixed_size_binary(kind), kinds.is_binary_view(kind)))


_KINDS = (
    _is_text, _is_binary, kinds.is_integer, kinds.is_floating, kinds.is_decimal, kinds.is_boolean,
    kinds.is_date,
)  # fmt: skip
