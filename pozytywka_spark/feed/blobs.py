"""Arrays that tasks hand to later tasks of the same run, as one row of bytes in a parcel.

Parcels are ours, of this run, and gone at its end: nothing that anybody else wrote is unpickled here.
"""

from __future__ import annotations

import pickle
from collections.abc import Sequence
from typing import Any, TypeVar

import polars as pl

from pozytywka_spark.lake.shards import Parcel
from pozytywka_spark.lake.tasks import TaskFiles

Kind = TypeVar("Kind")
_COLUMN = "bytes"
_KEPT = 3  # that a worker keeps unpacked: what all users share, and the models of its run
_unpacked: dict[str, Any] = {}


def pack(content: object) -> pl.DataFrame:
    """As rows for a parcel."""
    return pl.DataFrame({_COLUMN: [pickle.dumps(content, protocol=5)]}, schema={_COLUMN: pl.Binary})


def unpack(files: TaskFiles, parcel: Parcel, kind: type[Kind]) -> Kind:
    """What was packed, which must be a `kind`."""
    return _of(files.read([parcel]), kind)


def shared(files: TaskFiles, parcel: Parcel, kind: type[Kind]) -> Kind:
    """`unpack`, once for each worker process."""
    if parcel.place not in _unpacked:
        while len(_unpacked) >= _KEPT:
            _unpacked.pop(next(iter(_unpacked)))
        _unpacked[parcel.place] = unpack(files, parcel, kind)
    found = _unpacked[parcel.place]
    if not isinstance(found, kind):
        raise TypeError(f"a parcel of {type(found).__name__}, expected {kind.__name__}")
    return found


def forget() -> None:
    """Keep nothing unpacked: where parcels of different runs have one name, as in tests."""
    _unpacked.clear()


def one_of(parcels: Sequence[Parcel]) -> Parcel:
    """The only one."""
    (parcel,) = parcels
    return parcel


def _of(rows: pl.DataFrame, kind: type[Kind]) -> Kind:
    content = pickle.loads(rows.get_column(_COLUMN)[0])  # noqa: S301 our own parcel of this run
    if not isinstance(content, kind):
        raise TypeError(f"a parcel of {type(content).__name__}, expected {kind.__name__}")
    return content
