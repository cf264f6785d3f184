"""Raw files on S3-compatible storage, for a Spark without Hadoop's file system for it: listing and lines.

Executors read the objects through Arrow; what comes out is what Spark's text source would give.
"""

from __future__ import annotations

import bz2
import gzip
import zlib
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from pathlib import PurePosixPath
from typing import Any
from urllib.parse import quote

import pyarrow as pa
from pyarrow import fs
from pyspark.sql import DataFrame, SparkSession
from pyspark.sql import functions as F

from pozytywka_spark.errors import DataError
from pozytywka_spark.ingest.rawfile import RawFile
from pozytywka_spark.lake import s3

MARK = "[raw] "
SPLIT_BYTES = 64 << 20
_CHUNK = 8 << 20
Opener = Callable[[Any], Any]
_OPENERS: dict[str, Opener] = {".gz": lambda packed: gzip.GzipFile(fileobj=packed), ".bz2": bz2.BZ2File}
_UNREADABLE = frozenset({".zst", ".lz4", ".snappy", ".deflate", ".xz"})
_SPLITS = "path string, start bigint, end bigint, size bigint, modified bigint"
_LINES = "value binary, path string, size bigint, modified bigint"
_ARROW = pa.schema({"value": pa.binary(), "path": pa.string(), "size": pa.int64(), "modified": pa.int64()})


def list_objects(root: str, endpoint: s3.Endpoint) -> list[RawFile]:
    """All objects with something in them below `root`, but for hidden ones, which Spark passes over, too.

    Raises `DataError` if the store doesn't answer, or if there is nothing at all.
    """
    below = s3.key(root).rstrip("/") + "/"
    try:
        found = s3.filesystem(endpoint).get_file_info(fs.FileSelector(below, recursive=True))
    except FileNotFoundError:
        raise DataError(f"raw.path={root}: no such folder; give the folder of a delivery") from None
    except OSError as error:
        reason = " ".join(str(error).split())[:200]
        raise DataError(
            f"raw.path={root} can't be read: {reason}; are s3.endpoint and s3.region right, "
            "and the credentials in the environment (AWS_ACCESS_KEY_ID, AWS_SECRET_ACCESS_KEY)?"
        ) from error
    return [
        RawFile(f"s3://{info.path}", info.size, _local(info.mtime_ns // 1000))
        for info in found
        if info.type == fs.FileType.File and info.size and not _hidden(info.path.removeprefix(below))
    ]


def read_lines(spark: SparkSession, files: Sequence[RawFile], endpoint: s3.Endpoint) -> DataFrame:
    """The objects' lines as Spark's text source has them: `value`, and of `_metadata` what ingest uses.

    Large objects are read in parts; parts keep their order, so rows of an object do, too.
    """
    rows = spark.createDataFrame([split for file in files for split in _splits(file)], _SPLITS)
    lines = rows.mapInArrow(LineReader(endpoint), _LINES)
    metadata = F.struct(
        F.col("path").alias("file_path"),
        F.col("size").alias("file_size"),
        F.timestamp_micros("modified").alias("file_modification_time"),
    )
    # of bytes, for a line may be no valid text: the cast keeps them as they are, and ingest judges
    return lines.select(F.col("value").cast("string").alias("value"), metadata.alias("_metadata"))


def _splits(file: RawFile) -> Iterator[tuple[str, int, int, int, int]]:
    modified = int(file.modified.replace(microsecond=0).timestamp()) * 1_000_000 + file.modified.microsecond
    step = SPLIT_BYTES if _opener(file.path) is None else file.size
    for start in range(0, file.size, step):
        yield file.path, start, min(start + step, file.size), file.size, modified


def _opener(path: str) -> Opener | None:
    """What reads a compressed object, None for a plain one; raises for what nothing here can read.

    Python's own modules, for they tell when a stream ends early; Arrow's would pass over it.
    """
    suffix = PurePosixPath(path).suffix
    if suffix in _UNREADABLE:
        raise ValueError(f"{MARK}{path}: {suffix} can't be read on S3 without Hadoop's file system; use gzip")
    return _OPENERS.get(suffix)


def _hidden(relative: str) -> bool:
    return any(part.startswith(("_", ".")) for part in relative.split("/"))


def _local(micros: int) -> datetime:
    """As Spark hands timestamps to Python: without a zone, in the machine's own."""
    seconds, rest = divmod(micros, 1_000_000)
    return datetime.fromtimestamp(seconds).replace(microsecond=rest)


@dataclass(frozen=True)
class LineReader:
    """A `mapInArrow` function: parts of objects in, their lines out."""

    endpoint: s3.Endpoint

    def __call__(self, batches: Iterator[pa.RecordBatch]) -> Iterator[pa.RecordBatch]:
        """Read each part in turn; an object that has gone since it was listed has no lines."""
        for batch in batches:
            for split in batch.to_pylist():
                try:
                    yield from self._lines(split)
                except FileNotFoundError:
                    continue
                except (OSError, EOFError, zlib.error) as error:
                    told = f"{MARK}{split['path']}: it can't be read to its end: {error}"
                    raise ValueError(told) from error

    def _lines(self, split: dict[str, Any]) -> Iterator[pa.RecordBatch]:
        store, name = s3.filesystem(self.endpoint), s3.key(split["path"])
        opener = _opener(name)
        if opener is not None:
            with store.open_input_stream(name, compression=None) as packed, opener(packed) as source:
                chunks = iter(lambda: source.read(_CHUNK), b"")
                yield from (_batch(lines, split) for lines in whole_lines(chunks))
            return
        with store.open_input_file(name) as source:
            chunks = part_of(source, split["start"], split["end"])
            yield from (_batch(lines, split) for lines in whole_lines(chunks))


def part_of(source: Any, start: int, end: int) -> Iterator[bytes]:
    """The bytes of the lines that begin in [start, end): parts that touch share no line and lose none."""
    if start:
        source.seek(start - 1)
        position = start - 1
        while True:
            chunk = source.read(min(_CHUNK, 64 << 10))
            if not chunk:
                return
            found = chunk.find(b"\n")
            if found >= 0:
                start = position + found + 1
                break
            position += len(chunk)
    if start >= end:
        return
    source.seek(start)
    position = start
    while True:
        chunk = source.read(_CHUNK if position + _CHUNK <= end else max(end - position, 64 << 10))
        if not chunk:
            return
        # the last line is the one that holds byte end - 1, up to its line end
        last = chunk.find(b"\n", max(0, end - 1 - position))
        if position + len(chunk) >= end and last >= 0:
            yield chunk[: last + 1]
            return
        yield chunk
        position += len(chunk)


def whole_lines(chunks: Iterator[bytes]) -> Iterator[list[bytes]]:
    r"""Lines of consecutive chunks, ended by \n, \r\n or \r as in Spark's text source."""
    rest = b""
    for chunk in chunks:
        data = rest + chunk
        held = b""
        if data.endswith(b"\r"):  # its \n may come with the next chunk
            data, held = data[:-1], b"\r"
        lines = _plain(data).split(b"\n")
        rest = lines.pop() + held
        if lines:
            yield lines
    if rest:
        lines = _plain(rest).split(b"\n")
        yield lines[:-1] if not lines[-1] else lines


def _plain(data: bytes) -> bytes:
    return data.replace(b"\r\n", b"\n").replace(b"\r", b"\n") if b"\r" in data else data


def _batch(lines: list[bytes], split: dict[str, Any]) -> pa.RecordBatch:
    constant = (quote(split["path"], safe="/:"), split["size"], split["modified"])
    columns = [pa.array(lines, pa.binary())]
    columns += [
        pa.repeat(pa.scalar(value, field.type), len(lines))
        for value, field in zip(constant, list(_ARROW)[1:], strict=True)
    ]
    return pa.RecordBatch.from_arrays(columns, schema=_ARROW)
