"""Hash of a file's content that tasks compute in pieces: by blocks, wherever ranges are cut."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterator, Mapping
from typing import Any

# Ranges of a file begin at multiples of it
BLOCK = 4 << 20
_BYTES = 16


class Blocks:
    """Hashes of what was read of a file: of each block of it, by number; of a whole file, number 0."""

    def __init__(self) -> None:
        self.by_number: dict[int, str] = {}

    def add(self, start: int, block: bytes) -> None:
        """A block that begins at byte `start` of its file."""
        self.by_number[start // BLOCK] = _digest(hashlib.sha256(block))

    def whole(self, source: Any) -> Hashed:
        """A stream whose bytes are hashed as they are read; `Hashed.end` makes block 0 of all of them."""
        return Hashed(source, lambda digest: self.by_number.update({0: digest}))


class Hashed:
    """A stream that hashes what is read of it."""

    def __init__(self, source: Any, tell: Callable[[str], None]) -> None:
        self._source, self._tell, self._hash = source, tell, hashlib.sha256()
        self.closed = False

    def read(self, size: int = -1) -> bytes:
        """The next bytes."""
        data: bytes = self._source.read(size) if size >= 0 else self._source.read()
        self._hash.update(data)
        return data

    def readable(self) -> bool:
        """Always."""
        return True

    def close(self) -> None:
        """The stream behind it stays open: it is not ours."""
        self.closed = True

    def end(self) -> None:
        """Read what is left, and tell the hash of all."""
        for _ in iter(lambda: self.read(BLOCK), b""):
            pass
        self._tell(_digest(self._hash))


def content_hash(blocks: Mapping[int, str]) -> str:
    """A file's hash (32 hexadecimal digits): of its blocks' hashes one after the other."""
    joined = "".join(blocks[number] for number in sorted(blocks))
    return _digest(hashlib.sha256(joined.encode()))


def in_blocks(source: Any, start: int, end: int, blocks: Blocks) -> Iterator[bytes]:
    """The bytes [start, end) of a file, block by block; `start` is a multiple of `BLOCK`."""
    source.seek(start)
    while start < end and (block := source.read(min(BLOCK, end - start))):
        blocks.add(start, block)
        yield block
        start += len(block)


def _digest(of: Any) -> str:
    digest: str = of.hexdigest()[: 2 * _BYTES]
    return digest
