"""Can the lake's root be written? Tried with a file of our own, which is removed again."""

from __future__ import annotations

import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from uuid import uuid4

import pyarrow as pa
from pyspark.sql import SparkSession

from pozytywka_spark.errors import LakeError
from pozytywka_spark.lake.row_checks import SPARK_ERRORS
from pozytywka_spark.lake.storage import local_files
from pozytywka_spark.lake.storage.filesystem import Storage

_TASKS = 8


def probe_local(root: str, spark: SparkSession | None = None) -> str:
    """What was found of a local or mounted root; leaves nothing behind.

    Raises `LakeError` if it can't be written, or if its file system has no locks or no renames: an ingest
    and the merge of two writers rest on both. With a session, tasks must see it too.
    """
    place = local_files.local_root(root)
    local_files.check_root(place)
    there = Path(place)
    while not there.is_dir():
        there = there.parent
    try:
        with tempfile.TemporaryDirectory(prefix="_probe-", dir=there) as folder:
            first, second = Path(folder, "first"), Path(folder, "second")
            first.write_bytes(b"probe")
            first.rename(second)
            with local_files.file_lock(str(second)) as locked:
                if not locked:
                    raise LakeError(f"lake.root {root}: its file system has no locks; choose another place")
            if spark is not None and not _seen_by_tasks(spark, str(second)):
                raise LakeError(
                    f"lake.root {root}: executors don't see what the driver writes there; "
                    "choose a folder that all machines share, or an object store"
                )
    except OSError as error:
        raise LakeError(
            f"lake.root {root} can't be written: {error.strerror}; choose a folder of yours with lake.root"
        ) from error
    return f"{root}: read and written" if there == Path(place) else f"{root}: not there yet, can be made"


def _seen_by_tasks(spark: SparkSession, file: str) -> bool:
    """Whether tasks, as many as there are likely to be executors, find the driver's file."""

    def look(batches: Iterator[pa.RecordBatch]) -> Iterator[pa.RecordBatch]:
        for _ in batches:
            yield pa.RecordBatch.from_pydict({"seen": [Path(file).is_file()]})

    tasks = spark.range(_TASKS, numPartitions=_TASKS)
    return all(row["seen"] for row in tasks.mapInArrow(look, "seen boolean").collect())


def probe_staging(storage: Storage, root: str, spark: SparkSession) -> str:
    """Whether tasks open files below `root` by themselves, as `Lake.tasks` needs; leaves nothing behind.

    Raises `LakeError` with the store's own words.
    """
    problem = refusal(storage, storage.plain(root)) or refusal_of_a_task(storage, storage.plain(root), spark)
    if problem is not None:
        raise LakeError(
            f"{root}: tasks can't write there: {problem}; name another folder as lake.staging, or see "
            "lake.file_systems"
        )
    return f"{root}: read and written by tasks"


def refusal_of_a_task(storage: Storage, root: str, spark: SparkSession) -> str | None:
    """The same, tried by a task: executors have credentials of their own, or none."""

    def attempt(batches: Iterator[pa.RecordBatch]) -> Iterator[pa.RecordBatch]:
        for _ in batches:
            yield pa.RecordBatch.from_pydict({"told": pa.array([refusal(storage, root)], pa.string())})

    problem: str | None = (
        spark.range(1, numPartitions=1).mapInArrow(attempt, "told string").collect()[0]["told"]
    )
    return problem


def refusal(storage: Storage, root: str) -> str | None:
    """Why a file can't be written below `root`; None if it can."""
    place = f"{root}/_probe-{uuid4().hex}"
    try:
        storage.make_parent(place)
        store, name = storage.at(place)
        with store.open_output_stream(name) as target:
            target.write(b"probe")
        storage.delete(place)
    except (OSError, LakeError) as error:
        return " ".join(str(error).split())[:200]
    return None


def probe_remote(root: str, spark: SparkSession) -> str:
    """The same for a root that Hadoop's file system API reaches; needs a classic session.

    Raises `LakeError` with the store's own first line.
    """
    jvm: Any = spark._jvm
    context: Any = spark.sparkContext._jsc
    try:
        path = jvm.org.apache.hadoop.fs.Path(f"{root}/_probe-{uuid4().hex}")
        store = path.getFileSystem(context.hadoopConfiguration())
        store.create(path).close()
        store.delete(path, False)
    except SPARK_ERRORS as error:
        lines = [line for line in str(error).splitlines() if "Exception" in line] or [type(error).__name__]
        raise LakeError(
            f"lake.root {root} can't be written: {lines[0].strip()[:200]}; "
            "are the store's jars on the class path, and its credentials in the environment?"
        ) from error
    return f"{root}: read and written"
