"""The tables that the stage keeps: what is known of earlier months, and what was built from which inputs."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from datetime import date

import pyarrow as pa
from pyspark.sql import DataFrame, SparkSession

from pozytywka_spark import schemas
from pozytywka_spark.errors import DataError
from pozytywka_spark.features.compute import FIRSTS, Months
from pozytywka_spark.features.inputs import MonthEvents
from pozytywka_spark.lake.api import Lake
from pozytywka_spark.schemas import Table


def read_silver(lake: Lake) -> dict[str, DataFrame]:
    """The silver tables by name. Raises `DataError` naming every one that is missing."""
    missing = [table.name for table in schemas.SILVER if not lake.exists(table.name)]
    if missing:
        raise DataError(
            f"features need the tables {', '.join(missing)}, which {lake.root} does not hold: "
            "ingest a delivery with those entities first"
        )
    return {table.name: table.conform(lake.read(table.name)) for table in schemas.SILVER}


def read_built(lake: Lake) -> tuple[dict[date, str], dict[date, MonthEvents]]:
    """The inputs' fingerprint of each month that was built, and its events as they were seen then.

    Both are empty if a table of the stage is missing, or of an older form; events by day, which the last form
    didn't keep, are counted anew.
    """
    stored = (*FIRSTS, "track_plays", "user_month", "features", "labels", "feature_builds")
    if not all(lake.exists(name) for name in stored):
        return {}, {}
    builds = lake.read("feature_builds")
    lacking = set(schemas.FEATURE_BUILDS.schema.names) - set(builds.columns)
    if lacking - {"days"}:
        return {}, {}
    rows = [row.asDict() for row in builds.collect()]
    built = {row["month"]: inputs for row in rows if (inputs := row.pop("inputs")) is not None}
    known = [] if lacking else [MonthEvents(**row | {"days": tuple(row["days"])}) for row in rows]
    return built, {each.month: each for each in known}


def write_builds(
    spark: SparkSession, lake: Lake, events: Sequence[MonthEvents], built: Mapping[date, str]
) -> None:
    """Record what each month was built from: after all rows, so that an interrupted run is stale."""
    rows = [asdict(each) | {"days": list(each.days), "inputs": built.get(each.month)} for each in events]
    # through Arrow: a list of rows would start Python workers, which costs more than all else here
    frame = spark.createDataFrame(pa.Table.from_pylist(rows, schema=_BUILDS))
    lake.overwrite(schemas.FEATURE_BUILDS.conform(frame), schemas.FEATURE_BUILDS)


_BUILDS = pa.schema(
    [
        ("month", pa.date32()),
        ("inputs", pa.string()),
        ("event_count", pa.int64()),
        ("event_hash", pa.string()),
        ("last_event", pa.int64()),
        ("files", pa.string()),
        ("days", pa.list_(pa.int64())),
    ]
)


@dataclass(frozen=True)
class LakeTables:
    """A build's tables in the lake: the months of the build are replaced, each table in one commit."""

    lake: Lake
    months: Months

    def read(self, name: str) -> DataFrame:
        """The table as it is now."""
        return self.lake.read(name)

    def write(self, df: DataFrame, table: Table) -> None:
        """Replace the partitions of the months, or the whole table with its schema.

        A month's rows end up in one file: the lake brings them together.
        """
        rows = table.conform(df)
        if self.months.whole:
            self.lake.overwrite(rows, table)
        else:
            self.lake.replace_partitions(rows, table, [{"month": month} for month in self.months.chosen])
