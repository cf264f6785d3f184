"""A table of the lake as Spark, Polars or pandas have it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from typing import TYPE_CHECKING

from pozytywka_spark.errors import LakeError
from pozytywka_spark.lake.api import Lake, Partition
from pozytywka_spark.reports.notebook import card

if TYPE_CHECKING:
    import pandas as pd
    import polars as pl
    import pyarrow as pa
    from pyspark.sql import DataFrame

_BY_MONTH = ("month", "event_month")


@dataclass(frozen=True)
class LakeTable:
    """Rows of a table's latest version, of some months and columns only if asked; read by the `to_` calls.

    Polars and pandas take the rows into this process, without Spark where the delta-rs engine serves.
    """

    lake: Lake
    name: str
    months: tuple[date, ...] | None = None
    only: tuple[str, ...] | None = None

    @property
    def columns(self) -> tuple[str, ...]:
        """Names of its columns. Raises `LakeError` if there is no such table."""
        return self.only or tuple(self._all_columns())

    def to_spark(self) -> DataFrame:
        """The rows as a frame of Spark's. Raises `LakeError` for no such table or column, or no months."""
        self._check(self.columns)
        return self.lake.read(self.name, partitions=self._partitions()).select(*self.columns)

    def to_polars(self) -> pl.DataFrame:
        """The rows as a Polars frame. Raises as `to_spark` does."""
        import polars as pl

        frame = pl.from_arrow(self.to_arrow())
        assert isinstance(frame, pl.DataFrame)
        return frame

    def to_pandas(self) -> pd.DataFrame:
        """The rows as a pandas frame, in which whole numbers with nulls are floats. Raises as `to_spark`."""
        frame: pd.DataFrame = self.to_arrow().to_pandas()
        return frame

    def to_arrow(self) -> pa.Table:
        """The rows as an Arrow table. Raises as `to_spark` does."""
        self._check(self.columns)
        return self.lake.rows(self.name, self.only, self._partitions())

    def _partitions(self) -> Sequence[Partition] | None:
        if self.months is None:
            return None
        column = next((name for name in _BY_MONTH if name in self._all_columns()), None)
        if column is None:
            raise LakeError(f"table {self.name} has no months: leave out months=")
        return [{column: month} for month in self.months]

    def _check(self, columns: Sequence[str]) -> None:
        all_columns = self._all_columns()
        unknown = [name for name in columns if name not in all_columns]
        if unknown:
            raise LakeError(
                f"table {self.name} has no {', '.join(unknown)}; its columns: {', '.join(all_columns)}"
            )

    def _all_columns(self) -> list[str]:
        schema = self.lake.schema(self.name)
        if schema is None:
            raise LakeError(f"table {self.name} is not in {self.lake.root}: run the job that makes it first")
        return list(schema.names)

    def _repr_html_(self) -> str:
        """What it is, for a notebook: columns and types; no row is read."""
        schema = self.lake.schema(self.name)
        if schema is None:
            return card(f"table {self.name}", lines=[f"not in {self.lake.root} yet"])
        rows = [
            {"column": field.name, "type": field.dataType.simpleString()}
            for field in schema
            if field.name in self.columns
        ]
        months = "" if self.months is None else ", ".join(f"{month:%Y-%m}" for month in self.months)
        lines = [self.lake.path(self.name), *([f"months {months}"] if months else [])]
        return card(f"table {self.name}", {"columns": rows}, lines)
