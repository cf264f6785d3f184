"""Groups and exposures that were decided elsewhere, taken in from a file."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date
from pathlib import PurePosixPath

from pyspark.sql import DataFrame, SparkSession
from pyspark.sql import functions as F

from pozytywka_spark.config import Settings
from pozytywka_spark.errors import DataError, UsageError
from pozytywka_spark.experiments.assignment import definitions
from pozytywka_spark.experiments.assignment.allocation import CONTROL, start
from pozytywka_spark.experiments.assignment.assign import (
    KNOWN,
    NEW,
    PREMIUM,
    AssignReport,
    append_rows,
    as_assignments,
    current,
    report,
)
from pozytywka_spark.experiments.assignment.definitions import IMPORT
from pozytywka_spark.experiments.assignment.eligibility import next_cut_off, premium_before
from pozytywka_spark.lake.api import Lake, Txn
from pozytywka_spark.schemas import EXPOSURES

FORMATS = {"csv": "csv", "json": "json", "jsonl": "json", "parquet": "parquet"}


def import_groups(
    spark: SparkSession,
    settings: Settings,
    lake: Lake,
    name: str,
    file: DataFrame,
    shares: Mapping[str, float],
    at: date | None = None,
    *,
    columns: tuple[str, str] = ("user_id", "group"),
    renamed: Mapping[str, str] | None = None,
) -> AssignReport:
    """Take over the groups of `file` (a user and a group column), for life like any other assignment.

    `shares` (percent a treatment) are what the groups should be, for the sample ratio check; `renamed` maps
    the file's group names. Users with premium before the cut-off are left out, users assigned before stay.
    Raises `DataError` if a user has two groups or changes group, `UsageError` for an unknown group.
    """
    experiments = definitions.read_experiments(lake)
    cut_off = at or next_cut_off(lake, settings.data)
    definition = (
        definitions.running(lake, name).latest
        if name in experiments
        else definitions.define(settings, experiments, name, start(shares), cut_off, source=IMPORT)
    )
    if definition.source != IMPORT:
        raise UsageError(f"experiment {name} assigns by hash: import groups under another name")
    groups = as_groups(file, columns, renamed or {})
    _check_groups(groups, (*definition.allocation.treatments, CONTROL))
    joined = (
        groups.join(
            current(lake, name, spark).select("user_id", F.col("group").alias("held")), "user_id", "left"
        )
        .join(premium_before(lake, cut_off), "user_id", "left")
        .persist()
    )
    try:
        counts = _fates(joined, name)
        if name not in experiments:
            definitions.append(spark, lake, definition, experiments)
        if counts[NEW]:
            fresh = joined.where(F.col("held").isNull() & F.col("premium").isNull())
            rows = fresh.select("user_id", "group", F.lit(None).cast("int").alias("bucket"))
            append_rows(lake, as_assignments(rows, definition, cut_off), name)
    finally:
        joined.unpersist()
    return report(lake, definition, cut_off, counts, added=counts[NEW], moved=0)


def import_exposures(lake: Lake, name: str, file: DataFrame, columns: tuple[str, str]) -> int:
    """Append the exposures of `file` (user and time) that the lake doesn't hold yet; their number."""
    definitions.find(lake, name)
    _check_columns(file, columns)
    rows = file.select(
        F.lit(name).alias("experiment"),
        F.col(columns[0]).try_cast("bigint").alias("user_id"),
        F.col(columns[1]).try_cast("timestamp").alias("exposed_at"),
    ).distinct()
    if not rows.where(F.col("user_id").isNull() | F.col("exposed_at").isNull()).isEmpty():
        raise DataError(
            f"exposures: a row has no {columns[0]} or no time in {columns[1]}: mend the file first"
        )
    if lake.exists(EXPOSURES.name):
        stored = lake.read(EXPOSURES.name, partitions=[{"experiment": name}])
        rows = rows.join(stored, list(EXPOSURES.keys), "left_anti")
    fresh = rows.persist()
    try:
        count = fresh.count()
        if count:
            app = f"exposures {name}"
            version = (lake.txn_version(EXPOSURES.name, app) or 0) + 1
            lake.append(EXPOSURES.conform(fresh), EXPOSURES, txn=Txn(app, version))
    finally:
        fresh.unpersist()
    return count


def read_file(spark: SparkSession, path: str, kind: str | None) -> DataFrame:
    """The rows of a CSV (with a header), JSON Lines or Parquet file or folder.

    Raises `UsageError` if neither the name nor `kind` tells which, `DataError` if it can't be read.
    """
    suffix = PurePosixPath(path.removesuffix(".gz")).suffix.lstrip(".").lower()
    file_format = FORMATS.get(kind or suffix)
    if file_format is None:
        raise UsageError(f"--from {path}: say what it is with --format: {', '.join(FORMATS)}")
    try:
        return spark.read.format(file_format).option("header", True).load(path)
    except Exception as error:  # Spark's analysis errors differ from engine to engine
        raise DataError(f"--from {path}: can't be read as {file_format}: does it exist?") from error


def as_groups(file: DataFrame, columns: tuple[str, str], renamed: Mapping[str, str]) -> DataFrame:
    """Grain row of the file: `user_id`, `group`."""
    _check_columns(file, columns)
    group = F.col(columns[1]).cast("string")
    named = group
    for old, new in renamed.items():
        named = F.when(group == old, F.lit(new)).otherwise(named)
    return file.select(F.col(columns[0]).try_cast("bigint").alias("user_id"), named.alias("group")).distinct()


def _check_columns(file: DataFrame, columns: tuple[str, str]) -> None:
    missing = [name for name in columns if name not in file.columns]
    if missing:
        raise UsageError(f"the file has no column {', '.join(missing)}; it has: {', '.join(file.columns)}")


def _check_groups(groups: DataFrame, allowed: tuple[str, ...]) -> None:
    """Raise unless each user has exactly one group, and one that is allowed."""
    groups_in_file = [row["group"] for row in groups.select("group").distinct().limit(50).collect()]
    unknown = sorted(str(group) for group in groups_in_file if group not in allowed)
    if unknown:
        raise UsageError(
            f"the file has groups {', '.join(unknown)}, expected {', '.join(allowed)}: "
            "map them with --rename OLD=NEW or name them with --group NAME=PERCENT"
        )
    twice = groups.groupBy("user_id").count().where((F.col("count") > 1) | F.col("user_id").isNull()).count()
    if twice:
        raise DataError(f"{twice:,} users of the file have several groups or no id: each needs exactly one")


def _fates(joined: DataFrame, name: str) -> dict[str, int]:
    is_assigned, premium = F.col("held").isNotNull(), F.col("premium").isNotNull()
    row = joined.agg(
        F.count_if(is_assigned).alias(KNOWN),
        F.count_if(~is_assigned & premium).alias(PREMIUM),
        F.count_if(~is_assigned & ~premium).alias(NEW),
        F.count_if(is_assigned & (F.col("held") != F.col("group"))).alias("changed"),
    ).collect()[0]
    if row["changed"]:
        raise DataError(
            f"{row['changed']:,} users of the file have another group in experiment {name}: "
            "users keep their group for life"
        )
    return {fate: row[fate] for fate in (NEW, KNOWN, PREMIUM)}
