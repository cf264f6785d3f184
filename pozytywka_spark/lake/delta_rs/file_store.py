"""Where the delta-rs engine keeps a table's files: one small interface, one class a kind of place."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace
from typing import Protocol

from deltalake import DeltaTable
from deltalake.exceptions import DeltaError
from deltalake.transaction import AddAction
from pyspark.sql import DataFrame, SparkSession

from pozytywka_spark.errors import LakeError
from pozytywka_spark.lake.delta_rs import log, written
from pozytywka_spark.lake.frame_writer import write_frame
from pozytywka_spark.lake.table_files import TableFiles
from pozytywka_spark.schemas import Table

Check = Callable[[list[AddAction]], None]
FILE = "_file"


class Store(Protocol):
    """Data files below one root. Paths in arguments are those of tables; in actions, relative to them."""

    root: str
    options: dict[str, str] | None  # what `deltalake` must be told to reach the log
    files: TableFiles

    def check(self) -> None:
        """Raise `LakeError` if nothing can ever be read from or written to the root; creates nothing."""

    def probe(self, spark: SparkSession | None) -> str:
        """Try a write, from tasks too if there is a session; what was found, in words.

        Raises `LakeError`; leaves nothing behind.
        """

    def read(
        self, spark: SparkSession, path: str, table: DeltaTable, active: Sequence[log.ActiveFile]
    ) -> DataFrame:
        """Rows of the files `active` in a snapshot, with the log's schema."""

    def read_with_file(
        self, spark: SparkSession, path: str, table: DeltaTable, active: Sequence[log.ActiveFile]
    ) -> DataFrame:
        """The same with a column `_file`, of which `relative` knows the file's path in the log."""

    def relative(self, file: str, path: str) -> str:
        """The path in the log of the file that `_file` names."""

    def delete(self, path: str) -> None:
        """Delete one file; absent is fine."""

    def data_files(self, path: str) -> set[str]:
        """All Parquet files of a table, in a version or not, relative to it."""

    def prepare(self, path: str) -> None:
        """Make room for a table's files. Raises `LakeError` if there can be none."""

    def sweep(self, path: str) -> None:
        """Delete what dead writers left before their files had a place in the table."""


def write_and_commit(
    df: DataFrame, table: Table, store: Store, path: str, change: log.Change, check: Check | None = None
) -> int | None:
    """Write `df` and commit its files as `change`; files that turn out to be in no commit are deleted."""
    store.prepare(path)
    actions = written.adding(write_frame(df, table, store.files))
    checked(actions, store, path, check)
    return commit_files(actions, store, path, change)


def checked(
    actions: Sequence[AddAction],
    store: Store,
    path: str,
    check: Check | None,
    *,
    rejected: Sequence[AddAction] | None = None,
) -> None:
    """Let `check` see the actions; if it raises, they (or the `rejected`) are deleted."""
    if check is None:
        return
    try:
        check(list(actions))
    except LakeError:
        discard(actions if rejected is None else rejected, store, path)
        raise


def commit_files(
    actions: list[AddAction],
    store: Store,
    path: str,
    change: log.Change,
    *,
    rejected: Sequence[AddAction] | None = None,
) -> int | None:
    """Commit written files; if nothing was committed they, or the `rejected` if given, are deleted."""
    rejected = actions if rejected is None else rejected
    try:
        version = log.commit(path, replace(change, adds=actions, options=store.options))
    except (LakeError, log.Moved):  # raised only where nothing was committed
        discard(rejected, store, path)
        raise
    except (DeltaError, OSError) as error:  # nobody knows: what isn't committed is left to the vacuum
        raise LakeError(f"table {change.name}: {change.operation} failed: {error}") from error
    if version is None:
        discard(rejected, store, path)
    return version


def discard(actions: Sequence[AddAction], store: Store, path: str) -> None:
    """Delete files that are known to be in no commit."""
    for action in actions:
        store.delete(f"{path}/{action.path}")
