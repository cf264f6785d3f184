"""Compressed files as streams of bytes: which codec, by the first bytes, and what comes out of it."""

from __future__ import annotations

import bz2
import gzip
import zlib
from collections.abc import Iterator
from typing import IO, Any

import pyarrow as pa

CHUNK = 8 << 20
PLAIN, GZIP, BZIP2, ZSTD = "plain", "gzip", "bzip2", "zstd"
MAGIC_BYTES = 16
# What goes wrong inside a codec, whichever it is
UNREADABLE = (OSError, EOFError, zlib.error)

_BZIP2_BLOCKS = (b"1AY&SY", b"\x17rE8P\x90")


def codec_of(head: bytes) -> str:
    """`gzip`, `bzip2` or `zstd` if the first bytes say so, else `plain`; names say nothing."""
    if head.startswith(b"\x1f\x8b"):
        return GZIP
    if head.startswith(b"BZh") and head[3:4] in b"123456789" and head[4:10] in _BZIP2_BLOCKS:
        return BZIP2
    skippable = head[1:4] == b"*M\x18" and head[:1] in b"PQRSTUVWXYZ[\\]^_"
    if head.startswith(b"\x28\xb5\x2f\xfd") or (skippable and len(head) >= 4):
        return ZSTD
    return PLAIN


def unpacked(packed: IO[bytes] | Any, codec: str, chunk: int = CHUNK) -> Iterator[bytes]:
    """What the stream holds, all members of it, in chunks.

    Raises one of `UNREADABLE` where a member ends early, is damaged, or something else follows it.
    """
    if codec == GZIP:
        with gzip.GzipFile(fileobj=packed) as source:
            yield from iter(lambda: source.read(chunk), b"")
    elif codec == BZIP2:
        yield from _bzip2(packed, chunk)
    elif codec == ZSTD:
        with pa.CompressedInputStream(packed, "zstd") as source:
            yield from iter(lambda: source.read(chunk), b"")
    else:
        yield from iter(lambda: packed.read(chunk), b"")


def unpack_error(error: Exception, codec: str) -> str:
    """Why a file can't be read to its end."""
    early = isinstance(error, EOFError) or "Truncated" in str(error)
    if codec != PLAIN and early:
        return f"the {codec} stream ends early"
    message = " ".join(str(error).split())[:200]
    return f"it can't be read to its end: {message or type(error).__name__}"


def _bzip2(packed: IO[bytes] | Any, chunk: int) -> Iterator[bytes]:
    """Not `bz2.BZ2File`: it passes in silence over a later member that it can't read."""
    unpacker, data = bz2.BZ2Decompressor(), b""
    while True:
        if unpacker.eof:
            data = unpacker.unused_data or packed.read(chunk)
            if not data:
                return
            unpacker = bz2.BZ2Decompressor()
        elif unpacker.needs_input:
            data = packed.read(chunk)
            if not data:
                raise EOFError("a member lacks its end")
        else:
            data = b""
        out = unpacker.decompress(data, chunk)
        if out:
            yield out
