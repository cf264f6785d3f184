"""Raw files read by tasks that open them by themselves: lines, each with its place in its file.

Large plain files are read in parts, compressed
files and arrays as a whole; a task holds some megabytes of one at a time.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

from pozytywka_spark.ingest.intake.arrays import BrokenArrayError, array_rows
from pozytywka_spark.ingest.intake.content_hash import BLOCK, Blocks, in_blocks
from pozytywka_spark.ingest.intake.textlines import (
    EndlessLineError,
    Lines,
    Piece,
    cut_lines,
    first_line_from,
    lines_in,
    rest_of_line,
    whole_lines,
)
from pozytywka_spark.ingest.intake.unpack import PLAIN, UNREADABLE, unpack_error, unpacked
from pozytywka_spark.lake.storage.filesystem import Storage
from pozytywka_spark.lake.storage.listed_file import ListedFile

MARK = "[raw] "
SPLIT_BYTES = 64 << 20
# What opening a file costs, in bytes that could be read meanwhile
_OPENING = 64 << 10


@dataclass(frozen=True)
class Surveyed:
    """A file and how to read it."""

    file: ListedFile
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

    @property
    def cost(self) -> int:
        """Bytes that could be read while the part is."""
        return self.size + _OPENING


def parts_of(files: Sequence[Surveyed], slots: int) -> list[Part]:
    """What tasks read: parts in the order of files and places, each a whole number of `content_hash.BLOCK`s.

    `slots` is how many tasks should have something to do, if there is enough for them.
    """
    step = _step(files, slots)
    parts = []
    for each in files:
        size = each.file.size
        width = step if each.can_be_split else max(size, 1)
        parts += [Part(each, start, min(start + width, size)) for start in range(0, size, width)]
    return parts


def _step(files: Sequence[Surveyed], slots: int) -> int:
    each = -(-sum(each.file.size for each in files) // slots)
    return min(SPLIT_BYTES, max(1, -(-each // BLOCK)) * BLOCK)


def lines_of(storage: Storage, part: Part) -> Iterator[Lines]:
    """The part's lines. Raises `ValueError` with `MARK`, naming the file, if it can't be read to its end."""
    return (piece if isinstance(piece, Lines) else lines_in(piece) for piece in read_part(storage, part))


def read_part(storage: Storage, part: Part, blocks: Blocks | None = None) -> Iterator[Piece | Lines]:
    """The part's lines, some megabytes at a time; `blocks` gets the hashes of its bytes, as they are stored.

    Of a file that can't be split, the whole file is block 0. Raises as `lines_of` does.
    """
    store, name = storage.at(part.path)
    try:
        with store.open_input_file(name) as source:
            yield from _read(source, part, Blocks() if blocks is None else blocks)
    except FileNotFoundError as error:
        raise ValueError(f"{MARK}{part.path}: it has gone since it was listed") from error
    except (EndlessLineError, BrokenArrayError) as error:
        raise ValueError(f"{MARK}{part.path}: {error}") from error
    except UNREADABLE as error:
        raise ValueError(f"{MARK}{part.path}: {unpack_error(error, part.of.codec)}") from error


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
