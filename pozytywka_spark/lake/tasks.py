"""Kernels run by tasks that open their own files: what a stage asks for, and what a kernel is given.

A stage plans, runs work over items (shards, parts of files, parcels of an earlier job) and commits once:

    with lake.tasks() as tasks:
        shards = lake.shards("events", tasks, [{"event_month": month}])
        tracks = tasks.put("tracks", small)  # each worker loads it once
        done = tasks.run(shards, Work(tracks), weight=lambda shard: shard.size, named=describe)
        lake.replace_partitions(done.written, TABLE, [{"month": month}], txn=txn)

`Work` is a function, or a frozen dataclass with `__call__`, of a module that workers can import; its fields
are sent to every task, so they are settings and parcels, never rows. It takes items one at a time, so that a
task holds no more than one item's rows.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Protocol, TypeVar

from pozytywka_spark.lake.shards import DataFile, Parcel, Written

if TYPE_CHECKING:
    import polars as pl
    from pyspark.sql import DataFrame, SparkSession
    from pyspark.sql import types as T

    from pozytywka_spark.schemas import Table

Item = TypeVar("Item")
Result = Mapping[str, Any]


class TaskFiles(Protocol):
    """What a kernel reads and writes through, inside a task."""

    def read(
        self,
        files: Sequence[DataFile | Parcel],
        columns: Sequence[str] | None = None,
        coded: Sequence[str] = (),
    ) -> pl.DataFrame:
        """Rows of files (of one table, or parcels of one kind) below each other, of some columns only.

        Partition columns of a table's files are there as any other; a column that a file lacks is null.
        `coded`: columns of texts that repeat, which come as `pl.Enum` where the files hold each text once: to
        tell texts apart a row is then no work.
        """

    def read_parts(self, file: DataFile, columns: Sequence[str] | None = None) -> Iterator[pl.DataFrame]:
        """`read` of one file a row group at a time, for rows so wide that a file of them is too much."""

    def shared(
        self, files: Sequence[DataFile | Parcel], columns: Sequence[str] | None = None
    ) -> pl.DataFrame:
        """`read`, once for each worker process: for small tables that every task needs."""

    def stage(self, kind: str, rows: pl.DataFrame, key: tuple[str | int, ...] = ()) -> None:
        """Put rows down for a later job, as a `Parcel` of this kind and key; no rows: nothing."""

    def write(
        self,
        table: Table,
        rows: pl.DataFrame,
        partition: Mapping[str, Any] | None = None,
        noted: Mapping[str, str] | None = None,
    ) -> None:
        """Write rows as a data file of the table, with statistics, in a partition (typed values).

        `rows` has the table's columns by name, but for partition columns; no rows: nothing. `noted` is put
        into the file's footer, for `Lake.noted`.
        """

    def write_runs(
        self, table: Table, rows: pl.DataFrame, runs: Sequence[tuple[int, Mapping[str, Any]]]
    ) -> None:
        """`write` of rows that lie by partition, a file a run: how many rows and which partition."""


# A kernel's outer side: a task's items in, small JSON-like facts out; rows go through `TaskFiles`.
Work = Callable[[Sequence[Item], TaskFiles], Iterator[Result]]
# The same where rows are to be Spark's: one item in, frames with the schema's columns out.
RowsOf = Callable[[Item, TaskFiles], "Iterator[pl.DataFrame]"]


@dataclass(frozen=True)
class Done:
    """What a job's tasks yielded (in no order), put down and wrote."""

    results: tuple[Result, ...]
    parcels: tuple[Parcel, ...]
    written: tuple[Written, ...]

    def of(self, kind: str) -> list[Parcel]:
        """The parcels of a kind."""
        return [parcel for parcel in self.parcels if parcel.kind == kind]


class Tasks(Protocol):
    """Runs work in tasks. Opened by `Lake.tasks()`, which deletes what was staged at its end."""

    @property
    def slots(self) -> int:
        """How many tasks keep the session busy."""

    @property
    def here(self) -> bool:
        """Whether tasks run on this process's machine, so that it may as well do work by itself."""

    @property
    def spark(self) -> SparkSession:
        """The session, for libraries that work on Spark's frames."""

    def frame(self, items: Sequence[Item], rows: RowsOf[Item], schema: T.StructType) -> DataFrame:
        """What `rows` makes of the items, as Spark's frame: a partition an item, made whenever it is read.

        For libraries that train on frames. It can be read as long as the tasks are open.
        """

    def put(self, kind: str, rows: pl.DataFrame, key: tuple[str | int, ...] = ()) -> Parcel:
        """Put few rows of the driver's down, for tasks to read (`TaskFiles.shared`)."""

    def fetch(self, parcels: Sequence[Parcel]) -> pl.DataFrame:
        """Few rows to the driver: those of parcels of one kind, one at least, below each other."""

    def run(
        self,
        items: Sequence[Item],
        work: Work[Item],
        *,
        weight: Callable[[Item], int],
        named: Callable[[Item], str],
        cpus: int = 1,
    ) -> Done:
        """`work` over all items, packed by `weight` (bytes) into tasks.

        `cpus`: how many each task will use at once; on a cluster it gets a place with as many.
        Small work is done by the process itself where that is the machine of the tasks anyway. `named` says
        what an item is, for errors: a worker that dies names the items that it held. No items: nothing runs.
        """
