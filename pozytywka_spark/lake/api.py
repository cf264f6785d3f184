"""The lake's interface: what every engine offers to the stages."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass
from datetime import date, datetime
from typing import Protocol, TypeAlias

import pyarrow as pa
from pyspark.sql import DataFrame
from pyspark.sql import types as T

from pozytywka_spark.lake.changes import Changes
from pozytywka_spark.lake.shards import DataFile, Shard, Written
from pozytywka_spark.lake.tasks import Tasks
from pozytywka_spark.schemas import Table

PartitionValue = str | int | bool | date | None
Partition = Mapping[str, PartitionValue]
# What is written: a frame of Spark's, few rows of this process, or files that tasks have written already
Rows: TypeAlias = DataFrame | pa.Table | Sequence[Written]


@dataclass(frozen=True)
class Txn:
    """Names a write so that doing it again does nothing: Delta's application transaction.

    `version` must grow within an `app`; a version at or below the last committed one is skipped.
    """

    app: str
    version: int


@dataclass(frozen=True)
class Commit:
    """One entry of a table's history."""

    version: int
    time: datetime
    operation: str
    metadata: Mapping[str, str]


class Lake(Protocol):
    """Delta tables under one root. A table's grain, columns and partitions come from its `Table`.

    Writes take a DataFrame, a `pa.Table` of few rows (written by this process, no Spark job), or the files
    that tasks wrote (`Done.written`), and commit once. Files of a write that isn't committed are in no
    version; the vacuum takes them. Appending, replacing partitions and upserting first add the declared
    columns that the lake's table lacks, null in its rows, if they may be null.
    """

    root: str

    def exists(self, table: str) -> bool:
        """Whether the table has been created."""

    def path(self, table: str) -> str:
        """Where the table lies."""

    def version(self, table: str) -> int:
        """The latest version. Raises `LakeError` if there is no such table."""

    def schema(self, table: str, *, version: int | None = None) -> T.StructType | None:
        """The columns of a version (the latest), None if there is no such table; reads the log alone."""

    def txn_version(self, table: str, app: str) -> int | None:
        """The last version that `app` committed, None if it never did or the table is absent."""

    def read(
        self,
        table: str,
        *,
        version: int | None = None,
        timestamp: datetime | None = None,
        partitions: Sequence[Partition] | None = None,
    ) -> DataFrame:
        """The table's rows, of one version or time, of some partitions only if given.

        Raises `LakeError` naming the table if it, or that version of it, does not exist.
        """

    def files(self, table: str) -> list[str]:
        """Paths of the latest version's data files, the folders of their partitions included."""

    def rows(
        self,
        table: str,
        columns: Sequence[str] | None = None,
        partitions: Sequence[Partition] | None = None,
    ) -> pa.Table:
        """Rows of a small table, brought to this process: some columns, some partitions only if given.

        In the types of the table's schema, columns in its order or the given one. On the delta-rs engine
        without a Spark job. Raises `LakeError` if there is no such table, or no such column.
        """

    def tasks(self) -> AbstractContextManager[Tasks]:
        """Tasks that read and write this lake's files, until the block ends; then what they put down
        (`Parcel`s) is gone, what they wrote is the tables' if it was committed.

        Raises `LakeError` if there is no place for what tasks put down.
        """

    def shards(
        self,
        table: str,
        tasks: Tasks,
        partitions: Sequence[Partition] | None = None,
        columns: Sequence[str] | None = None,
        *,
        version: int | None = None,
    ) -> list[Shard]:
        """A version's (the latest's) shards, in the order of their partition values; none of an empty table.

        Where tasks can't open the table's files, Spark puts its rows (of `columns` only) down for them: such
        files are there as long as `tasks` is open. Raises `LakeError` if there is no such table or version.
        """

    def noted(self, files: Sequence[DataFile]) -> list[Mapping[str, str]]:
        """What was noted as each of the table's files was written (`TaskFiles.write`), in their order.

        Reads footers alone. Nothing is noted in files of other writers, in compacted ones, and in what Spark
        put down for tasks.
        """

    def identity(self, table: str) -> str:
        """What names the table for life: one that was deleted and made again has another, and begins anew
        with its versions. Raises `LakeError` if there is no such table.
        """

    def changes(
        self,
        table: str,
        since: int,
        tasks: Tasks,
        columns: Sequence[str] | None = None,
        *,
        until: int | None = None,
    ) -> Changes:
        """Which files came and went after version `since`, up to `until` (the latest): its log tells.

        Compaction changes nothing. Where a vacuum or the log's clean-up leaves no way to know, `gone` says
        so. Files can be read (of `columns` only) as long as `tasks` is open. Raises `LakeError` if there is
        no such table or version.
        """

    def append(self, rows: Rows, table: Table, *, txn: Txn | None = None) -> int | None:
        """Add rows, creating the table if needed. The new version; None if `txn` was done before."""

    def overwrite(self, rows: Rows, table: Table, *, txn: Txn | None = None) -> int | None:
        """Replace all rows, and the schema if `table`'s is another."""

    def replace_partitions(
        self, rows: Rows, table: Table, partitions: Sequence[Partition], *, txn: Txn | None = None
    ) -> int | None:
        """Replace exactly the named partitions in one commit; one without new rows becomes empty.

        Raises `LakeError` if a row lies outside the named partitions.
        """

    def upsert(
        self, rows: Rows, table: Table, keys: Sequence[str] | None = None, *, txn: Txn | None = None
    ) -> int | None:
        """Update the rows whose `keys` (default: the table's own) match, insert the others.

        Raises `LakeError` if two of the rows have one key.
        """

    def rewrite(
        self, table: Table, removed: Sequence[DataFile], rows: Rows, *, txn: Txn | None = None
    ) -> int | None:
        """Put `rows` in the place of exactly these files (of `shards`), in one commit.

        Raises `LakeError` if one of the files is no longer part of the table: run it again on what is there.
        """

    def grow(self, table: Table) -> int | None:
        """Add the declared columns that the lake's table lacks, null in all its rows; None if it lacks none.

        For tables of which only parts are rewritten, once a release has added a column. Raises `LakeError` if
        the two differ in anything else, or a new column is NOT NULL.
        """

    def history(self, table: str) -> list[Commit]:
        """All commits, latest first."""

    def compact(self, table: str) -> int | None:
        """Rewrite small files as large ones; the data stays the same."""

    def vacuum(self, table: str, *, retention_hours: float, keep_versions: Sequence[int] = ()) -> int:
        """Delete files that no version within the retention, and no kept version, needs; their number."""
