"""Partition values: as users name them, as Spark writes them in folders, as the log holds them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import date, datetime
from typing import Any
from urllib.parse import unquote

from pyspark.sql import types as T

from pozytywka_spark.errors import LakeError
from pozytywka_spark.lake.api import Partition
from pozytywka_spark.schemas import Table

HIVE_NULL = "__HIVE_DEFAULT_PARTITION__"
Rendered = Mapping[str, str | None]


def render(value: Any) -> str | None:
    """A partition value as Delta's log holds it. An empty string is null there, for every engine."""
    if value is None or value == "":
        return None
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, date):
        return value.isoformat()
    return str(value)


def of_path(path: str) -> dict[str, str | None]:
    """The values in a path such as `month=2022-01-01/city=a%2Fb/part-0.parquet`, Hive's escapes undone."""
    pairs = [part.partition("=") for part in path.split("/")[:-1]]
    return {unquote(key): None if value == HIVE_NULL else unquote(value) for key, _, value in pairs}


def checked(
    name: str, schema: T.StructType, partition_by: Sequence[str], partitions: Sequence[Partition]
) -> list[Rendered]:
    """`partitions` rendered; each names some of the table's partition columns.

    Raises `LakeError` for a column the table isn't partitioned by, or a value of another type.
    """
    rendered: list[Rendered] = []
    for partition in partitions:
        if not partition:
            raise LakeError(
                f"table {name}: a partition without columns would be the whole table; use overwrite or read"
            )
        for column, value in partition.items():
            if column not in partition_by:
                partitioning = f"by {', '.join(partition_by)}" if partition_by else "not at all"
                raise LakeError(
                    f"table {name}: {column} is no partition column; it is partitioned {partitioning}"
                )
            _check_type(name, schema[column], value)
        rendered.append({column: render(value) for column, value in partition.items()})
    return rendered


def _check_type(name: str, field: T.StructField, value: Any) -> None:
    expected: tuple[type, ...]
    if isinstance(field.dataType, T.DateType):
        expected = (date,)
    elif isinstance(field.dataType, T.BooleanType):
        expected = (bool,)
    elif isinstance(field.dataType, T.IntegralType):
        expected = (int,)
    else:
        expected = (str,)
    fits = isinstance(value, expected) and not isinstance(value, datetime)
    if expected == (int,):
        fits = fits and not isinstance(value, bool)
    if value is not None and not fits:
        raise LakeError(
            f"table {name}: partition {field.name}={value!r}: expected a {field.dataType.simpleString()}, "
            f"got a {type(value).__name__}"
        )


def within(values: Rendered, rendered: Sequence[Rendered]) -> bool:
    """Whether a file with these partition values lies in one of the wanted partitions."""
    return any(all(values.get(key) == value for key, value in one.items()) for one in rendered)


def named(values: Rendered) -> str:
    """`month=2022-01-01, city=null`, for messages."""
    return ", ".join(f"{key}={'null' if value is None else value}" for key, value in values.items())


def of_table(table: Table, partitions: Sequence[Partition]) -> list[Rendered]:
    """`checked` for a declared table."""
    return checked(table.name, table.schema, table.partition_by, partitions)
