"""Tables whose files tasks can't open: Spark reads them and puts their rows down where tasks find them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from pyspark.sql import DataFrame, SparkSession
from pyspark.sql import types as T

from pozytywka_spark.errors import LakeError
from pozytywka_spark.lake.frame_writer import write_frame
from pozytywka_spark.lake.run_tasks import SparkTasks
from pozytywka_spark.lake.shards import DataFile, Written
from pozytywka_spark.lake.storage import s3
from pozytywka_spark.lake.table_files import TableFiles, readable
from pozytywka_spark.lake.tasks import Tasks
from pozytywka_spark.schemas import Table


def put_down(
    df: DataFrame,
    name: str,
    partition_by: Sequence[str],
    version: int,
    tasks: Tasks,
    columns: Sequence[str] | None,
) -> list[DataFile]:
    """A table's rows in files of the staging folder, each of one partition; rows are in no order.

    Their `path` is the version that was read: what `rewrite` must find unchanged.
    """
    assert isinstance(tasks, SparkTasks)  # of `Lake.tasks`
    names = [each for each in df.columns if columns is None or each in columns or each in partition_by]
    if set(names) <= set(partition_by):  # a file needs a column
        names = [*names, next(each for each in df.columns if each not in partition_by)]
    nullable = [T.StructField(field.name, field.dataType) for field in df.schema if field.name in names]
    staged = Table(name, T.StructType(nullable), (), tuple(partition_by))
    place = TableFiles(tasks.files.tables.storage, f"{tasks.files.staging}/shards")
    written = write_frame(df.select(*staged.columns), staged, place)
    return [replace(readable(file, staged), path=_at(version)) for file in written]


def check_unchanged(name: str, removed: Sequence[DataFile], version: int) -> None:
    """Raise `LakeError` if the table changed since its rows were put down in these files."""
    if any(file.path != _at(version) for file in removed):
        raise LakeError(f"table {name}: another writer changed it since it was looked at; run it again")


def _at(version: int) -> str:
    return f"version {version}"


def as_frame(spark: SparkSession, written: Sequence[Written], table: Table) -> DataFrame:
    """Rows of files that tasks wrote into the staging folder, partition columns included."""
    if not written:
        return spark.createDataFrame([], table.schema)
    nullable = T.StructType([T.StructField(field.name, field.dataType) for field in table.schema])
    return spark.read.schema(nullable).parquet(*(_address(file.place) for file in written))


def _address(place: str) -> str:
    """As Spark names it: Hadoop's own scheme for S3, the local one whatever the default file system is."""
    if place.startswith("/"):
        return f"file://{place}"
    return f"s3a://{s3.key(place)}" if s3.is_s3(place) else place
