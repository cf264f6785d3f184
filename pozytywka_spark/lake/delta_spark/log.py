"""What the delta-spark engine knows of a table: read through Spark, wherever its files are."""

from __future__ import annotations

import math
from collections.abc import Sequence
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

from pyspark.sql import DataFrame, SparkSession
from pyspark.sql import functions as F
from pyspark.sql import types as T

from pozytywka_spark.errors import LakeError
from pozytywka_spark.lake.api import Commit
from pozytywka_spark.lake.row_checks import SPARK_ERRORS
from pozytywka_spark.schemas import Table

if TYPE_CHECKING:
    from delta.tables import DeltaTable

_UNBOUNDED = (T.BooleanType, T.BinaryType, T.ArrayType, T.MapType)  # Delta refuses bounds of them
# A model names the versions it was trained on: their log must outlive Delta's default of 30 days.
# Deletion vectors would keep plain Parquet readers, our other engine among them, out.
CONFIGURATION = {"delta.logRetentionDuration": "interval 3650 days", "delta.enableDeletionVectors": "false"}


def without_bounds(table: Table) -> dict[str, str]:
    """Properties of a new table that keep personal columns out of the log's bounds; nothing without any."""
    if not table.personal:
        return {}
    told = [
        field.name
        for field in table.schema
        if field.name not in (*table.personal, *table.partition_by)
        and not isinstance(field.dataType, _UNBOUNDED)
    ]
    return {"delta.dataSkippingStatsColumns": ",".join(told)}


_NO_FORMAT = ("DATA_SOURCE_NOT_FOUND", "CATALOG_PLUGIN_CLASS_NOT_FOUND", "Cannot find catalog plugin class")
_NO_TABLE = (
    "DELTA_TABLE_NOT_FOUND",
    "DELTA_PATH_DOES_NOT_EXIST",
    "DELTA_MISSING_DELTA_TABLE",
    "PATH_NOT_FOUND",
    "No commit files found in _delta_log",
)
_AFTER_LATEST = "DELTA_TIMESTAMP_GREATER_THAN_COMMIT"
_TXN = "txn struct<appId: string, version: bigint>"


def check_served(spark: SparkSession, root: str) -> None:
    """Raise `LakeError` if nothing in the session serves `format("delta")`."""
    load(spark, f"{root}/_none")


def load(spark: SparkSession, path: str) -> DataFrame | None:
    """The latest version of the table at `path`; None if there is none."""
    try:
        loaded = spark.read.format("delta").load(path)
        _ = loaded.schema  # a Connect session would find out only later
    except SPARK_ERRORS as error:
        text = str(error)
        if any(sign in text for sign in _NO_FORMAT):
            raise LakeError(
                'lake.engine=delta-spark: nothing in this Spark session serves format("delta"); '
                "use a Spark that has Delta's jars, set lake.delta_jars=download, or use lake.engine=delta-rs"
            ) from error
        if any(sign in text for sign in _NO_TABLE):
            return None
        raise
    return loaded


def load_as_of(
    spark: SparkSession, name: str, path: str, version: int | None, timestamp: datetime | None
) -> DataFrame:
    """The table at `path` as of a version or a time, which is UTC if it has no zone; raises `LakeError`."""
    reader = spark.read.format("delta")
    if version is not None:
        asked = f"version {version}"
        reader = reader.option("versionAsOf", version)
    else:
        assert timestamp is not None
        moment = timestamp.astimezone(UTC) if timestamp.tzinfo else timestamp
        asked = f"version at {moment.isoformat()}"
        reader = reader.option("timestampAsOf", moment.strftime("%Y-%m-%d %H:%M:%S.%f"))
    try:
        loaded = reader.load(path)
        _ = loaded.schema
    except SPARK_ERRORS as error:
        if _AFTER_LATEST in str(error):
            return spark.read.format("delta").load(path)
        first = str(error).splitlines()[0]
        raise LakeError(f"table {name}: no {asked}: {first}") from error
    return loaded


def history(spark: SparkSession, path: str) -> list[Commit]:
    """All commits, latest first."""
    return [_commit(entry.asDict(recursive=True)) for entry in _table(spark, path).history().collect()]


def latest_version(spark: SparkSession, path: str) -> int:
    """The number of the latest commit."""
    return int(_table(spark, path).history(1).collect()[0]["version"])


def txn_version(spark: SparkSession, path: str, app: str) -> int | None:
    """The last version that `app` committed, from the log's own files: no API tells it.

    Of checkpoints too: commits older than one may be gone, as `CONFIGURATION` isn't every writer's.
    """
    folder = f"{path}/_delta_log"
    checkpoints = spark.read.schema(_TXN).option("pathGlobFilter", "*.checkpoint*.parquet").parquet(folder)
    actions = spark.read.schema(_TXN).json(f"{folder}/*.json").unionByName(checkpoints)
    row = actions.filter(F.col("txn.appId") == app).agg(F.max("txn.version")).first()
    return None if row is None else row[0]


def identity(spark: SparkSession, path: str) -> str:
    """The id that the table's log gives it."""
    return str(_table(spark, path).detail().select("id").collect()[0][0])


def partition_columns(spark: SparkSession, path: str) -> list[str]:
    """The columns the table is partitioned by."""
    return list(_table(spark, path).detail().select("partitionColumns").collect()[0][0])


def retention_with_pins(
    name: str, commits: Sequence[Commit], retention_hours: float, keep_versions: Sequence[int]
) -> float:
    """Hours that cover the oldest kept version: its files were removed after it, so they are younger.

    Raises `LakeError` for a version that isn't there.
    """
    times = {commit.version: commit.time for commit in commits}
    for version in keep_versions:
        if version not in times:
            raise LakeError(
                f"table {name}: no version {version}; its versions are {min(times)} to {max(times)}"
            )
    if not keep_versions:
        return retention_hours
    age = datetime.now(UTC) - min(times[version] for version in keep_versions)
    return max(retention_hours, math.ceil(age.total_seconds() / 3600) + 1)


def _table(spark: SparkSession, path: str) -> DeltaTable:
    from delta.tables import DeltaTable  # imports Delta's protocol classes: only for those who use them

    return DeltaTable.forPath(spark, path)


def _commit(entry: dict[str, Any]) -> Commit:
    time = entry["timestamp"]
    metadata = {key: str(value) for key, value in (entry.get("operationParameters") or {}).items()}
    metadata |= {key: str(value) for key, value in (entry.get("operationMetrics") or {}).items()}
    return Commit(int(entry["version"]), time.astimezone(UTC), str(entry["operation"]), metadata)
