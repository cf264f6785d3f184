"""A stored value in bytes: which schema, since when, of which table version, which nulls, the numbers' bits.

Little-endian and of one width a schema, whatever the numbers:

    schema    uint64       the schema's id, a digest of all that decides how the rest is read
    known_at  int64        microseconds since 1970, UTC, from which the row counts
    version   int64        of the Delta table that the row was read from
    nulls     ceil(n / 8)  bit `i % 8` of byte `i / 8` is set where column i is null
    numbers   n x 8 or 4   the columns' doubles (or floats) bit for bit, zero bits where null

So a NaN stays that NaN, and a null is none. Reads and writes work on whole arrays.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property, lru_cache
from typing import Any, Literal

import numpy as np
import numpy.typing as npt

from pozytywka_spark.errors import StoreError

FORMAT = 1
Number = Literal["float64", "float32"]
Doubles = npt.NDArray[np.float64]
Longs = npt.NDArray[np.int64]
Flags = npt.NDArray[np.bool_]
_BYTES: Mapping[str, str] = {"float64": "<f8", "float32": "<f4"}
_SCHEMA, _KNOWN_AT, _VERSION, _NULLS, _NUMBERS = "schema", "known_at", "version", "nulls", "numbers"
_HEADER = [(_SCHEMA, "<u8"), (_KNOWN_AT, "<i8"), (_VERSION, "<i8")]
_HEADER_DTYPE = np.dtype(_HEADER)
_REPAIR = "materialize --full writes all anew"


@dataclass(frozen=True)
class Schema:
    """What a value of a view holds: its columns in order, as doubles or as floats of 32 bits."""

    view: str
    columns: tuple[str, ...]
    number: Number = "float64"

    def __post_init__(self) -> None:
        if not self.columns or len(set(self.columns)) != len(self.columns):
            raise ValueError(f"view {self.view}: expected columns, each once, got {self.columns}")
        if self.number not in _BYTES:
            raise ValueError(f"view {self.view}: numbers are {' or '.join(_BYTES)}, not {self.number}")

    @cached_property
    def id(self) -> int:
        """The first eight bytes of a SHA-256 of the format, the view, its columns and their number's kind."""
        content = json.dumps([FORMAT, self.view, self.number, *self.columns]).encode()
        return int.from_bytes(hashlib.sha256(content).digest()[:8], "little")

    @cached_property
    def dtype(self) -> np.dtype[Any]:
        """A value as a record of numpy's."""
        count = len(self.columns)
        return np.dtype(
            [*_HEADER, (_NULLS, "u1", (-(-count // 8),)), (_NUMBERS, _BYTES[self.number], (count,))]
        )

    @property
    def width(self) -> int:
        """Bytes of a value."""
        return self.dtype.itemsize

    def plain(self) -> dict[str, Any]:
        """As JSON, for the store to hold beside the values."""
        return {"format": FORMAT, "view": self.view, "columns": list(self.columns), "number": self.number}


def schema_of(plain: Mapping[str, Any]) -> Schema:
    """The schema that a store holds. Raises `StoreError` for a format that this release doesn't know."""
    if plain.get("format") != FORMAT:
        raise StoreError(
            f"the store's values of view {plain.get('view')} have format {plain.get('format')}, this release "
            f"reads {FORMAT}: use the release that wrote them, or write them again with materialize --full"
        )
    return Schema(str(plain["view"]), tuple(map(str, plain["columns"])), plain["number"])


@dataclass(frozen=True)
class Rows:
    """Grain: key that was asked for, in that order; of one that isn't stored `stored` is false, the rest 0.

    `values`: a row a key, a column a name of `names`, NaN where `nulls`.
    """

    names: tuple[str, ...]
    stored: Flags
    known_at: Longs
    version: Longs
    values: Doubles
    nulls: Flags


def pack(
    schema: Schema, known_at: Longs, version: Longs | int, values: npt.NDArray[Any], nulls: Flags
) -> list[bytes]:
    """A value a row. `values` and `nulls` have a row a row and a column a column of the schema's."""
    records = np.zeros(len(known_at), schema.dtype)
    records[_SCHEMA], records[_KNOWN_AT], records[_VERSION] = schema.id, known_at, version
    numbers = records[_NUMBERS]
    numbers[:] = values
    if nulls.any():
        numbers[nulls] = 0.0
        records[_NULLS] = np.packbits(nulls, axis=1, bitorder="little")
    packed: list[bytes] = records.view(f"V{schema.width}").tolist()
    return packed


def unpack(values: Sequence[bytes | None], schemas: Mapping[int, Schema], names: tuple[str, ...]) -> Rows:
    """The named columns of what was stored, None for keys that weren't.

    `schemas` are those that the store holds, by id: values of an older one are read too, a column that it
    lacks as null. Raises `StoreError` for a value of a schema that isn't among them, or of another length.
    """
    stored = [value for value in values if value is not None]
    alike = _alike(stored, schemas, names)
    if alike is not None:
        return alike if len(stored) == len(values) else _spread(alike, _places(values))
    rows = _empty(names, _places(values))
    if not stored:
        return rows
    ids = schema_ids(stored)
    where = np.flatnonzero(rows.stored)
    for number in dict.fromkeys(ids.tolist()):
        schema = schemas.get(number)
        if schema is None:
            raise StoreError(
                f"the store holds a value of a schema that it doesn't name ({number:016x}): another release "
                f"wrote it, or it is damaged; {_REPAIR}"
            )
        mine = np.flatnonzero(ids == number)
        _fill(rows, where[mine], schema, _records(schema, [stored[place] for place in mine]))
    return rows


def schema_ids(values: Sequence[bytes]) -> npt.NDArray[np.uint64]:
    """The id of each value's schema. Raises `StoreError` where a value is shorter than its header."""
    return np.asarray(headers(values)[_SCHEMA])


def headers(values: Sequence[bytes]) -> npt.NDArray[Any]:
    """`schema`, `known_at` and `version` of each value, as a record array."""
    size = _HEADER_DTYPE.itemsize
    joined = b"".join([value[:size] for value in values])
    if len(joined) != size * len(values):
        raise StoreError(f"the store holds a value of less than {size} bytes: it is damaged; {_REPAIR}")
    return np.frombuffer(joined, _HEADER_DTYPE)


def _alike(stored: Sequence[bytes], schemas: Mapping[int, Schema], names: tuple[str, ...]) -> Rows | None:
    """Rows of values that all have one schema with those columns; None if there is more to it."""
    if not stored:
        return None
    number = int.from_bytes(stored[0][:8], "little")
    schema = schemas.get(number)
    if schema is None or any(len(value) != schema.width for value in stored):
        return None
    order = None if schema.columns == names else _order(schema.columns, names)
    if order is not None and len(order) < len(names):
        return None
    records = _records(schema, stored)
    if len(stored) > 1 and not (records[_SCHEMA] == number).all():
        return None
    numbers, nulls = _numbers(schema, records)
    if order is not None:
        numbers, nulls = numbers[:, order], nulls[:, order]
    known_at, version = records[_KNOWN_AT].astype(np.int64), records[_VERSION].astype(np.int64)
    return Rows(names, np.ones(len(stored), bool), known_at, version, numbers, nulls)


@lru_cache(maxsize=256)
def _order(columns: tuple[str, ...], names: tuple[str, ...]) -> npt.NDArray[np.intp]:
    """Where the names stand among the columns, those that do."""
    place = {name: number for number, name in enumerate(columns)}
    return np.array([place[name] for name in names if name in place], dtype=np.intp)


def _places(values: Sequence[bytes | None]) -> Flags:
    return np.fromiter((value is not None for value in values), bool, len(values))


def _spread(rows: Rows, stored: Flags) -> Rows:
    """The rows at the places of what is stored."""
    spread = _empty(rows.names, stored)
    spread.known_at[stored], spread.version[stored] = rows.known_at, rows.version
    spread.values[stored], spread.nulls[stored] = rows.values, rows.nulls
    return spread


def _empty(names: tuple[str, ...], stored: Flags) -> Rows:
    shape = (len(stored), len(names))
    longs = np.zeros(len(stored), np.int64), np.zeros(len(stored), np.int64)
    return Rows(names, stored, *longs, np.full(shape, np.nan), np.ones(shape, bool))


def _records(schema: Schema, values: Sequence[bytes]) -> npt.NDArray[Any]:
    if set(map(len, values)) != {schema.width}:  # lengths that differ could still add up
        raise StoreError(
            f"the store holds a value of view {schema.view} that isn't {schema.width} bytes long: "
            f"it is damaged; {_REPAIR}"
        )
    return np.frombuffer(b"".join(values), schema.dtype)


def _numbers(schema: Schema, records: npt.NDArray[Any]) -> tuple[Doubles, Flags]:
    """The columns as doubles, NaN where null; and where they are null."""
    numbers = records[_NUMBERS].astype(np.float64)
    packed = records[_NULLS]
    if not packed.any():
        return numbers, np.zeros(numbers.shape, bool)
    count = len(schema.columns)
    nulls = np.unpackbits(packed, axis=1, count=count, bitorder="little").view(np.bool_)
    numbers[nulls] = np.nan
    return numbers, nulls


def _fill(rows: Rows, where: npt.NDArray[np.intp], schema: Schema, records: npt.NDArray[Any]) -> None:
    """Into the places `where` of `rows`, the columns that both have."""
    rows.known_at[where], rows.version[where] = records[_KNOWN_AT], records[_VERSION]
    numbers, nulls = _numbers(schema, records)
    source = _order(schema.columns, rows.names)
    to = np.flatnonzero(np.isin(rows.names, schema.columns))
    rows.values[np.ix_(where, to)] = numbers[:, source]
    rows.nulls[np.ix_(where, to)] = nulls[:, source]
