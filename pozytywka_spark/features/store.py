"""The tables that the stage keeps: what is known of earlier months, and what was built from which inputs."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date

from pyspark.sql import DataFrame, SparkSession
from pyspark.sql import functions as F

from pozytywka_spark import schemas
from pozytywka_spark.errors import DataError
from pozytywka_spark.features.firsts import Firsts
from pozytywka_spark.features.inputs import MonthInputs
from pozytywka_spark.lake.api import Lake
from pozytywka_spark.schemas import Table

FIRSTS = {table.name: table for table in (schemas.FIRST_LIKES, schemas.ARTIST_DEBUTS, schemas.USER_DEBUTS)}


def read_silver(lake: Lake) -> dict[str, DataFrame]:
    """The silver tables by name. Raises `DataError` naming every one that is missing."""
    missing = [table.name for table in schemas.SILVER if not lake.exists(table.name)]
    if missing:
        raise DataError(
            f"features need the tables {', '.join(missing)}, which {lake.root} does not hold: "
            "ingest a delivery with those entities first"
        )
    return {table.name: table.conform(lake.read(table.name)) for table in schemas.SILVER}


def read_built(lake: Lake) -> dict[date, str]:
    """The inputs' fingerprint of each month that was built; empty if a table of the stage is missing."""
    stored = (*FIRSTS, "track_plays", "user_month", "features", "labels", "feature_builds")
    if not all(lake.exists(name) for name in stored):
        return {}
    rows = lake.read("feature_builds").select("month", "inputs").collect()
    return {row["month"]: row["inputs"] for row in rows}


def write_builds(
    spark: SparkSession, lake: Lake, current: Sequence[MonthInputs], built: dict[date, str]
) -> None:
    """Record what each month was built from: the stage's last write, so that an interrupted run is stale."""
    rows = [
        (each.month, built[each.month], each.event_count, each.event_hash)
        for each in current
        if each.month in built
    ]
    table = schemas.FEATURE_BUILDS
    lake.overwrite(spark.createDataFrame(rows, table.schema), table)


def read_firsts_before(lake: Lake, month: date) -> Firsts:
    """The firsts of all months before `month`."""
    likes, artists, users = (lake.read(name).where(F.col("month") < F.lit(month)) for name in FIRSTS)
    return Firsts(likes, artists, users)


def read_firsts_until(lake: Lake, month: date) -> Firsts:
    """The firsts of all months up to and with `month`."""
    likes, artists, users = (lake.read(name).where(F.col("month") <= F.lit(month)) for name in FIRSTS)
    return Firsts(likes, artists, users)


def write_months(lake: Lake, df: DataFrame, table: Table, months: Sequence[date], *, whole: bool) -> None:
    """Replace the partitions of `months` in one commit, or the `whole` table with its schema.

    Rows of a month are brought together first: one file a month instead of one a task and month.
    """
    rows = table.conform(df.repartition("month"))
    if whole:
        lake.overwrite(rows, table)
    else:
        lake.replace_partitions(rows, table, [{"month": month} for month in months])
