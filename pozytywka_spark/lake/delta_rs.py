"""The delta-rs engine: Spark reads and writes the Parquet files, `deltalake` keeps the log; no jar needed."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

from deltalake import DeltaTable
from deltalake.transaction import AddAction
from pyspark.sql import DataFrame, SparkSession
from pyspark.sql import types as T

from pozytywka_spark.errors import LakeError
from pozytywka_spark.lake import log, maintenance, merge, names, partitions, rows, scan, types
from pozytywka_spark.lake import protocol_guard as guard
from pozytywka_spark.lake.api import Commit, Partition, Txn
from pozytywka_spark.lake.store import Check, Store, write_and_commit
from pozytywka_spark.schemas import Table


class DeltaRsLake:
    """Implements `api.Lake` on a store: a local or mounted folder, or S3-compatible storage."""

    def __init__(self, store: Store, spark: SparkSession) -> None:
        self.root = store.root
        self._store = store
        self._spark = spark

    def exists(self, table: str) -> bool:
        """See `api.Lake`."""
        return log.open_table(self.path(table), self._store.options) is not None

    def path(self, table: str) -> str:
        """See `api.Lake`."""
        return names.table_path(self.root, table)

    def version(self, table: str) -> int:
        """See `api.Lake`."""
        return self._latest(table).version()

    def schema(self, table: str) -> T.StructType | None:
        """See `api.Lake`."""
        delta = log.open_table(self.path(table), self._store.options)
        return types.to_spark(delta.schema()) if delta is not None else None

    def txn_version(self, table: str, app: str) -> int | None:
        """See `api.Lake`."""
        delta = log.open_table(self.path(table), self._store.options)
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
        delta = scan.snapshot(table, self.path(table), version, timestamp, self._store.options)
        guard.check_readable(table, delta)
        return self._store.read(self._spark, self.path(table), delta, _files(table, delta, partitions))

    def files(self, table: str) -> list[str]:
        """See `api.Lake`."""
        return [file.path for file in log.active_files(self._latest(table))]

    def append(self, df: DataFrame, table: Table, *, txn: Txn | None = None) -> int | None:
        """See `api.Lake`."""
        return self._write(df, table, "APPEND", txn, lambda _: ())

    def overwrite(self, df: DataFrame, table: Table, *, txn: Txn | None = None) -> int | None:
        """See `api.Lake`."""
        return self._write(df, table, "OVERWRITE", txn, log.active_files)

    def replace_partitions(
        self, df: DataFrame, table: Table, partitions: Sequence[Partition], *, txn: Txn | None = None
    ) -> int | None:
        """See `api.Lake`."""
        wanted = _wanted(table, partitions)
        return self._write(
            df,
            table,
            "REPLACE PARTITIONS",
            txn,
            lambda delta: _within(delta, wanted),
            check=lambda actions: _check_within(table, actions, wanted),
        )

    def upsert(
        self, df: DataFrame, table: Table, keys: Sequence[str] | None = None, *, txn: Txn | None = None
    ) -> int | None:
        """See `api.Lake`."""
        keys = tuple(keys or table.keys)
        names.check_keys(table, keys)
        with rows.in_words():
            return merge.upsert(
                self._spark, rows.conforming(df, table), table, keys, self._store, self.path(table.name), txn
            )

    def grow(self, table: Table) -> int | None:
        """See `api.Lake`."""
        delta = log.open_table(self.path(table.name), self._store.options)
        if delta is None:
            return None
        guard.check_writable(table.name, delta, replaces=False)
        held, by = types.to_spark(delta.schema()), delta.metadata().partition_columns
        new = types.lacking(table, held, by)
        return log.add_columns(delta, table.name, types.as_delta(new)) if new.fields else None

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
        return scan.snapshot(table, self.path(table), None, None, self._store.options)

    def _write(
        self,
        df: DataFrame,
        table: Table,
        operation: str,
        txn: Txn | None,
        removes: log.Removes,
        check: Check | None = None,
    ) -> int | None:
        """Stage, then commit: the one way in for everything that doesn't depend on the rows already there."""
        path = self.path(table.name)
        conforming, schema = rows.conforming(df, table), types.to_delta(table)
        delta = log.open_table(path, self._store.options)
        if log.done_before(delta, txn):
            return None
        new_schema = operation == "OVERWRITE" and delta is not None and not types.holds(delta, table)
        change = log.Change(
            table.name,
            operation,
            (),
            schema,
            table.partition_by,
            removes=removes,
            check=lambda latest: _check_table(
                table, latest, replaces=operation != "APPEND", new_schema=new_schema
            ),
            txn=txn,
            replaces_schema=new_schema,
        )
        if delta is not None and change.check is not None:
            change.check(delta)
        with rows.in_words():
            return write_and_commit(conforming, table, self._store, path, change, check)


def _files(name: str, delta: DeltaTable, wanted: Sequence[Partition] | None) -> list[log.ActiveFile]:
    """The snapshot's files, of the wanted partitions only."""
    found = log.active_files(delta)
    if wanted is None:
        return found
    held = delta.metadata().partition_columns
    rendered = partitions.checked(name, types.to_spark(delta.schema()), held, wanted)
    return [file for file in found if partitions.within(file.partition, rendered)]


def _within(delta: DeltaTable, wanted: Sequence[partitions.Rendered]) -> list[log.ActiveFile]:
    return [file for file in log.active_files(delta) if partitions.within(file.partition, wanted)]


def _wanted(table: Table, named: Sequence[Partition]) -> list[partitions.Rendered]:
    if not named:
        raise LakeError(f"table {table.name}: replace_partitions was told no partition")
    return partitions.checked(table.name, table.schema, table.partition_by, named)


def _check_within(table: Table, actions: Sequence[AddAction], wanted: Sequence[partitions.Rendered]) -> None:
    for action in actions:
        if not partitions.within(action.partition_values, wanted):
            raise LakeError(
                f"table {table.name}: a row lies in {partitions.named(action.partition_values)}, "
                f"outside {'; '.join(map(partitions.named, wanted))}"
            )


def _check_table(table: Table, delta: DeltaTable, *, replaces: bool, new_schema: bool) -> None:
    """Raise `LakeError` if the table as it is now can't take rows of the declared one."""
    guard.check_writable(table.name, delta, replaces=replaces)
    if not new_schema:
        types.check_holds(delta, table)
