"""The delta-spark engine: Delta's own JVM classes in the session do everything."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from contextlib import AbstractContextManager, nullcontext
from datetime import datetime

import pyarrow as pa
from pyspark.sql import DataFrame, SparkSession
from pyspark.sql import functions as F
from pyspark.sql import types as T

from pozytywka_spark.errors import LakeError
from pozytywka_spark.lake import naming, spark_shards, types
from pozytywka_spark.lake import row_checks as checks
from pozytywka_spark.lake.api import Commit, Partition, Rows, Txn
from pozytywka_spark.lake.casting import arrow_schema, declared
from pozytywka_spark.lake.changes import Changes
from pozytywka_spark.lake.delta_rs import merge
from pozytywka_spark.lake.delta_spark import changes as between
from pozytywka_spark.lake.delta_spark import log as log
from pozytywka_spark.lake.delta_spark import table as jvm
from pozytywka_spark.lake.delta_spark.writes import delta_writer, merge_into, only_partitions, partitions_of
from pozytywka_spark.lake.open_tasks import open_staging
from pozytywka_spark.lake.replace_where import predicate
from pozytywka_spark.lake.shard_list import check_columns, shards_of
from pozytywka_spark.lake.shards import DataFile, Shard
from pozytywka_spark.lake.storage import local_files
from pozytywka_spark.lake.storage.filesystem import Storage
from pozytywka_spark.lake.tasks import Tasks
from pozytywka_spark.schemas import Table


class DeltaSparkLake:
    """Implements `api.Lake` wherever Spark's file systems reach."""

    def __init__(self, root: str, spark: SparkSession, storage: Storage, staging: str | None = None) -> None:
        self.root = root.rstrip("/")
        self._spark = spark
        self._storage = storage
        self._staging = staging or self.root

    def exists(self, table: str) -> bool:
        """See `api.Lake`."""
        return log.load(self._spark, self.path(table)) is not None

    def path(self, table: str) -> str:
        """See `api.Lake`."""
        return naming.table_path(self.root, table)

    def version(self, table: str) -> int:
        """See `api.Lake`."""
        self._latest(table)
        return log.latest_version(self._spark, self.path(table))

    def schema(self, table: str, *, version: int | None = None) -> T.StructType | None:
        """See `api.Lake`."""
        if version is not None and self.exists(table):
            return self.read(table, version=version).schema
        loaded = log.load(self._spark, self.path(table))
        return loaded.schema if loaded is not None else None

    def txn_version(self, table: str, app: str) -> int | None:
        """See `api.Lake`."""
        return log.txn_version(self._spark, self.path(table), app) if self.exists(table) else None

    def read(
        self,
        table: str,
        *,
        version: int | None = None,
        timestamp: datetime | None = None,
        partitions: Sequence[Partition] | None = None,
    ) -> DataFrame:
        """See `api.Lake`."""
        if version is not None and timestamp is not None:
            raise LakeError(f"table {table}: give a version or a timestamp, not both")
        latest = self._latest(table)
        rows = latest
        if version is not None or timestamp is not None:
            rows = log.load_as_of(self._spark, table, self.path(table), version, timestamp)
        return (
            rows
            if partitions is None
            else only_partitions(rows, table, partitions, self._partition_by(table))
        )

    def files(self, table: str) -> list[str]:
        """See `api.Lake`."""
        return self._latest(table).inputFiles()

    def rows(
        self,
        table: str,
        columns: Sequence[str] | None = None,
        partitions: Sequence[Partition] | None = None,
    ) -> pa.Table:
        """See `api.Lake`."""
        frame = self.read(table, partitions=partitions)
        schema = arrow_schema(frame.schema)
        check_columns(table, schema, columns)
        names = list(columns or schema.names)
        return frame.select(*names).toArrow().cast(pa.schema([schema.field(name) for name in names]))

    def tasks(self) -> AbstractContextManager[Tasks]:
        """See `api.Lake`: what tasks write is put down until Spark writes it into the table."""
        return open_staging(self._spark, self._storage, self._staging)

    def shards(
        self,
        table: str,
        tasks: Tasks,
        partitions: Sequence[Partition] | None = None,
        columns: Sequence[str] | None = None,
        *,
        version: int | None = None,
    ) -> list[Shard]:
        """See `api.Lake`: Spark reads the rows and puts them down."""
        version, by = self.version(table) if version is None else version, self._partition_by(table)
        frame = self.read(table, version=version, partitions=partitions)
        check_columns(table, arrow_schema(frame.schema), columns)
        return shards_of(table, spark_shards.put_down(frame, table, by, version, tasks, columns))

    def noted(self, files: Sequence[DataFile]) -> list[Mapping[str, str]]:
        """See `api.Lake`: the files of `shards` are Spark's, whoever wrote the table's."""
        return [{} for _ in files]

    def identity(self, table: str) -> str:
        """See `api.Lake`."""
        self._latest(table)
        return log.identity(self._spark, self.path(table))

    def changes(
        self,
        table: str,
        since: int,
        tasks: Tasks,
        columns: Sequence[str] | None = None,
        *,
        until: int | None = None,
    ) -> Changes:
        """See `api.Lake`: Spark reads the rows of the files and puts them down."""
        latest = self.version(table)
        last = latest if until is None else until
        if last > latest:
            raise LakeError(f"table {table}: no version {last}; its versions are 0 to {latest}")
        return between.changes(self._spark, table, self.path(table), since, last, tasks, columns)

    def append(self, rows: Rows, table: Table, *, txn: Txn | None = None) -> int | None:
        """See `api.Lake`."""
        return self._write(rows, table, "append", txn, {})

    def overwrite(self, rows: Rows, table: Table, *, txn: Txn | None = None) -> int | None:
        """See `api.Lake`."""
        return self._write(rows, table, "overwrite", txn, {"overwriteSchema": "true"})

    def replace_partitions(
        self, rows: Rows, table: Table, partitions: Sequence[Partition], *, txn: Txn | None = None
    ) -> int | None:
        """See `api.Lake`."""
        rendered = partitions_of(table, partitions)
        # Delta checks replaceWhere itself, but not in words that name the table and its partitions
        checked = checks.only_within(self._conforming(rows, table), table, rendered)
        if not self.exists(table.name):
            return self._write(checked, table, "append", txn, {})
        return self._write(checked, table, "overwrite", txn, {"replaceWhere": predicate(table, rendered)})

    def rewrite(
        self, table: Table, removed: Sequence[DataFile], rows: Rows, *, txn: Txn | None = None
    ) -> int | None:
        """See `api.Lake`: the files must be whole shards, whose partitions are replaced."""
        if self._done_before(table, txn):
            return None
        spark_shards.check_unchanged(table.name, removed, self.version(table.name))
        if not table.partition_by:
            return self.overwrite(rows, table, txn=txn)
        gone = {tuple(file.partition.items()): file.partition for file in removed}
        return self.replace_partitions(rows, table, list(gone.values()), txn=txn)

    def upsert(
        self, rows: Rows, table: Table, keys: Sequence[str] | None = None, *, txn: Txn | None = None
    ) -> int | None:
        """See `api.Lake`."""
        keys = tuple(keys or table.keys)
        naming.check_keys(table, keys)
        source = self._conforming(rows, table)
        with checks.as_lake_error():
            merge.check_unique(source, table, keys)
            if not self.exists(table.name):
                return self.append(source, table, txn=txn)
            if self._done_before(table, txn):
                return None
            self._grow_and_check(table)
            with (
                jvm.transaction(self._spark, txn),
                self._turn(table.name),
                jvm.as_lake_error(table.name, "upsert"),
            ):
                merge_into(self.path(table.name), source, table, keys)
        return self.version(table.name)

    def grow(self, table: Table) -> int | None:
        """See `api.Lake`."""
        if not self.exists(table.name):
            return None
        existing, by = self._latest(table.name), self._partition_by(table.name)
        new = types.lacking(table, existing.schema, by)
        if not new.fields:
            return None
        nothing = existing.limit(0).withColumns(
            {field.name: F.lit(None).cast(field.dataType) for field in new}
        )
        with self._turn(table.name), jvm.as_lake_error(table.name, "add columns"):
            writer = delta_writer(nothing, Table(table.name, nothing.schema, (), tuple(by)), None)
            writer.mode("append").option("mergeSchema", "true").save(self.path(table.name))
        return self.version(table.name)

    def history(self, table: str) -> list[Commit]:
        """See `api.Lake`."""
        self._latest(table)
        return log.history(self._spark, self.path(table))

    def compact(self, table: str) -> int | None:
        """See `api.Lake`."""
        before = self.version(table)
        with self._turn(table), jvm.as_lake_error(table, "compact"):
            jvm.compact(self._spark, self.path(table))
        after = self.version(table)
        return after if after > before else None

    def vacuum(self, table: str, *, retention_hours: float, keep_versions: Sequence[int] = ()) -> int:
        """See `api.Lake`."""
        if retention_hours < 0:
            raise LakeError(
                f"table {table}: vacuum with retention_hours={retention_hours}: expected 0 or more"
            )
        hours = log.retention_with_pins(table, self.history(table), retention_hours, keep_versions)
        with self._turn(table), jvm.as_lake_error(table, "vacuum"):
            return jvm.vacuum(self._spark, self.path(table), hours)

    def _turn(self, table: str) -> AbstractContextManager[None]:
        """Nobody else commits to a local table meanwhile; stores have Delta's log stores for it."""
        path = self.path(table)
        return local_files.turn(path, alone=True) if path.startswith("/") else nullcontext()

    def _latest(self, table: str) -> DataFrame:
        loaded = log.load(self._spark, self.path(table))
        if loaded is None:
            raise LakeError(
                f"table {table}: there is none at {self.path(table)}; run the stage that makes it first"
            )
        return loaded

    def _partition_by(self, table: str) -> list[str]:
        return log.partition_columns(self._spark, self.path(table))

    def _conforming(self, rows: Rows, table: Table) -> DataFrame:
        if isinstance(rows, pa.Table):
            naming.check_declaration(table)
            rows = self._spark.createDataFrame(declared(rows, table), table.schema)
        elif not isinstance(rows, DataFrame):
            rows = spark_shards.as_frame(self._spark, rows, table)
        return checks.conforming(rows, table)

    def _grow_and_check(self, table: Table) -> None:
        """Raise `LakeError` if the lake's table differs, in the words of the other engine."""
        self.grow(table)
        types.check_same(table, self._latest(table.name).schema, self._partition_by(table.name))

    def _done_before(self, table: Table, txn: Txn | None) -> bool:
        if txn is None:
            return False
        last = self.txn_version(table.name, txn.app)
        return last is not None and last >= txn.version

    def _write(
        self, rows: Rows, table: Table, mode: str, txn: Txn | None, options: Mapping[str, str]
    ) -> int | None:
        checked = self._conforming(rows, table)
        new = not self.exists(table.name)
        if self._done_before(table, txn):
            return None
        if not new and "overwriteSchema" not in options:
            self._grow_and_check(table)
        writer = delta_writer(checked, table, txn).mode(mode).options(**options)
        if new:
            writer = writer.options(**log.CONFIGURATION, **log.without_bounds(table))
        with self._turn(table.name), jvm.as_lake_error(table.name, mode), checks.as_lake_error():
            writer.save(self.path(table.name))
        return self.version(table.name)
