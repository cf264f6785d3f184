"""Checks of rows before they are written, inside the one pass that writes them, for both engines."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from functools import reduce
from operator import and_, or_

from py4j.protocol import Py4JError
from pyspark.errors import PySparkException
from pyspark.sql import Column, DataFrame
from pyspark.sql import functions as F

from pozytywka_spark.errors import DataError, LakeError
from pozytywka_spark.lake import naming
from pozytywka_spark.lake.partitions import Rendered, named
from pozytywka_spark.schemas import Table

# The second is what Spark's Python side doesn't translate, such as a data source that isn't there.
SPARK_ERRORS = (PySparkException, Py4JError)
_MARK = "[lake] "


def conforming(df: DataFrame, table: Table) -> DataFrame:
    """`df` with the table's columns, null-checked where the table says NOT NULL.

    Raises `LakeError` for a wrong schema now, and through `as_lake_error` for a wrong row as it is written.
    """
    naming.check_declaration(table)
    try:
        checked = table.conform(df)
    except DataError as error:
        raise LakeError(str(error)) from error
    required = {field.name for field in table.schema if not field.nullable}
    return checked.select(
        *(_required(table, name) if name in required else F.col(name) for name in table.columns)
    )


def _required(table: Table, name: str) -> Column:
    message = f"{_MARK}table {table.name}: column {name} is NOT NULL, and a row has null"
    return F.coalesce(F.col(name), F.raise_error(F.lit(message)).cast(table.schema[name].dataType)).alias(
        name
    )


def only_within(df: DataFrame, table: Table, rendered: Sequence[Rendered]) -> DataFrame:
    """`df`, failing as it is written if a row lies outside the wanted partitions."""
    column = table.partition_by[0]
    message = f"{_MARK}table {table.name}: a row lies outside {'; '.join(map(named, rendered))}"
    outside = F.raise_error(F.lit(message)).cast(table.schema[column].dataType)
    return df.withColumns({column: F.when(is_within(table, rendered), F.col(column)).otherwise(outside)})


def is_within(table: Table, rendered: Sequence[Rendered]) -> Column:
    """Whether a row lies in one of the wanted partitions; never null."""

    def equals(name: str, value: str | None) -> Column:
        kind = table.schema[name].dataType
        column = F.col(name)
        if kind.simpleString() == "string":
            column = F.when(column != "", column)  # an empty string is null in a partition column
        return column.eqNullSafe(F.lit(value).cast(kind))

    return reduce(
        or_, (reduce(and_, (equals(*item) for item in one.items())) for one in rendered), F.lit(False)
    )


@contextmanager
def as_lake_error() -> Iterator[None]:
    """Turn Spark's failure on one of the checks above into the `LakeError` that it stands for."""
    try:
        yield
    except SPARK_ERRORS as error:
        text = str(error)
        start = text.find(_MARK)
        if start < 0:
            raise
        message = text[start + len(_MARK) :].splitlines()[0]
        raise LakeError(message.split(" SQLSTATE")[0].strip()) from error
