"""A build's tables for a trial of some users: over what the lake knows of them, and without a trace."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from functools import reduce

from pyspark.sql import Column, DataFrame
from pyspark.sql import functions as F

from pozytywka_spark.features.compute import FIRSTS, Months
from pozytywka_spark.lake.api import Lake
from pozytywka_spark.schemas import Table


@dataclass(frozen=True)
class ScratchTables:
    """The rows of `before`, by table, and over them what is written, which `store` keeps."""

    before: Mapping[str, DataFrame]
    store: Callable[[DataFrame], DataFrame]
    written: dict[str, DataFrame] = field(default_factory=dict)

    def read(self, name: str) -> DataFrame:
        """The earlier rows and those written here."""
        parts = [tables[name] for tables in (self.before, self.written) if name in tables]
        assert parts, f"{name} is neither known nor written"
        return reduce(DataFrame.unionByName, parts)

    def write(self, df: DataFrame, table: Table) -> None:
        """Keep the rows."""
        self.written[table.name] = self.store(table.conform(df))


def rows_before(lake: Lake, months: Months, mine: Column, heard: DataFrame) -> dict[str, DataFrame]:
    """By table, what a build of `months` reads of earlier ones for the users that `mine` chooses, and for
    the tracks that they `heard`."""
    earlier = F.col("month") < F.lit(months.first)
    reached = F.col("month") >= F.lit(months.oldest)
    return {
        **{name: lake.read(name).where(earlier & mine) for name in FIRSTS},
        "track_plays": lake.read("track_plays").where(earlier).join(heard, "track_id", "left_semi"),
        "user_month": lake.read("user_month").where(earlier & reached & mine),
    }
