"""Parcels as files: Arrow, without columns that are null throughout, whose types are kept aside.

With lz4 where they travel. On a disk of one's own they live for seconds, mostly in memory: there it takes
three times as long to compress them as to write them as they are.
"""

from __future__ import annotations

from base64 import b64decode, b64encode
from collections.abc import Sequence
from typing import Any

import polars as pl
import pyarrow as pa
import pyarrow.ipc as ipc

from pozytywka_spark.errors import LakeError

_COLUMNS = b"pozytywka.columns"  # the schema with the columns that were left out
_PLAIN, _COMPRESSED = ipc.IpcWriteOptions(), ipc.IpcWriteOptions(compression="lz4")


def write_parcel(target: Any, rows: pl.DataFrame, *, compressed: bool) -> None:
    """Write the rows' columns but for those that are null in all of them."""
    with_values = [column.name for column in rows if column.null_count() < rows.height]
    with_values = with_values or rows.columns[:1]  # rows without a column have no number
    columns = {_COLUMNS: b64encode(rows.clear().to_arrow().schema.serialize())}
    body = rows.select(with_values).to_arrow().replace_schema_metadata(columns)
    with ipc.new_file(target, body.schema, options=_COMPRESSED if compressed else _PLAIN) as writer:
        writer.write_table(body)


def read_parcel(source: Any, columns: Sequence[str] | None) -> pl.DataFrame:
    """Rows as they were written, of some columns only. Raises `LakeError` for a column that never was."""
    stored = ipc.open_file(source).schema
    schema = ipc.read_schema(pa.py_buffer(b64decode(stored.metadata[_COLUMNS])))
    names = schema.names if columns is None else list(columns)
    absent = [name for name in names if name not in schema.names]
    if absent:
        raise LakeError(f"a parcel has no column {absent[0]}; it has {', '.join(schema.names)}")
    # one at least, for the number of rows
    there = [name for name in names if name in stored.names] or stored.names[:1]
    source.seek(0)
    options = ipc.IpcReadOptions(included_fields=[stored.names.index(name) for name in there])
    rows = ipc.open_file(source, options=options).read_all()
    frame = pl.from_arrow(rows)
    assert isinstance(frame, pl.DataFrame)
    types = pl.Schema(schema)
    return frame.select(
        pl.col(name) if name in there else pl.lit(None, types[name]).alias(name) for name in names
    )
