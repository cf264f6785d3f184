"""Raw files read by tasks that open them by themselves: lines, each with its place in its file.

What comes out is what Spark's text source would give. Large plain files are read in parts, compressed
files and arrays as a whole; a task holds some megabytes of one at a time.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any, TypeVar
from urllib.parse import quote

import pyarrow as pa
from pyspark.sql import DataFrame, SparkSession
from pyspark.sql import functions as F

from pozytywka_spark.ingest.arrays import BrokenArrayError, array_rows
from pozytywka_spark.ingest.content import BLOCK, Blocks, in_blocks
from pozytywka_spark.ingest.rawfile import RawFile
from pozytywka_spark.ingest.reach import Reach
from pozytywka_spark.ingest.textlines import (
    EndlessLineError,
    Lines,
    Piece,
    cut_lines,
    first_line_from,
    lines_in,
    rest_of_line,
    whole_lines,
)
from pozytywka_spark.ingest.unpack import PLAIN, UNREADABLE, in_words, unpacked

MARK = "[raw] "
SPLIT_BYTES = 64 << 20
# What opening a file costs, in bytes that could have been read meanwhile: tasks get so many files
_OPENING = 1 << 20
_LINES = "value binary, path string, size bigint, modified bigint, source_order bigint, time_unit string"
_ARROW = pa.schema(
    [
        ("value", pa.binary()),
        ("path", pa.string()),
        ("size", pa.int64()),
        ("modified", pa.int64()),
        ("source_order", pa.int64()),
        ("time_unit", pa.string()),
    ]
)
Item = TypeVar("Item")


@dataclass(frozen=True)
class Surveyed:
    """A file and how to read it."""

    file: RawFile
    codec: str = PLAIN
    array: bool = False
    time_unit: str | None = None

    @property
    def can_be_split(self) -> bool:
        """Whether lines can be found from any place in the file on."""
        return self.codec == PLAIN and not self.array


@dataclass(frozen=True)
class Part:
    """The lines of a file that begin in [start, end); of one that can't be split, all."""

    of: Surveyed
    start: int
    end: int

    @property
    def path(self) -> str:
        """The file's path."""
        return self.of.file.path

    @property
    def size(self) -> int:
        """Bytes in the range."""
        return self.end - self.start


def parts_of(files: Sequence[Surveyed], slots: int) -> list[Part]:
    """What tasks read: parts in the order of files and places, each a whole number of `content.BLOCK`s.

    `slots` is how many tasks should have something to do, if there is enough for them.
    """
    step = _step(files, slots)
    parts = []
    for each in files:
        size = each.file.size
        width = step if each.can_be_split else max(size, 1)
        parts += [Part(each, start, min(start + width, size)) for start in range(0, size, width)]
    return parts


def tasks_of(files: Sequence[Surveyed], slots: int) -> list[list[Part]]:
    """The parts of files as tasks, about as much for each."""
    step = _step(files, slots)
    tasks: list[list[Part]] = []
    room = 0
    for part in parts_of(files, slots):
        cost = part.size + min(_OPENING, step // 8)
        if cost > room:
            tasks.append([])
            room = step
        tasks[-1].append(part)
        room -= cost
    return tasks


def _step(files: Sequence[Surveyed], slots: int) -> int:
    each = -(-sum(each.file.size for each in files) // slots)
    return min(SPLIT_BYTES, max(1, -(-each // BLOCK)) * BLOCK)


def slots_of(spark: SparkSession) -> int:
    """How many tasks keep the session busy."""
    return int(spark.conf.get("spark.sql.shuffle.partitions") or 200)


def run_over(
    spark: SparkSession,
    tasks: Sequence[Sequence[Item]],
    work: Callable[[Sequence[Item]], Iterator[pa.RecordBatch]],
    columns: str,
) -> DataFrame:
    """The rows that `work` makes of each task's items, in the tasks' order."""
    return spark.range(0, len(tasks), 1, len(tasks)).mapInArrow(_Tasks(tuple(tasks), work), columns)


@dataclass(frozen=True)
class _Tasks:
    tasks: tuple[Sequence[Any], ...]
    work: Callable[[Sequence[Any]], Iterator[pa.RecordBatch]]

    def __call__(self, batches: Iterator[pa.RecordBatch]) -> Iterator[pa.RecordBatch]:
        for batch in batches:
            for number in batch.column(0).to_pylist():
                yield from self.work(self.tasks[number])


def read_lines(spark: SparkSession, files: Sequence[Surveyed], reach: Reach) -> DataFrame:
    """Grain: line. `value`, `_metadata` (struct file_path, file_size, file_modification_time),
    `source_order` (offset of the line's first byte in the file, unpacked), `time_unit` (null: ISO).
    """
    lines = run_over(spark, tasks_of(files, slots_of(spark)), LineReader(reach), _LINES)
    metadata = F.struct(
        F.col("path").alias("file_path"),
        F.col("size").alias("file_size"),
        F.timestamp_micros("modified").alias("file_modification_time"),
    )
    # of bytes, for a line may be no valid text: the cast keeps them as they are, and ingest judges
    value = F.col("value").cast("string").alias("value")
    return lines.select(value, metadata.alias("_metadata"), "source_order", "time_unit")


@dataclass(frozen=True)
class LineReader:
    """Parts of files in, their lines out."""

    reach: Reach

    def __call__(self, parts: Sequence[Part]) -> Iterator[pa.RecordBatch]:
        """Read each part in turn."""
        for part in parts:
            yield from (_batch(lines, part.of) for lines in lines_of(self.reach, part))


def lines_of(reach: Reach, part: Part) -> Iterator[Lines]:
    """The part's lines. Raises `ValueError` with `MARK`, naming the file, if it can't be read to its end."""
    return (found if isinstance(found, Lines) else lines_in(found) for found in read_part(reach, part))


def read_part(reach: Reach, part: Part, blocks: Blocks | None = None) -> Iterator[Piece | Lines]:
    """The part's lines, some megabytes at a time; `blocks` gets the hashes of its bytes, as they are stored.

    Of a file that can't be split, the whole file is block 0. Raises as `lines_of` does.
    """
    store, name = reach.at(part.path)
    try:
        with store.open_input_file(name) as source:
            yield from _read(source, part, Blocks() if blocks is None else blocks)
    except FileNotFoundError as error:
        raise ValueError(f"{MARK}{part.path}: it has gone since it was listed") from error
    except (EndlessLineError, BrokenArrayError) as error:
        raise ValueError(f"{MARK}{part.path}: {error}") from error
    except UNREADABLE as error:
        raise ValueError(f"{MARK}{part.path}: {in_words(error, part.of.codec)}") from error


def _read(source: Any, part: Part, blocks: Blocks) -> Iterator[Piece | Lines]:
    if part.of.can_be_split:
        begin = first_line_from(source, part.start, part.end)
        yield from whole_lines(_of_range(source, part, begin, blocks), begin or 0)
        return
    hashed = blocks.whole(source)
    unpacking = unpacked(hashed, part.of.codec)
    yield from array_rows(cut_lines(unpacking)) if part.of.array else whole_lines(unpacking)
    hashed.end()


def _of_range(source: Any, part: Part, begin: int | None, blocks: Blocks) -> Iterator[bytes]:
    """The lines that begin in the range, the first at `begin`; all its bytes go by, for their hashes."""
    position, last = part.start, b"\n"
    for block in in_blocks(source, part.start, part.end, blocks):
        mine = b"" if begin is None else block[max(0, begin - position) :]
        position += len(block)
        if mine:
            last = mine[-1:]
            yield mine
    if last != b"\n":
        yield from rest_of_line(source, position)


def _batch(lines: Lines, of: Surveyed) -> pa.RecordBatch:
    file, count = of.file, len(lines.texts)
    constant = (quote(file.path, safe="/:"), file.size, file.modified_micros)
    columns = [pa.array(lines.texts, pa.binary())]
    columns += [
        pa.repeat(pa.scalar(value, _ARROW.field(at).type), count) for at, value in enumerate(constant, 1)
    ]
    columns += [pa.array(lines.offsets, pa.int64()), pa.repeat(pa.scalar(of.time_unit, pa.string()), count)]
    return pa.RecordBatch.from_arrays(columns, schema=_ARROW)
