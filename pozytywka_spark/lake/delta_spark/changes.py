"""Changes of a table between two versions: Spark reads the log's entries, and the files that they name."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from functools import reduce

from pyspark.sql import DataFrame, SparkSession
from pyspark.sql import functions as F
from pyspark.sql import types as T

from pozytywka_spark.lake import partitions
from pozytywka_spark.lake.changes import (
    Changes,
    LoggedFile,
    differing,
    entry_name,
    logged_files,
    not_after,
    not_there,
)
from pozytywka_spark.lake.delta_spark import log
from pozytywka_spark.lake.row_checks import SPARK_ERRORS
from pozytywka_spark.lake.spark_shards import put_down
from pozytywka_spark.lake.tasks import Tasks

_ABSENT = ("PATH_NOT_FOUND", "FILE_NOT_EXIST", "FAILED_READ_FILE")


def changes(
    spark: SparkSession,
    name: str,
    path: str,
    since: int,
    until: int,
    tasks: Tasks,
    columns: Sequence[str] | None,
) -> Changes:
    """See `api.Lake.changes`."""
    if since == until:
        return Changes(since, until)
    if since > until:
        return Changes(since, until, gone=not_after(name, since, until))
    try:
        files = logged_files(_entries(spark, path, since, until))
    except SPARK_ERRORS as error:
        if not _says_absent(error):
            raise
        return Changes(since, until, gone=not_there(name, since, "its log was cleaned up"))
    if not files:
        return Changes(since, until)
    now = log.load_as_of(spark, name, path, until, None)
    try:
        reason = _another_shape(spark, name, path, since, now)
        if reason:
            return Changes(since, until, gone=not_there(name, since, reason))
        rows = _rows(spark, path, files, now.schema, log.partition_columns(spark, path))
        down = put_down(rows, name, log.partition_columns(spark, path), until, tasks, columns)
    except SPARK_ERRORS as error:
        if not _says_absent(error):
            raise
        return Changes(since, until, gone=not_there(name, since, "a vacuum deleted some of its files"))
    return Changes(since, until, tuple(down))


def _entries(spark: SparkSession, path: str, since: int, until: int) -> list[str]:
    """The texts of the commits after `since`: each a row, however many files it names."""
    places = [f"{path}/_delta_log/{entry_name(version)}" for version in range(since + 1, until + 1)]
    return [row[0] for row in spark.read.option("wholetext", "true").text(places).collect()]


def _another_shape(spark: SparkSession, name: str, path: str, since: int, now: DataFrame) -> str:
    """Why older files can't be read as rows of today's table, if so."""
    before = log.load_as_of(spark, name, path, since, None)
    other = differing(dict(before.dtypes), dict(now.dtypes))
    if other:
        return f"{', '.join(sorted(other))} is of another type now"
    mapped = [field.name for field in now.schema if "delta.columnMapping.id" in (field.metadata or {})]
    return "its columns have other names in its files" if mapped else ""


def _rows(
    spark: SparkSession,
    path: str,
    files: Sequence[LoggedFile],
    schema: T.StructType,
    partition_by: Sequence[str],
) -> DataFrame:
    """The files' rows, those that deletion vectors hide among them; partition values as the log has them."""
    inside = T.StructType([T.StructField(f.name, f.dataType) for f in schema if f.name not in partition_by])
    groups: dict[tuple[tuple[str, str | None], ...], list[str]] = {}
    for file in files:
        values = _values(file, partition_by)
        groups.setdefault(tuple(values.items()), []).append(f"{path}/{file.path}")
    frames = []
    for values_of, places in groups.items():
        reading = spark.read.schema(inside).option("globPaths", "false")
        rows = reading.option("recursiveFileLookup", "true").parquet(*places)
        given = {name: F.lit(value).cast(schema[name].dataType) for name, value in values_of}
        frames.append(rows.withColumns(given).select(*schema.names))
    return reduce(DataFrame.unionByName, frames)


def _values(file: LoggedFile, partition_by: Sequence[str]) -> Mapping[str, str | None]:
    """Of a removed file whose entry doesn't say them, by its folders."""
    values = partitions.of_path(file.path) if file.values is None else file.values
    return {name: values.get(name) or None for name in partition_by}


def _says_absent(error: Exception) -> bool:
    return any(sign in str(error) for sign in _ABSENT)
