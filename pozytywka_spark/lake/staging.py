"""Spark writes the files of a commit into a staging folder; the driver moves them into place."""

from __future__ import annotations

import time
import uuid
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager

from deltalake.transaction import AddAction
from pyspark.sql import DataFrame

from pozytywka_spark.lake import files, partitions, statistics
from pozytywka_spark.lake.store import Check
from pozytywka_spark.schemas import Table

FOLDER = "_staging"
LIVE_WRITER_HOURS = 24.0  # nothing younger is taken for a dead writer's
_THREADS = 8
_TIMESTAMPS = "spark.sql.parquet.outputTimestampType"


@contextmanager
def staged(
    df: DataFrame, table: Table, root: str, path: str, check: Check | None = None
) -> Iterator[list[AddAction]]:
    """Write `df` beside the table's data; yields the actions that would add its files.

    Spark writes inside the folder `_staging/<uuid>`, so that a crash leaves nothing where the
    table's files are. `check` sees the actions first and may raise. The files are in place but in
    no version of the table until a commit names them.
    """
    folder = f"{path}/{FOLDER}/{uuid.uuid4().hex}"
    files.make_folder(folder, root)
    sweep(path)
    with files.held(f"{folder}/writer.lock"):
        try:
            _write(df, table, f"{folder}/data")
            actions = _describe(f"{folder}/data", table)
            if check is not None:
                check(actions)
            _place(actions, f"{folder}/data", path)
        finally:
            files.delete(folder)
    yield actions


def sweep(path: str, older_than_hours: float = LIVE_WRITER_HOURS) -> int:
    """Delete what dead writers left in staging; their number.

    Dead means both: nothing in the folder changed for that long, and nobody holds its lock (the
    system frees a dead process's lock; the age covers file systems that don't pass locks on).
    """
    swept = 0
    for name in files.folders(f"{path}/{FOLDER}"):
        folder = f"{path}/{FOLDER}/{name}"
        if files.newest_change(folder) > time.time() - older_than_hours * 3600:
            continue
        with files.held(f"{folder}/writer.lock") as free:
            if free:
                files.delete(folder)
                swept += 1
    return swept


def _write(df: DataFrame, table: Table, folder: str) -> None:
    # Spark's default INT96 timestamps carry no statistics
    df.sparkSession.conf.set(_TIMESTAMPS, "TIMESTAMP_MICROS")
    if table.partition_by:
        # without it each task writes a file into each partition; adaptive execution splits what is large
        df = df.hint("rebalance", *table.partition_by)
    if table.sorted_by:
        df = df.sortWithinPartitions(*table.partition_by, *table.sorted_by)
    writer = df.write.partitionBy(*table.partition_by) if table.partition_by else df.write
    writer.parquet(f"file://{folder}")


def _describe(folder: str, table: Table) -> list[AddAction]:
    """An action for each staged file that has rows; Spark writes one without for an empty frame."""
    columns = statistics.leaves(table.schema, table.partition_by)
    now = int(time.time() * 1000)

    def describe(relative: str) -> AddAction | None:
        stats = statistics.read_footer(f"{folder}/{relative}", columns)
        if not stats.records:
            return None
        # the path as it is on disk: deltalake itself encodes it for the log
        return AddAction(
            path=relative,
            size=files.size(f"{folder}/{relative}"),
            partition_values=partitions.of_path(relative),
            modification_time=now,
            data_change=True,
            stats=stats.text,
        )

    with ThreadPoolExecutor(_THREADS) as threads:
        return [action for action in threads.map(describe, files.walk(folder, ".parquet")) if action]


def _place(actions: Sequence[AddAction], folder: str, path: str) -> None:
    with ThreadPoolExecutor(_THREADS) as threads:
        list(
            threads.map(
                lambda action: files.move(f"{folder}/{action.path}", f"{path}/{action.path}"), actions
            )
        )
