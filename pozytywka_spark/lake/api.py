"""The lake's interface: what every engine offers to the stages."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import Protocol

from pyspark.sql import DataFrame
from pyspark.sql import types as T

from pozytywka_spark.schemas import Table

PartitionValue = str | int | bool | date | None
Partition = Mapping[str, PartitionValue]


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
    """Delta tables under one root. A table's grain, columns and partitions come from its `Table`."""

    root: str

    def exists(self, table: str) -> bool:
        """Whether the table has been created."""

    def path(self, table: str) -> str:
        """Where the table lies."""

    def version(self, table: str) -> int:
        """The latest version. Raises `LakeError` if there is no such table."""

    def schema(self, table: str) -> T.StructType | None:
        """The columns of the latest version, None if there is no such table; reads the log alone."""

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

    def append(self, df: DataFrame, table: Table, *, txn: Txn | None = None) -> int | None:
        """Add rows, creating the table if needed. The new version; None if `txn` was done before."""

    def overwrite(self, df: DataFrame, table: Table, *, txn: Txn | None = None) -> int | None:
        """Replace all rows, and the schema if `table`'s is another."""

    def replace_partitions(
        self, df: DataFrame, table: Table, partitions: Sequence[Partition], *, txn: Txn | None = None
    ) -> int | None:
        """Replace exactly the named partitions in one commit; one without rows in `df` becomes empty.

        Raises `LakeError` if `df` has a row outside the named partitions.
        """

    def upsert(
        self, df: DataFrame, table: Table, keys: Sequence[str] | None = None, *, txn: Txn | None = None
    ) -> int | None:
        """Update the rows whose `keys` (default: the table's own) match, insert the others.

        Raises `LakeError` if `df` has two rows of one key.
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
