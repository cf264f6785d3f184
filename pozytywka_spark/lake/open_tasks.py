"""Opens and closes what `Lake.tasks()` gives: slots, a staging folder held by a lock, and its end."""

from __future__ import annotations

import importlib
import uuid
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from threading import Thread

import pyarrow as pa
from pyspark.sql import SparkSession

from pozytywka_spark.errors import LakeError
from pozytywka_spark.lake.run_tasks import SparkTasks
from pozytywka_spark.lake.storage import local_files, staging
from pozytywka_spark.lake.storage.filesystem import Storage
from pozytywka_spark.lake.table_files import TableFiles
from pozytywka_spark.lake.task_files import OpenFiles, forget_shared
from pozytywka_spark.spark.session import local_cores


@contextmanager
def open_tasks(spark: SparkSession, tables: TableFiles) -> Iterator[SparkTasks]:
    """Tasks that write files of `tables` and put parcels down in a folder of their own below its root."""
    folder = _new_folder(tables.root)
    with _opened(spark, OpenFiles(tables, folder), tables.root) as opened:
        yield opened


@contextmanager
def open_staging(spark: SparkSession, storage: Storage, root: str) -> Iterator[SparkTasks]:
    """Tasks that write all their files into a folder of their own below `root`, for Spark to read.

    Raises `LakeError` if tasks can't open files there.
    """
    root = storage.plain(root)
    if not storage.opens(root):
        raise LakeError(
            f"lake.root {root}: tasks need a folder that they open by themselves for what they put down; "
            "name one that all machines share, or one on s3://, as lake.staging"
        )
    folder = _new_folder(root)
    tables = TableFiles(storage, f"{folder}/tables", flat=True)
    with _opened(spark, OpenFiles(tables, folder), root) as opened:
        yield opened


def _new_folder(root: str) -> str:
    return f"{root}/{staging.FOLDER}/{uuid.uuid4().hex}"


@contextmanager
def _opened(spark: SparkSession, files: OpenFiles, root: str) -> Iterator[SparkTasks]:
    storage = files.tables.storage
    inline = storage.is_local(root) and str(spark.conf.get("spark.master", "")).startswith("local")
    try:
        with _held(storage, files.staging, root):
            yield SparkTasks(spark, files, slots_of(spark), inline)
    finally:
        forget_shared()


@contextmanager
def workers_awake(spark: SparkSession, modules: Sequence[str]) -> Iterator[None]:
    """Start the Python workers of this machine, with these modules loaded, beside the work inside.

    The first job of a session starts them otherwise, and waits for seconds. Does nothing on a cluster.
    """
    cores = local_cores(str(spark.conf.get("spark.master", "")))
    if not cores:
        yield
        return

    def load(batches: Iterator[pa.RecordBatch]) -> Iterator[pa.RecordBatch]:
        for module in modules:
            importlib.import_module(module)
        yield from batches

    # planned here: a session that is started by it belongs to this thread, and its errors to the caller
    loading = spark.range(0, cores, 1, cores).mapInArrow(load, "id bigint")

    def wake() -> None:
        # a job that fails now fails again, and is told of, as soon as there is work
        with suppress(Exception):
            loading.collect()

    thread = Thread(target=wake, name="wake workers", daemon=True)
    thread.start()
    try:
        yield
    finally:
        thread.join()


def slots_of(spark: SparkSession) -> int:
    """How many tasks keep the session busy: this machine's cores, on a cluster as many as a shuffle has."""
    cores = local_cores(str(spark.conf.get("spark.master", "")))
    return cores or int(spark.conf.get("spark.sql.shuffle.partitions") or 200)


@contextmanager
def _held(storage: Storage, folder: str, root: str) -> Iterator[None]:
    """A staging folder that is there meanwhile, and not taken for a dead one's."""
    if not storage.is_local(root):
        staging.sweep_objects(storage, root)
        try:
            yield
        finally:
            staging.delete_objects(storage, folder)
        return
    local_files.make_folder(folder, root)
    staging.sweep(root)
    with local_files.file_lock(f"{folder}/writer.lock"):
        try:
            yield
        finally:
            local_files.delete(folder)
