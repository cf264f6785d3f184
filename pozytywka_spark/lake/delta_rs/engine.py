"""The delta-rs engine: Spark reads and writes the Parquet files, `deltalake` keeps the log; no jar needed."""

from __future__ import annotations

from collections.abc import Mapping, Sequence, Set
from contextlib import AbstractContextManager
from datetime import datetime

import pyarrow as pa
from deltalake import DeltaTable
from pyspark.sql import DataFrame, SparkSession
from pyspark.sql import types as T

from pozytywka_spark.errors import LakeError
from pozytywka_spark.lake import naming, partitions, types
from pozytywka_spark.lake import row_checks as checks
from pozytywka_spark.lake.api import Commit, Partition, Rows, Txn
from pozytywka_spark.lake.casting import arrow_schema
from pozytywka_spark.lake.changes import Changes
from pozytywka_spark.lake.delta_rs import changes as between
from pozytywka_spark.lake.delta_rs import growth, log, maintenance, merge, read_parquet, written
from pozytywka_spark.lake.delta_rs import supported_features as guard
from pozytywka_spark.lake.delta_rs.file_store import Check, Store, checked, commit_files, write_and_commit
from pozytywka_spark.lake.delta_rs.latest import latest_table
from pozytywka_spark.lake.delta_rs.merge_written import Upsert
from pozytywka_spark.lake.delta_rs.within import check_within, wanted
from pozytywka_spark.lake.notes import read_notes
from pozytywka_spark.lake.open_tasks import open_tasks
from pozytywka_spark.lake.shard_list import check_columns, data_files, shards_of
from pozytywka_spark.lake.shards import DataFile, Shard, Written
from pozytywka_spark.lake.tasks import Tasks
from pozytywka_spark.schemas import Table


class DeltaRsLake:
    """Implements `api.Lake` on a store: a local or mounted folder, or S3-compatible storage."""

    def __init__(self, store: Store, spark: SparkSession) -> None:
        self.root = store.root
        self._store = store
        self._spark = spark
        self._files = store.files

    def exists(self, table: str) -> bool:
        """See `api.Lake`."""
        return log.is_table(self.path(table), self._store.options)

    def path(self, table: str) -> str:
        """See `api.Lake`."""
        return naming.table_path(self.root, table)

    def version(self, table: str) -> int:
        """See `api.Lake`."""
        return self._latest(table).version()

    def schema(self, table: str, *, version: int | None = None) -> T.StructType | None:
        """See `api.Lake`."""
        if not self.exists(table):
            return None
        return types.to_spark(self._snapshot(table, version).schema())

    def txn_version(self, table: str, app: str) -> int | None:
        """See `api.Lake`."""
        delta = latest_table(self.path(table), self._store.options)
        return delta.transaction_version(app) if delta is not None else None

    def read(
        self,
        table: str,
        *,
        version: int | None = None,
        timestamp: datetime | None = None,
        partitions: Sequence[Partition] | None = None,
    ) -> DataFrame:
        """See `api.Lake`."""
        delta = read_parquet.snapshot(table, self.path(table), version, timestamp, self._store.options)
        guard.check_readable(table, delta)
        return self._store.read(self._spark, self.path(table), delta, _files(table, delta, partitions))

    def files(self, table: str) -> list[str]:
        """See `api.Lake`."""
        return [file.path for file in log.active_files(self._latest(table))]

    def rows(
        self,
        table: str,
        columns: Sequence[str] | None = None,
        partitions: Sequence[Partition] | None = None,
    ) -> pa.Table:
        """See `api.Lake`."""
        delta = self._latest(table)
        schema = arrow_schema(types.to_spark(delta.schema()))
        check_columns(table, schema, columns)
        tables = [self._files.read(file, columns) for file in self._data_files(table, delta, partitions)]
        selected = schema if columns is None else pa.schema([schema.field(name) for name in columns])
        return pa.concat_tables([selected.empty_table(), *tables])

    def tasks(self) -> AbstractContextManager[Tasks]:
        """See `api.Lake`."""
        return open_tasks(self._spark, self._files)

    def shards(
        self,
        table: str,
        tasks: Tasks,
        partitions: Sequence[Partition] | None = None,
        columns: Sequence[str] | None = None,
        *,
        version: int | None = None,
    ) -> list[Shard]:
        """See `api.Lake`: from the log, no file is opened."""
        delta = self._snapshot(table, version)
        check_columns(table, arrow_schema(types.to_spark(delta.schema())), columns)
        return shards_of(table, self._data_files(table, delta, partitions))

    def noted(self, files: Sequence[DataFile]) -> list[Mapping[str, str]]:
        """See `api.Lake`."""
        return [*read_notes(self._files.storage, files)]

    def identity(self, table: str) -> str:
        """See `api.Lake`."""
        return str(self._latest(table).metadata().id)

    def changes(
        self,
        table: str,
        since: int,
        tasks: Tasks,
        columns: Sequence[str] | None = None,
        *,
        until: int | None = None,
    ) -> Changes:
        """See `api.Lake`: from the log, no file is opened."""
        return between.changes(table, self._store, self.path(table), since, until)

    def append(self, rows: Rows, table: Table, *, txn: Txn | None = None) -> int | None:
        """See `api.Lake`."""
        return self._write(rows, table, "APPEND", txn, lambda _: ())

    def overwrite(self, rows: Rows, table: Table, *, txn: Txn | None = None) -> int | None:
        """See `api.Lake`."""
        return self._write(rows, table, "OVERWRITE", txn, log.active_files)

    def replace_partitions(
        self, rows: Rows, table: Table, partitions: Sequence[Partition], *, txn: Txn | None = None
    ) -> int | None:
        """See `api.Lake`."""
        rendered = wanted(table, partitions)
        return self._write(
            rows,
            table,
            "REPLACE PARTITIONS",
            txn,
            lambda delta: _within(delta, rendered),
            check=lambda actions: check_within(table, actions, rendered),
        )

    def rewrite(
        self, table: Table, removed: Sequence[DataFile], rows: Rows, *, txn: Txn | None = None
    ) -> int | None:
        """See `api.Lake`."""
        gone = {file.path for file in removed}
        return self._write(rows, table, "REWRITE", txn, lambda delta: _exactly(table.name, delta, gone))

    def upsert(
        self, rows: Rows, table: Table, keys: Sequence[str] | None = None, *, txn: Txn | None = None
    ) -> int | None:
        """See `api.Lake`."""
        keys = tuple(keys or table.keys)
        naming.check_keys(table, keys)
        path = self.path(table.name)
        if not isinstance(rows, DataFrame):
            with self.tasks() as tasks:
                return Upsert(table, keys, self._store, path, tasks, txn).run(rows)
        with checks.as_lake_error():
            source = checks.conforming(rows, table)
            return merge.upsert(self._spark, source, table, keys, self._store, path, txn)

    def grow(self, table: Table) -> int | None:
        """See `api.Lake`."""
        delta = log.open_table(self.path(table.name), self._store.options)
        return None if delta is None else growth.grow(delta, table)

    def history(self, table: str) -> list[Commit]:
        """See `api.Lake`."""
        entries = self._latest(table).history()
        return [log.as_commit(entry) for entry in entries]

    def compact(self, table: str) -> int | None:
        """See `api.Lake`."""
        return maintenance.compact(self._spark, table, self._store, self.path(table))

    def vacuum(self, table: str, *, retention_hours: float, keep_versions: Sequence[int] = ()) -> int:
        """See `api.Lake`."""
        return maintenance.vacuum(table, self._store, self.path(table), retention_hours, keep_versions)

    def _latest(self, table: str) -> DeltaTable:
        return self._snapshot(table, None)

    def _snapshot(self, table: str, version: int | None) -> DeltaTable:
        return read_parquet.snapshot(table, self.path(table), version, None, self._store.options)

    def _data_files(
        self, table: str, delta: DeltaTable, partitions: Sequence[Partition] | None
    ) -> list[DataFile]:
        guard.check_readable(table, delta)
        active = _files(table, delta, partitions)
        return data_files(self._files.storage, self.path(table), delta, active)

    def _write(
        self,
        rows: Rows,
        table: Table,
        operation: str,
        txn: Txn | None,
        removes: log.Removes,
        check: Check | None = None,
    ) -> int | None:
        """Stage, then commit: the one way in for everything that doesn't depend on the rows already there."""
        path = self.path(table.name)
        conforming = checks.conforming(rows, table) if isinstance(rows, DataFrame) else rows
        schema, delta = types.to_delta(table), latest_table(path, self._store.options)
        if log.done_before(delta, txn):
            return None
        replaces = operation != "APPEND"
        new_schema = operation == "OVERWRITE" and delta is not None and not types.holds(delta, table)
        if delta is not None and not new_schema:
            delta = growth.grown(path, table, self._store.options, replaces=replaces)
        change = log.Change(
            table.name,
            operation,
            (),
            schema,
            table.partition_by,
            removes=removes,
            check=lambda latest: _check_table(table, latest, replaces=replaces, new_schema=new_schema),
            txn=txn,
            replaces_schema=new_schema,
        )
        if delta is not None and change.check is not None:
            change.check(delta)
        if isinstance(conforming, DataFrame):
            with checks.as_lake_error():
                return write_and_commit(conforming, table, self._store, path, change, check)
        return self._commit_written(conforming, table, change, check)

    def _commit_written(
        self, rows: pa.Table | Sequence[Written], table: Table, change: log.Change, check: Check | None
    ) -> int | None:
        """Files that the caller's tasks wrote stay the caller's: it may commit them again under its `txn`."""
        path, keep = self.path(table.name), not isinstance(rows, pa.Table)
        self._store.prepare(path)
        actions = written.adding(written.files_of(rows, table, self._files))
        rejected = () if keep else actions
        checked(actions, self._store, path, check, rejected=rejected)
        return commit_files(actions, self._store, path, change, rejected=rejected)


def _files(
    name: str, delta: DeltaTable, partitions_asked: Sequence[Partition] | None
) -> list[log.ActiveFile]:
    """The snapshot's files, of the wanted partitions only."""
    active = log.active_files(delta)
    if partitions_asked is None:
        return active
    partition_columns = delta.metadata().partition_columns
    rendered = partitions.checked(name, types.to_spark(delta.schema()), partition_columns, partitions_asked)
    return [file for file in active if partitions.within(file.partition, rendered)]


def _within(delta: DeltaTable, rendered: Sequence[partitions.Rendered]) -> list[log.ActiveFile]:
    return [file for file in log.active_files(delta) if partitions.within(file.partition, rendered)]


def _exactly(name: str, delta: DeltaTable, paths: Set[str]) -> list[log.ActiveFile]:
    """The files of these paths. Raises `LakeError` if one isn't part of the table any more."""
    active = [file for file in log.active_files(delta) if file.path in paths]
    if len(active) < len(paths):
        raise LakeError(
            f"table {name}: another writer changed the files that were to be rewritten; run it again"
        )
    return active


def _check_table(table: Table, delta: DeltaTable, *, replaces: bool, new_schema: bool) -> None:
    """Raise `LakeError` if the table as it is now can't take rows of the declared one."""
    guard.check_writable(table.name, delta, replaces=replaces)
    if not new_schema:
        types.check_holds(delta, table)
