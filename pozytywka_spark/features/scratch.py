"""A build's tables for a trial: over what the lake knows of the months before, and without a trace."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import date

from pyspark.sql import Column, DataFrame
from pyspark.sql import functions as F

from pozytywka_spark.lake.api import Lake
from pozytywka_spark.schemas import Table


@dataclass(frozen=True)
class ScratchTables:
    """The lake's rows of months before `first`, of the `mine` users where a table has users; and what is
    written, which `store` keeps and the lake never sees."""

    lake: Lake
    first: date
    mine: Column
    store: Callable[[DataFrame], DataFrame]
    written: dict[str, DataFrame] = field(default_factory=dict)

    def read(self, name: str) -> DataFrame:
        """The earlier rows and those written here."""
        rows = self.lake.read(name).where(F.col("month") < F.lit(self.first))
        if "user_id" in rows.columns:
            rows = rows.where(self.mine)
        return rows.unionByName(self.written[name]) if name in self.written else rows

    def write(self, df: DataFrame, table: Table) -> None:
        """Keep the rows."""
        self.written[table.name] = self.store(table.conform(df))
