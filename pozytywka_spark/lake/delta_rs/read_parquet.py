"""Reads a snapshot's files with Spark's own Parquet reader, so that pruning and push-down work."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime

from deltalake import DeltaTable
from deltalake.exceptions import DeltaError
from pyspark.errors import AnalysisException
from pyspark.sql import DataFrame, DataFrameReader, SparkSession
from pyspark.sql import types as T

from pozytywka_spark.errors import LakeError
from pozytywka_spark.lake.delta_rs import log
from pozytywka_spark.lake.delta_rs.latest import latest_table
from pozytywka_spark.lake.types import to_spark


def snapshot(
    name: str,
    path: str,
    version: int | None,
    timestamp: datetime | None,
    options: dict[str, str] | None = None,
) -> DeltaTable:
    """The table at a version or time, else the latest: to read, never to commit with.

    Raises `LakeError` naming what isn't there.
    """
    if version is not None and timestamp is not None:
        raise LakeError(f"table {name}: give a version or a timestamp, not both")
    table = latest_table(path, options)
    if table is None:
        raise LakeError(f"table {name}: there is none at {path}; run the stage that makes it first")
    if timestamp is not None:
        version = _version_at(name, table, timestamp)
    if version is None or version == table.version():
        return table
    if not 0 <= version < table.version():
        raise LakeError(f"table {name}: no version {version}; its versions are 0 to {table.version()}")
    try:
        return DeltaTable(path, version=version, storage_options=options)
    except DeltaError as error:
        raise LakeError(
            f"table {name}: version {version} can't be read any more: its log was cleaned up"
        ) from error


def _version_at(name: str, table: DeltaTable, timestamp: datetime) -> int:
    """The last version committed at or before `timestamp`, which is UTC if it has no zone."""
    moment = timestamp if timestamp.tzinfo else timestamp.replace(tzinfo=UTC)
    commits = table.history()
    versions = [int(entry["version"]) for entry in commits if log.commit_time(entry) <= moment]
    if not versions:
        first = log.commit_time(commits[-1]).isoformat()
        raise LakeError(f"table {name}: no version at {moment.isoformat()}; its first is of {first}")
    return max(versions)


def read_files(
    spark: SparkSession, path: str, table: DeltaTable, active: Sequence[log.ActiveFile]
) -> DataFrame:
    """Rows of the files `active` in a snapshot, with the log's schema.

    Raises `LakeError` if a vacuum has deleted one of them.
    """
    schema = to_spark(table.schema())
    if not active:
        return spark.createDataFrame([], _all_nullable(schema))
    try:
        rows = reader(spark, path, table).parquet(*addresses(path, active))
    except AnalysisException as error:
        if error.getCondition() != "PATH_NOT_FOUND":
            raise
        raise LakeError(
            f"table {path.rpartition('/')[2]}: version {table.version()} can't be read any more: "
            "a vacuum deleted its files; read a later one"
        ) from error
    return rows.select(*(f"`{name}`" for name in schema.names))


def reader(spark: SparkSession, path: str, table: DeltaTable) -> DataFrameReader:
    """Spark's reader, told the schema and that partition values come from the folders below `path`.

    Names are names (`globPaths`): brackets in them mean nothing, and listing is 30 times faster.
    """
    reading = spark.read.schema(to_spark(table.schema()))
    return reading.option("basePath", f"file://{path}").option("globPaths", "false")


def addresses(path: str, active: Sequence[log.ActiveFile]) -> list[str]:
    """The files' addresses for Spark, whatever the cluster's default file system is."""
    return [f"file://{path}/{file.path}" for file in active]


def _all_nullable(schema: T.StructType) -> T.StructType:
    """As Spark's reader declares what it reads from files."""
    return T.StructType([T.StructField(field.name, field.dataType, True, field.metadata) for field in schema])
