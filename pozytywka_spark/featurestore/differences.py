"""In what a stored value differs from the one that the lake has, in words."""

from __future__ import annotations

import struct
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from typing import Any

import numpy as np

from pozytywka_spark.featurestore.codec import Schema

_VERSION = struct.Struct("<q")
_HEADER = struct.Struct("<Qqq")
_AT = 16  # where a value has its version
_MOST_COLUMNS = 3  # that one line names


@dataclass(frozen=True)
class Difference:
    """One thing that is other than it should be. `key` is empty where it is the view's as a whole."""

    view: str
    key: str
    kind: str
    detail: str

    def plain(self) -> dict[str, str]:
        """As JSON."""
        return asdict(self)


def between(
    schema: Schema, key: str, expected: bytes, stored: bytes | None, versions: Sequence[int], lowest: int
) -> list[Difference]:
    """What is wrong with a key's value. Its version is one of those loaded, since the key last changed."""
    if stored is None:
        return [Difference(schema.view, key, "missing", "the table has a row of it, the store has none")]
    if len(stored) != schema.width:
        detail = f"{len(stored)} bytes, a value of the view has {schema.width}"
        return [Difference(schema.view, key, "length", detail)]
    (version,) = _VERSION.unpack_from(stored, _AT)
    found = []
    if version not in versions or version < lowest:
        detail = f"version {version}, which " + (
            "was never loaded" if version not in versions else f"is older than its last change in {lowest}"
        )
        found.append(Difference(schema.view, key, "version", detail))
    same = expected[:_AT] == stored[:_AT] and expected[_AT + 8 :] == stored[_AT + 8 :]
    return found if same else [*found, *_inside(schema, key, expected, stored)]


def _inside(schema: Schema, key: str, expected: bytes, stored: bytes) -> list[Difference]:
    view, found = schema.view, []
    ours, theirs = _HEADER.unpack_from(expected), _HEADER.unpack_from(stored)
    if ours[0] != theirs[0]:
        detail = f"schema {theirs[0]:016x}, the view's is {ours[0]:016x}"
        found.append(Difference(view, key, "schema", detail))
    if ours[1] != theirs[1]:
        detail = f"known at {theirs[1]}, the table's newest row at {ours[1]} (microseconds)"
        found.append(Difference(view, key, "known_at", detail))
    lake, store = (np.frombuffer(each, schema.dtype)[0] for each in (expected, stored))
    nulls = [np.unpackbits(each["nulls"], bitorder="little") for each in (lake, store)]
    if not np.array_equal(nulls[0], nulls[1]):
        places = np.flatnonzero(nulls[0] != nulls[1])
        names = [schema.columns[at] if at < len(schema.columns) else "beyond the last" for at in places]
        found.append(Difference(view, key, "null", f"null in one of the two: {_some(names)}"))
    unsigned = f"u{lake['numbers'].itemsize}"
    bits = [np.ascontiguousarray(each["numbers"]).view(unsigned) for each in (lake, store)]
    other = np.flatnonzero(bits[0] != bits[1])
    if len(other):
        values = [
            f"{schema.columns[at]} {_shown(store, at)}, the table has {_shown(lake, at)}"
            for at in other.tolist()
        ]
        found.append(Difference(view, key, "value", _some(values)))
    return found


def _shown(record: Any, at: int) -> str:
    return repr(float(record["numbers"][at]))


def _some(names: Sequence[str]) -> str:
    more = len(names) - _MOST_COLUMNS
    return "; ".join(names[:_MOST_COLUMNS]) + (f" and {more} more" if more > 0 else "")
