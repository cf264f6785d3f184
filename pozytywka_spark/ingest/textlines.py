r"""Bytes cut into lines: ended by \n, \r\n or \r, each with its offset; ranges of a file share no line."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from itertools import accumulate, chain
from typing import IO

from pozytywka_spark.ingest.unpack import CHUNK

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


def cut_lines(chunks: Iterable[bytes], start: int = 0, longest: int = LONGEST_LINE) -> Iterator[Lines]:
    """Lines of consecutive chunks, the first of which begins at offset `start`.

    Raises `EndlessLineError` for a line of more than `longest` bytes.
    """
    pending: list[bytes] = []
    held, offset = 0, start
    for chunk in chunks:
        if pending and pending[-1].endswith(b"\r"):  # whether its \n came with this chunk is known now
            chunk = pending.pop() + chunk
            held = sum(map(len, pending))
        end = _last_end(chunk)
        if end:
            whole = b"".join([*pending, chunk[:end]])
            yield _cut(whole, offset)
            offset += len(whole)
            pending, held = [], 0
            chunk = chunk[end:]
        if chunk:
            pending.append(chunk)
            held += len(chunk)
        if held > longest:
            raise EndlessLineError(f"a line of more than {longest >> 20} MB")
    if pending:
        yield _cut(b"".join(pending), offset)


def _last_end(chunk: bytes) -> int:
    """Where the last line that surely ends in the chunk ends: a last byte \\r may be half of an end."""
    return max(chunk.rfind(b"\n"), chunk.rfind(b"\r", 0, len(chunk) - 1)) + 1


def _cut(data: bytes, offset: int) -> Lines:
    # of bytes, splitlines knows exactly these three ends
    with_ends = data.splitlines(keepends=True)
    offsets = list(accumulate(chain((offset,), map(len, with_ends))))
    return Lines(data.splitlines(), offsets[:-1])


def first_line_from(source: IO[bytes], start: int) -> int | None:
    """Offset of the first line that begins at or after `start`; None if there is none."""
    if start == 0:
        return 0
    source.seek(start - 1)
    position = start - 1
    while chunk := source.read(_SMALL):
        found = chunk.find(b"\n")
        if found >= 0:
            return position + found + 1
        position += len(chunk)
    return None


def bytes_until(source: IO[bytes], begin: int, end: int) -> Iterator[bytes]:
    """From `begin`, which begins a line, to the end of the line that holds the byte before `end`."""
    source.seek(begin)
    position = begin
    while chunk := source.read(CHUNK if position + CHUNK <= end else max(end - position, _SMALL)):
        last = chunk.find(b"\n", max(0, end - 1 - position))
        if position + len(chunk) >= end and last >= 0:
            yield chunk[: last + 1]
            return
        yield chunk
        position += len(chunk)
