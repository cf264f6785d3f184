"""The book of files done, where Spark's file source can't keep it: raw files or a lake on an object store.

It works as the source's own does: which files make a batch is put down before the batch begins, so that an
attempt that was cut short is made again with the same ones, under the same transaction; a path is looked
at once. One ingest at a time, as everywhere.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from pyarrow import fs
from pyspark.errors import PySparkException
from pyspark.sql import DataFrame, SparkSession
from pyspark.sql import functions as F

from pozytywka_spark.config import Settings
from pozytywka_spark.errors import DataError
from pozytywka_spark.ingest import objects
from pozytywka_spark.ingest.batch import Source, ingest_batch
from pozytywka_spark.ingest.rawfile import RawFile
from pozytywka_spark.lake import s3
from pozytywka_spark.lake.api import Lake


def is_needed(settings: Settings) -> bool:
    """Whether Spark, without further jars, doesn't reach the raw files or has no place for its checkpoint."""
    on_s3 = s3.is_s3(settings.raw_path) or s3.is_s3(settings.lake.root)
    return on_s3 and settings.lake.engine == "delta-rs"


def take_in(
    spark: SparkSession, lake: Lake, settings: Settings, source: Source, listed: Sequence[RawFile]
) -> frozenset[str]:
    """Take in all listed files that the stream hasn't read yet; the files that had rows.

    Raises the `PozytywkaError` of the batch that failed, or `DataError` naming a file that can't be read.
    """
    endpoint = s3.endpoint(settings.s3)
    book = Book(f"{lake.root}/_checkpoints/{source.stream}", endpoint)
    plans = book.plans()
    read: set[str] = set()
    if plans:  # the others were done before the last was begun
        number = max(plans)
        read |= _batch(spark, lake, source, _of(listed, plans[number]), number, endpoint)
    planned = {path for paths in plans.values() for path in paths}
    rest = [file for file in listed if file.path not in planned]
    step = settings.ingest.max_files_per_batch or max(1, len(rest))
    for number, start in enumerate(range(0, len(rest), step), start=max(plans, default=-1) + 1):
        files = rest[start : start + step]
        book.put_down(number, [file.path for file in files])
        read |= _batch(spark, lake, source, files, number, endpoint)
    return frozenset(read)


@dataclass(frozen=True)
class Book:
    """A file for each batch of a stream: the paths that it reads."""

    folder: str
    endpoint: s3.Endpoint

    def plans(self) -> Mapping[int, tuple[str, ...]]:
        """All batches ever begun, by number."""
        store, path = self._place()
        found = store.get_file_info(fs.FileSelector(path, allow_not_found=True))
        plans = {}
        for info in found:
            if info.type == fs.FileType.File and info.extension == "json":
                with store.open_input_stream(info.path) as source:
                    plans[int(info.base_name.removesuffix(".json"))] = tuple(json.loads(source.read()))
        return plans

    def put_down(self, number: int, paths: Sequence[str]) -> None:
        """Whole or not at all: an object appears at its end, a local file by a rename."""
        store, path = self._place()
        store.create_dir(path, recursive=True)
        name = f"{path}/{number}.json"
        written = name if s3.is_s3(self.folder) else f"{name}.new"
        with store.open_output_stream(written) as target:
            target.write(json.dumps(list(paths)).encode())
        if written != name:
            store.move(written, name)

    def _place(self) -> tuple[fs.FileSystem, str]:
        if s3.is_s3(self.folder):
            return s3.filesystem(self.endpoint), s3.key(self.folder)
        return fs.LocalFileSystem(), self.folder


def _of(listed: Sequence[RawFile], paths: Sequence[str]) -> list[RawFile]:
    """The planned files that are still there, as they are now."""
    wanted = set(paths)
    return [file for file in listed if file.path in wanted]


def _batch(
    spark: SparkSession,
    lake: Lake,
    source: Source,
    files: Sequence[RawFile],
    number: int,
    endpoint: s3.Endpoint,
) -> frozenset[str]:
    if not files:
        return frozenset()
    try:
        return ingest_batch(spark, lake, source, _lines(spark, files, endpoint), number)
    except (PySparkException, ValueError) as error:
        text = str(error)
        start = text.find(objects.MARK)
        if start < 0:
            raise
        what = text[start + len(objects.MARK) :].splitlines()[0]
        raise DataError(
            f"{what}; deliver the file again; nothing of this batch of {source.contract.entity} was taken in"
        ) from error


def _lines(spark: SparkSession, files: Sequence[RawFile], endpoint: s3.Endpoint) -> DataFrame:
    if s3.is_s3(files[0].path):
        return objects.read_lines(spark, files, endpoint)
    paths = [f"file://{file.path}" if file.path.startswith("/") else file.path for file in files]
    return spark.read.option("globPaths", "false").text(paths).select("value", F.col("_metadata"))
