"""What a table of the lake is."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from pyspark.sql import Column, DataFrame
from pyspark.sql import functions as F
from pyspark.sql import types as T

from pozytywka_spark.errors import DataError
from pozytywka_spark.schemas.ddl import parse_ddl


@dataclass(frozen=True)
class Table:
    """A Delta table of the lake: its name is its folder under `lake.root`.

    `sorted_by` is the order of rows within a data file, so that readers skip row groups and find one
    user's rows side by side; nothing may depend on it across files. `personal` columns have no bounds in the
    table's log, where what was deleted since would stay.
    """

    name: str
    schema: T.StructType
    keys: tuple[str, ...]
    partition_by: tuple[str, ...] = ()
    sorted_by: tuple[str, ...] = ()
    personal: tuple[str, ...] = ()

    @property
    def columns(self) -> tuple[str, ...]:
        """Column names in declared order."""
        return tuple(self.schema.names)

    def conform(self, df: DataFrame) -> DataFrame:
        """`df` with exactly the declared columns, in order.

        Raises `DataError` naming each missing column and each column of another type; extra
        columns are dropped, types are never cast silently.
        """
        actual = {field.name: field.dataType for field in df.schema}
        missing = [name for name in self.columns if name not in actual]
        if missing:
            raise DataError(
                f"table {self.name}: columns missing: {', '.join(missing)}; it holds: {', '.join(actual)}"
            )
        wrong = [
            f"{field.name} is {actual[field.name].simpleString()}, expected {field.dataType.simpleString()}"
            for field in self.schema
            if _nullable(actual[field.name]) != _nullable(field.dataType)
        ]
        if wrong:
            raise DataError(f"table {self.name}: {'; '.join(wrong)}")
        return df.select(*self.columns)


def _nullable(data_type: T.DataType) -> str:
    """A type's name without nullability, which Delta and Parquet don't keep apart for nested values."""
    return data_type.simpleString()


def table(
    name: str,
    ddl: str,
    keys: Sequence[str],
    partition_by: Sequence[str] = (),
    sorted_by: Sequence[str] = (),
    personal: Sequence[str] = (),
) -> Table:
    """A table from a DDL literal such as `"user_id bigint, city string"`."""
    return Table(name, parse_ddl(ddl), tuple(keys), tuple(partition_by), tuple(sorted_by), tuple(personal))


def month_of(time: Column) -> Column:
    """The first day of the calendar month (UTC) that `time` lies in, as a date."""
    return F.trunc(time, "month")
