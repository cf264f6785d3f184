r"""Bytes cut into lines: ended by \n, \r\n or \r, each with its offset; ranges of a file share no line."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from itertools import accumulate, chain
from typing import IO

_SMALL = 64 << 10
# Nothing that long is a row, and more than this can't pass through Spark as one value
LONGEST_LINE = 128 << 20


class EndlessLineError(ValueError):
    """A line is longer than anything that could be a row."""


@dataclass(frozen=True)
class Lines:
    """Lines without their ends, and for each the offset of its first byte."""

    texts: list[bytes]
    offsets: list[int]


@dataclass(frozen=True)
class Piece:
    """Some whole lines of a file with their ends, the first of which begins at offset `start`."""

    data: bytes
    start: int


def cut_lines(chunks: Iterable[bytes], start: int = 0, longest: int = LONGEST_LINE) -> Iterator[Lines]:
    """Lines of consecutive chunks, the first of which begins at offset `start`.

    Raises `EndlessLineError` for a line of more than `longest` bytes.
    """
    return map(lines_in, whole_lines(chunks, start, longest))


def whole_lines(chunks: Iterable[bytes], start: int = 0, longest: int = LONGEST_LINE) -> Iterator[Piece]:
    """The same bytes in pieces that share no line. See `cut_lines`."""
    pending: list[bytes] = []
    buffered, offset = 0, start
    for chunk in chunks:
        if pending and pending[-1].endswith(b"\r"):  # whether its \n came with this chunk is known now
            chunk = pending.pop() + chunk
            buffered = sum(map(len, pending))
        end = _last_end(chunk)
        if end:
            whole = b"".join([*pending, memoryview(chunk)[:end]])
            yield Piece(whole, offset)
            offset += len(whole)
            pending, buffered = [], 0
            chunk = chunk[end:]
        if chunk:
            pending.append(chunk)
            buffered += len(chunk)
        if buffered > longest:
            raise EndlessLineError(f"a line of more than {longest >> 20} MB")
    if pending:
        yield Piece(b"".join(pending), offset)


def _last_end(chunk: bytes) -> int:
    """Where the last line that surely ends in the chunk ends: a last byte \\r may be half of an end."""
    return max(chunk.rfind(b"\n"), chunk.rfind(b"\r", 0, len(chunk) - 1)) + 1


def lines_in(piece: Piece) -> Lines:
    """The piece's lines, one by one."""
    # of bytes, splitlines knows exactly these three ends
    with_ends = piece.data.splitlines(keepends=True)
    offsets = list(accumulate(chain((piece.start,), map(len, with_ends))))
    return Lines(piece.data.splitlines(), offsets[:-1])


def first_line_from(source: IO[bytes], start: int, end: int | None = None) -> int | None:
    """Offset of the first line that begins at or after `start` (and before `end`); None if there is none."""
    if start == 0:
        return 0
    source.seek(start - 1)
    position = start - 1
    while (end is None or position < end - 1) and (chunk := source.read(_SMALL)):
        place = chunk.find(b"\n")
        if place >= 0:
            begin = position + place + 1
            return begin if end is None or begin < end else None
        position += len(chunk)
    return None


def rest_of_line(source: IO[bytes], position: int) -> Iterator[bytes]:
    """From `position` to the end of the line that goes on there, or of the file."""
    source.seek(position)
    while chunk := source.read(_SMALL):
        place = chunk.find(b"\n")
        if place >= 0:
            yield chunk[: place + 1]
            return
        yield chunk
