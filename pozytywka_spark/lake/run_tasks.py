"""Work in Spark's tasks: one job of one stage, or the process itself where a job would cost more."""

from __future__ import annotations

import gc
import os
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING, Any, TypeVar

import pyarrow as pa
from pyspark.resource import ResourceProfile, ResourceProfileBuilder, TaskResourceRequests
from pyspark.sql import DataFrame, SparkSession
from pyspark.sql import types as T

from pozytywka_spark.errors import PozytywkaError
from pozytywka_spark.lake import task_errors
from pozytywka_spark.lake.shards import Parcel, Written, pack
from pozytywka_spark.lake.task_files import OpenFiles
from pozytywka_spark.lake.task_lines import LINE, as_batch, collected
from pozytywka_spark.lake.tasks import Done, Result, RowsOf, Work
from pozytywka_spark.spark.temporary_conf import without_codegen

if TYPE_CHECKING:
    import polars as pl

Item = TypeVar("Item")
# Small work is done at once by the process itself: a job costs as much as kernels take for more than that
INLINE_BYTES = 4 << 20
INLINE_ITEMS = 64
_TASKS_PER_SLOT = 3  # so that a slot that is done early takes over from the others
_BATCH_ROWS = 10_000  # of a frame's rows that Spark takes at once
_TASK_BYTES = 4 << 20  # less is not worth a task of its own
_Line = tuple[str, Any]
_TOLD, _PARCEL, _WRITTEN = "told", "parcel", "written"


@dataclass(frozen=True)
class SparkTasks:
    """Implements `tasks.Tasks`. `inline`: the process may do small work by itself, for it shares the tasks'
    machine and files.
    """

    spark: SparkSession
    files: OpenFiles
    slots: int
    inline: bool

    @property
    def here(self) -> bool:
        """See `tasks.Tasks`."""
        return _on_one_machine(self.spark)

    def put(self, kind: str, rows: pl.DataFrame, key: tuple[str | int, ...] = ()) -> Parcel:
        """See `tasks.Tasks`."""
        return self.files.put(kind, rows, key)

    def fetch(self, parcels: Sequence[Parcel]) -> pl.DataFrame:
        """See `tasks.Tasks`."""
        return self.files.read(parcels)

    def frame(self, items: Sequence[Item], rows: RowsOf[Item], schema: T.StructType) -> DataFrame:
        """See `tasks.Tasks`."""
        work = _Rows(tuple(items), rows, self.files, tuple(schema.names))
        return self.spark.range(0, len(items), 1, len(items)).mapInArrow(work, schema)

    def run(
        self,
        items: Sequence[Item],
        work: Work[Item],
        *,
        weight: Callable[[Item], int],
        named: Callable[[Item], str],
        cpus: int = 1,
    ) -> Done:
        """See `tasks.Tasks`. Raises what `work` raises of our own errors, in its class and words; `LakeError`
        naming the items of a task whose worker died.
        """
        if not items:
            return Done((), (), ())
        total = sum(map(weight, items))
        if self.inline and total <= INLINE_BYTES and len(items) <= INLINE_ITEMS:
            return _done(_lines(items, work, self.files))
        worth = max(self.slots, -(-total // _TASK_BYTES))
        tasks = pack(items, weight, min(worth, _TASKS_PER_SLOT * self.slots))
        job = _Job(tuple(map(tuple, tasks)), work, self.files)
        numbers = self.spark.range(0, len(tasks), 1, len(tasks))
        frame = numbers.mapInArrow(job, LINE, profile=_wider(self.spark, cpus))
        with (
            task_errors.as_our_error(self.spark, tasks, named),
            _tagged(self.spark, work),
            without_codegen(self.spark),
        ):
            return _done(collected(frame))


@dataclass(frozen=True)
class _Rows:
    """A `mapInArrow` function: the number of an item in, its rows out, columns matched by name."""

    items: tuple[Any, ...]
    rows: RowsOf[Any]
    files: OpenFiles
    columns: tuple[str, ...]

    def __call__(self, batches: Iterator[pa.RecordBatch]) -> Iterator[pa.RecordBatch]:
        for batch in batches:
            for number in batch.column(0).to_pylist():
                for frame in self.rows(self.items[number], self.files):
                    yield from frame.select(self.columns).to_arrow().to_batches(max_chunksize=_BATCH_ROWS)


def _wider(spark: SparkSession, cpus: int) -> ResourceProfile | None:
    """Places of so many cpus, unless a task has them; on one machine the cores are anybody's."""
    if _on_one_machine(spark) or cpus <= int(spark.conf.get("spark.task.cpus", "1") or 1):
        return None
    return ResourceProfileBuilder().require(TaskResourceRequests().cpus(cpus)).build


def _on_one_machine(spark: SparkSession) -> bool:
    return str(spark.conf.get("spark.master", "")).startswith("local")


@contextmanager
def _tagged(spark: SparkSession, work: Work[Any]) -> Iterator[None]:
    """Spark's UI and event log name the jobs inside by their work."""
    whole = work.func if isinstance(work, partial) else work
    tag = f"pozytywka {getattr(whole, '__name__', type(whole).__name__)}"
    spark.addTag(tag)
    try:
        yield
    finally:
        spark.removeTag(tag)


@dataclass(frozen=True)
class _Job:
    """A `mapInArrow` function: the number of a task in, what it did out, a line for each thing."""

    tasks: tuple[Sequence[Any], ...]
    work: Work[Any]
    files: OpenFiles

    def __call__(self, batches: Iterator[pa.RecordBatch]) -> Iterator[pa.RecordBatch]:
        # PySpark collects garbage behind every task. All that is here by now, modules above all, is to stay:
        # it isn't searched again and again, 30 ms at each task's end and more within it
        gc.freeze()
        pa.set_cpu_count(int(os.environ.get("POLARS_MAX_THREADS") or 1))
        for batch in batches:
            for number in batch.column(0).to_pylist():
                yield as_batch(self._of(self.tasks[number]))

    def _of(self, items: Sequence[Any]) -> list[_Line]:
        try:
            return list(_lines(items, self.work, self.files))
        except PozytywkaError as error:
            raise task_errors.marked(error) from error


def _lines(items: Sequence[Any], work: Work[Any], files: OpenFiles) -> Iterator[_Line]:
    """What work tells, and then what it put down and wrote."""
    mine = OpenFiles(files.tables, files.staging)
    for result in work(items, mine):
        yield _TOLD, dict(result)
    yield from ((_PARCEL, parcel) for parcel in mine.parcels)
    yield from ((_WRITTEN, written) for written in mine.written)


def _done(lines: Iterable[_Line]) -> Done:
    results: list[Result] = []
    parcels: list[Parcel] = []
    written: list[Written] = []
    into: dict[str, list[Any]] = {_TOLD: results, _PARCEL: parcels, _WRITTEN: written}
    for kind, value in lines:
        into[kind].append(value)
    return Done(tuple(results), tuple(parcels), tuple(written))
