"""Groups and exposures that were decided elsewhere, taken in from a file."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import date
from pathlib import PurePosixPath
from typing import Any

from pyspark.sql import DataFrame, SparkSession
from pyspark.sql import functions as F

from pozytywka_spark.config import Settings
from pozytywka_spark.errors import DataError, LakeError, UsageError
from pozytywka_spark.experiments.assignment import definitions
from pozytywka_spark.experiments.assignment.allocation import CONTROL, start
from pozytywka_spark.experiments.assignment.assign import (
    AssignReport,
    append_rows,
    assigned_files,
    fates_told,
    next_write,
    report,
)
from pozytywka_spark.experiments.assignment.cut_offs import next_cut_off
from pozytywka_spark.experiments.assignment.definition import IMPORT
from pozytywka_spark.experiments.assignment.enrol_work import KNOWN, NEW, PREMIUM
from pozytywka_spark.experiments.assignment.import_work import (
    NAMES_TOLD,
    TIMES,
    CheckRows,
    ImportExposures,
    ImportGroups,
)
from pozytywka_spark.experiments.assignment.population import premium_at
from pozytywka_spark.experiments.slices import all_slices, bytes_of, files_of
from pozytywka_spark.lake import spark_shards
from pozytywka_spark.lake.api import Lake, Txn
from pozytywka_spark.lake.shards import DataFile
from pozytywka_spark.lake.tasks import Tasks
from pozytywka_spark.schemas import EXPOSURES

FORMATS = {"csv": "csv", "json": "json", "jsonl": "json", "parquet": "parquet"}
_UNFIT = "users of the file have several groups or no id: each needs exactly one"


def import_groups(
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
    allowed = (*definition.allocation.treatments, CONTROL)
    with lake.tasks() as tasks:
        groups = put_down(as_groups(file, columns, renamed or {}), tasks)
        _check_groups(tasks, groups, allowed)
        number = next_write(lake, name)
        premium, assigned = premium_at(lake, tasks, cut_off), assigned_files(lake, tasks, name)
        done = tasks.run(
            all_slices([*groups, *assigned]),
            ImportGroups(definition, groups, premium, assigned),
            weight=lambda _: bytes_of([*groups, *premium.bought, *premium.users, *assigned]),
            named=lambda item: f"groups of {name}, slice {item.number + 1} of {item.slices}",
        )
        _check_users(done.results, name)
        if name not in experiments:
            definitions.append(lake, definition, experiments)
        counts = dict.fromkeys((NEW, KNOWN, PREMIUM), 0) | fates_told(done.results)
        if counts[NEW]:
            append_rows(lake, done.written, name, number)
        return report(lake, tasks, definition, cut_off, counts, added=counts[NEW], moved=0)


def import_exposures(lake: Lake, name: str, file: DataFrame, columns: tuple[str, str]) -> int:
    """Append the exposures of `file` (user and time) that the lake doesn't hold yet; their number."""
    definitions.find(lake, name)
    _check_columns(file, columns)
    rows = file.select(
        F.col(columns[0]).try_cast("bigint").alias("user_id"),
        F.col(columns[1]).try_cast("timestamp").alias("exposed_at"),
    )
    with lake.tasks() as tasks:
        times = put_down(rows, tasks)
        if any(line["lacking"] for line in _checked(tasks, times, "user_id", "exposed_at")):
            raise DataError(
                f"exposures: a row has no {columns[0]} or no time in {columns[1]}: mend the file first"
            )
        app = f"exposures {name}"
        number = (lake.txn_version(EXPOSURES.name, app) or 0) + 1
        stored: tuple[DataFile, ...] = ()
        if lake.exists(EXPOSURES.name):
            stored = files_of(lake, tasks, EXPOSURES.name, TIMES.names(), [{"experiment": name}])
        done = tasks.run(
            all_slices([*times, *stored]),
            ImportExposures(name, times, stored),
            weight=lambda _: bytes_of([*times, *stored]),
            named=lambda item: f"exposures of {name}, slice {item.number + 1} of {item.slices}",
        )
        count = sum(int(line["fresh"]) for line in done.results)
        if count and lake.append(done.written, EXPOSURES, txn=Txn(app, number)) is None:
            raise LakeError(f"exposures of {name} were taken in by someone else meanwhile: run it again")
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
    return file.select(F.col(columns[0]).try_cast("bigint").alias("user_id"), named.alias("group"))


def put_down(rows: DataFrame, tasks: Tasks) -> tuple[DataFile, ...]:
    """Rows that Spark reads, where tasks read them."""
    return tuple(spark_shards.put_down(rows, "taken_in", (), 0, tasks, None))


def _check_columns(file: DataFrame, columns: tuple[str, str]) -> None:
    missing = [name for name in columns if name not in file.columns]
    if missing:
        raise UsageError(f"the file has no column {', '.join(missing)}; it has: {', '.join(file.columns)}")


def _checked(tasks: Tasks, rows: Sequence[DataFile], *required: str) -> Sequence[Mapping[str, Any]]:
    return tasks.run(
        rows, CheckRows(required), weight=lambda file: file.size, named=lambda file: file.place
    ).results


def _check_groups(tasks: Tasks, groups: Sequence[DataFile], allowed: tuple[str, ...]) -> None:
    """Raise unless each row has a user, and a group that is allowed."""
    told = _checked(tasks, groups, "user_id")
    names = {group for line in told for group in line["groups"]}
    unknown = sorted(str(group) for group in names if group not in allowed)
    if unknown:
        raise UsageError(
            f"the file has groups {', '.join(unknown[:NAMES_TOLD])}, expected {', '.join(allowed)}: "
            "map them with --rename OLD=NEW or name them with --group NAME=PERCENT"
        )
    lacking = sum(line["lacking"] for line in told)
    if lacking:
        raise DataError(f"{lacking:,} {_UNFIT}")


def _check_users(told: Sequence[Mapping[str, Any]], name: str) -> None:
    """Raise unless each user has one group, the one they had before if they had any."""
    several, changed = (sum(line[what] for line in told) for what in ("several", "changed"))
    if several:
        raise DataError(f"{several:,} {_UNFIT}")
    if changed:
        raise DataError(
            f"{changed:,} users of the file have another group in experiment {name}: "
            "users keep their group for life"
        )
