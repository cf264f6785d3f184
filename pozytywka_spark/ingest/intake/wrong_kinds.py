"""Kinds of file that are no rows for certain, told by their first bytes; and what to do about each."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import TypeVar


@dataclass(frozen=True)
class Wrong:
    """What a file seems to be, and what turns it into JSON Lines."""

    seems: str
    advice: str


_UNPACK = "unpack it and deliver the files in it"
_EXPORT = "export it as JSON Lines, one object a line"
_REPACK = "unpack it, or compress it with gzip, bzip2 or zstd instead"
AGAIN = "deliver the file again"

_TOLD = 5
File = TypeVar("File")


def first_of(files: Sequence[File], in_words: Callable[[File], str]) -> str:
    """The first few refused files in words, and how many more there are; the others aren't looked at."""
    more = [f"and {len(files) - _TOLD:,} files more"] if len(files) > _TOLD else []
    return "; ".join([*map(in_words, files[:_TOLD]), *more])


# First bytes; of a longer beginning first
_MAGIC: tuple[tuple[bytes, Wrong], ...] = (
    (b"PK\x03\x04", Wrong("a zip archive", "unzip it and deliver the files in it")),
    (b"PK\x05\x06", Wrong("an empty zip archive", AGAIN)),
    (b"PK\x07\x08", Wrong("a zip archive of several parts", "unzip it and deliver the files in it")),
    (b"7z\xbc\xaf\x27\x1c", Wrong("a 7z archive", "unpack it with 7z x and deliver the files in it")),
    (b"Rar!\x1a\x07", Wrong("a rar archive", "unpack it with unrar x and deliver the files in it")),
    (b"\xfd7zXZ\x00", Wrong("compressed with xz", "unpack it with xz -d, or use gzip, bzip2 or zstd")),
    (b"\x5d\x00\x00", Wrong("compressed with lzma", "unpack it with xz -d, or use gzip, bzip2 or zstd")),
    (b"LZIP", Wrong("compressed with lzip", _REPACK)),
    (b"\x04\x22\x4d\x18", Wrong("compressed with lz4", "unpack it with lz4 -d, or use gzip, bzip2 or zstd")),
    (b"\xff\x06\x00\x00sNaPpY", Wrong("compressed with snappy", _REPACK)),
    (b"\x1f\x9d", Wrong("compressed with compress (.Z)", "unpack it with uncompress")),
    (b"\x89LZO\x00", Wrong("compressed with lzop", _REPACK)),
    (b"x\x01", Wrong("a zlib stream (.deflate)", _REPACK)),
    (b"x\x9c", Wrong("a zlib stream (.deflate)", _REPACK)),
    (b"x\xda", Wrong("a zlib stream (.deflate)", _REPACK)),
    (b"!<arch>\n", Wrong("an ar archive", _UNPACK)),
    (b"070701", Wrong("a cpio archive", _UNPACK)),
    (b"PAR1", Wrong("a Parquet file", _EXPORT)),
    (b"PARE", Wrong("an encrypted Parquet file", _EXPORT)),
    (b"Obj\x01", Wrong("an Avro file", "turn it into JSON Lines, with avro-tools tojson for instance")),
    (b"ORC", Wrong("an ORC file", _EXPORT)),
    (b"SQLite format 3\x00", Wrong("an SQLite database", _EXPORT)),
    (b"ARROW1", Wrong("an Arrow file", _EXPORT)),
    (b"\xff\xff\xff\xff", Wrong("an Arrow stream", _EXPORT)),
    (b"FEA1", Wrong("a Feather file", _EXPORT)),
    (b"SEQ\x06", Wrong("a Hadoop sequence file", _EXPORT)),
    (b"\x89HDF\r\n", Wrong("an HDF5 file", _EXPORT)),
    (b"CDF\x01", Wrong("a NetCDF file", _EXPORT)),
    (b"\x93NUMPY", Wrong("a NumPy array", _EXPORT)),
    (b"\x80\x04\x95", Wrong("a Python pickle", _EXPORT)),
    (b"\x80\x05\x95", Wrong("a Python pickle", _EXPORT)),
    (b"\xac\xed\x00\x05", Wrong("serialized Java objects", _EXPORT)),
    (b"\xd0\xcf\x11\xe0", Wrong("an old Office document", _EXPORT)),
    (b"PGDMP", Wrong("a PostgreSQL dump", _EXPORT)),
    (b"%PDF", Wrong("a PDF document", _EXPORT)),
    (b"\x89PNG", Wrong("an image", AGAIN)),
    (b"\xff\xd8\xff", Wrong("an image", AGAIN)),
    (b"GIF8", Wrong("an image", AGAIN)),
    (b"\x7fELF", Wrong("a program", AGAIN)),
    (b"-----BEGIN ", Wrong("a key, a certificate or an encrypted message", "decrypt it, or take it away")),
    (b"Salted__", Wrong("encrypted with openssl", "decrypt it before it is delivered")),
    (b"age-encryption.org/", Wrong("encrypted with age", "decrypt it before it is delivered")),
)

_LFS = Wrong("a Git LFS pointer, not the file itself", "fetch the content with git lfs pull")
_ANNEX = Wrong("a git-annex pointer, not the file itself", "fetch the content with git annex get")
_DVC = Wrong("a DVC pointer, not the file itself", "fetch the content with dvc pull")

_ZERO = Wrong("nothing but zero bytes: a copy that was never finished", AGAIN)
_BINARY = Wrong("binary data", _EXPORT)
_TEXT_BYTES = bytes(range(32, 256)) + b"\t\n\r\f\x1e"
_LOOKED_AT = 64 << 10


def wrong_by_bytes(head: bytes) -> Wrong | None:
    """What a file that begins with `head` (unpacked) is, if that is no JSON for certain."""
    for magic, wrong in _MAGIC:
        if head.startswith(magic):
            office = magic == b"PK\x03\x04" and any(part in head for part in (b"xl/", b"[Content_Types].xml"))
            return Wrong("an Excel workbook", _EXPORT) if office else wrong
    if head[257:262] == b"ustar" and head[0]:
        return Wrong("a tar archive", "unpack it with tar -xf and deliver the files in it")
    if head[8:12] == b"DUCK":
        return Wrong("a DuckDB database", _EXPORT)
    return _pointer(head) or _wide(head) or _no_text(head)


def _pointer(head: bytes) -> Wrong | None:
    if head.startswith(b"version https://git-lfs.github.com/spec/"):
        return _LFS
    if len(head) < 1024 and b"annex/objects/" in head and not head.lstrip().startswith((b"{", b"[")):
        return _ANNEX
    if head.startswith(b"outs:\n") and b"md5: " in head:
        return _DVC
    return None


def _wide(head: bytes) -> Wrong | None:
    """UTF-16 and UTF-32, by their mark or by where the zero bytes of plain characters stand."""
    marks = (
        (b"\xff\xfe\x00\x00", "utf-32"), (b"\x00\x00\xfe\xff", "utf-32"), (b"\xff\xfe", "utf-16"),
        (b"\xfe\xff", "utf-16"),
    )  # fmt: skip
    seen = head[: _LOOKED_AT - _LOOKED_AT % 4]
    for mark, name in marks:
        if head.startswith(mark) and seen.count(0) > len(seen) / 8:
            return _encoded(name)
    if len(seen) < 8:
        return None
    zeros = [seen[place::4].count(0) / max(1, len(seen[place::4])) for place in range(4)]
    patterns = {
        "utf-32le": (False, True, True, True), "utf-32be": (True, True, True, False),
        "utf-16le": (False, True, False, True), "utf-16be": (True, False, True, False),
    }  # fmt: skip
    for name, pattern in patterns.items():
        if all((share > 0.6) if zero else (share < 0.1) for share, zero in zip(zeros, pattern, strict=True)):
            return _encoded(name)
    return None


def _encoded(name: str) -> Wrong:
    return Wrong(f"text in {name[:6].upper()}", f"turn it into UTF-8: iconv -f {name} -t utf-8")


def _no_text(head: bytes) -> Wrong | None:
    seen = head[:_LOOKED_AT]
    if len(seen) >= 16 and not seen.strip(b"\x00"):
        return _ZERO
    strange = len(seen.translate(None, _TEXT_BYTES))
    return _BINARY if len(seen) >= 16 and strange > len(seen) / 10 else None
