"""Parcels as files: Arrow, without columns that are null throughout, whose types are kept aside.

With lz4 where they travel. On a disk of one's own they live for seconds, mostly in memory: there it takes
three times as long to compress them as to write them as they are, and they are mapped, not copied, as they
are read. There are thousands of a few thousand rows: what is the same for all of a kind is made once.
"""

from __future__ import annotations

from base64 import b64decode, b64encode
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

import polars as pl
import pyarrow as pa
import pyarrow.ipc as ipc

from pozytywka_spark.errors import LakeError

# texts as codes of a dictionary: `pl.Enum` in a kernel
_CODES = pa.dictionary(pa.int32(), pa.large_string())
_COLUMNS = b"pozytywka.columns"  # of a parcel: the schema with the columns that were left out
_PLAIN, _COMPRESSED = ipc.IpcWriteOptions(), ipc.IpcWriteOptions(compression="lz4")


def write_parcel(target: Any, rows: pl.DataFrame, *, compressed: bool) -> None:
    """Write the rows' columns but for those that are null in all of them."""
    with_values = [column.name for column in rows if column.null_count() < rows.height]
    with_values = with_values or rows.columns[:1]  # rows without a column have no number
    kinds = ((column.name, None if isinstance(column.dtype, pl.Enum) else column.dtype) for column in rows)
    stated = {_COLUMNS: _as_text(tuple(kinds))}
    body = rows if len(with_values) == rows.width else rows.select(with_values)
    table = _as_arrow(body).replace_schema_metadata(stated)
    with ipc.new_file(target, table.schema, options=_COMPRESSED if compressed else _PLAIN) as writer:
        writer.write_table(table)


@lru_cache(maxsize=64)
def _as_text(columns: tuple[tuple[str, pl.DataType | None], ...]) -> bytes:
    """The schema of columns by name, in text; None are codes, whatever texts they stand for."""
    plain = pl.Schema([(name, kind) for name, kind in columns if kind is not None])
    made: pa.Schema = plain.to_frame().to_arrow().schema
    fields = [pa.field(name, _CODES) if kind is None else made.field(name) for name, kind in columns]
    return b64encode(pa.schema(fields).serialize())


@dataclass(frozen=True)
class _Stated:
    """The schema of what is read, in both libraries' types."""

    arrow: pa.Schema
    polars: Mapping[str, pl.DataType]


@lru_cache(maxsize=64)
def _stated(text: bytes, coded: tuple[str, ...]) -> _Stated:
    """Of codes only those named stay codes."""
    put_down = ipc.read_schema(pa.py_buffer(b64decode(text)))
    fields = [
        field.with_type(field.type.value_type) if _is_coded(field) and field.name not in coded else field
        for field in put_down
    ]
    kinds = pl.Schema(pa.schema([field for field in fields if not _is_coded(field)]))
    return _Stated(
        pa.schema(fields),
        {field.name: pl.Enum([]) if _is_coded(field) else kinds[field.name] for field in fields},
    )


def read_parcels(
    sources: Sequence[Any], columns: Sequence[str] | None, coded: Sequence[str] = ()
) -> pl.DataFrame:
    """Rows as they were written, of some columns only, below each other.

    `sources`: files of Arrow's that hold parcels of one kind. Of texts that were put down as codes those
    named come as `pl.Enum`. Raises `LakeError` for a column that never was.
    """
    read = [_read(source, columns, coded) for source in sources]
    stated, names = read[0][0], read[0][1]
    there = [name for name in names if any(name in rows.schema.names for _, _, rows in read)]
    # brought together in Arrow, and once to Polars: parcels are many
    whole = [_filled(rows, there, stated.arrow) for _, _, rows in read]
    frame = as_polars(pa.concat_tables(whole)) if there else None
    height = sum(rows.num_rows for _, _, rows in read)
    nulls = {
        name: pl.Series(name, [None], stated.polars[name]).new_from_index(0, height)
        for name in names
        if name not in there
    }
    return pl.DataFrame([nulls[name] if name in nulls or frame is None else frame[name] for name in names])


def read_parcel(source: Any, columns: Sequence[str] | None, coded: Sequence[str] = ()) -> pa.Table:
    """The same of one parcel, for rows of tables' files to stand beside."""
    stated, names, rows = _read(source, columns, coded)
    return _filled(rows, names, stated.arrow)


def _read(
    source: Any, columns: Sequence[str] | None, coded: Sequence[str]
) -> tuple[_Stated, list[str], pa.Table]:
    """What is stated of a parcel, the columns that are asked for, and those of them that it has."""
    reader = ipc.open_file(source)
    stored = reader.schema
    stated = _stated(stored.metadata[_COLUMNS], tuple(coded))
    names = list(stated.polars) if columns is None else list(columns)
    absent = [name for name in names if name not in stated.polars]
    if absent:
        raise LakeError(f"a parcel has no column {absent[0]}; it has {', '.join(stated.polars)}")
    # one at least, for the number of rows
    there = [name for name in names if name in stored.names] or stored.names[:1]
    if len(there) < len(stored.names):
        source.seek(0)
        picked = ipc.IpcReadOptions(included_fields=[stored.names.index(name) for name in there])
        reader = ipc.open_file(source, options=picked)
    return stated, names, reader.read_all()


def _filled(rows: pa.Table, names: Sequence[str], stated: pa.Schema) -> pa.Table:
    """The same rows with exactly these columns, codes as texts where it says so; those they lack are null."""
    plain = {
        field.name for field in rows.schema if _is_coded(field) and not _is_coded(stated.field(field.name))
    }
    if rows.schema.names == names and not plain:
        return rows
    fields = [stated.field(name) for name in names]  # which tell what is no type of Arrow's
    columns = [
        (rows.column(field.name).cast(field.type) if field.name in plain else rows.column(field.name))
        if field.name in rows.schema.names
        else pa.nulls(rows.num_rows, field.type)
        for field in fields
    ]
    return pa.Table.from_arrays(columns, schema=pa.schema(fields))


def _is_coded(field: pa.Field) -> bool:
    """Whether it is `_as_arrow` of an `Enum`, or as plain from a table's file; Polars marks its own."""
    return pa.types.is_dictionary(field.type) and not field.metadata


def _as_arrow(rows: pl.DataFrame) -> pa.Table:
    """The same rows, `pl.Enum` as a plain dictionary: Polars would put its texts into the schema as well."""
    coded = [column.name for column in rows if isinstance(column.dtype, pl.Enum)]
    if not coded:
        return rows.to_arrow()
    made = rows.drop(coded).to_arrow()
    codes = {name: _codes(rows[name]) for name in coded}
    fields = [pa.field(name, _CODES) if name in codes else made.schema.field(name) for name in rows.columns]
    columns = [codes[name] if name in codes else made.column(name) for name in rows.columns]
    return pa.Table.from_arrays(columns, schema=pa.schema(fields))


def as_polars(rows: pa.Table) -> pl.DataFrame:
    """The same rows as a Polars frame; a dictionary of texts as `pl.Enum`."""
    coded = [field.name for field in rows.schema if _is_coded(field)]
    frame = pl.from_arrow(rows.drop_columns(coded) if coded else rows)
    assert isinstance(frame, pl.DataFrame)
    if not coded:
        return frame
    unified = rows.select(coded).unify_dictionaries()
    texts = [_enum(name, unified.column(name)) for name in coded]
    return frame.with_columns(texts).select(rows.column_names)


def _codes(values: pl.Series) -> pa.Array:
    assert isinstance(values.dtype, pl.Enum)
    codes = values.to_physical().cast(pl.Int32).to_arrow()
    return pa.DictionaryArray.from_arrays(codes, values.dtype.categories.to_arrow().cast(_CODES.value_type))


def _enum(name: str, texts: pa.ChunkedArray) -> pl.Series:
    """Codes become an `Enum` in half the time that Polars takes for a `Categorical` of them."""
    if not texts.num_chunks:
        return pl.Series(name, [], pl.Enum([]))
    different = pl.Series(texts.chunk(0).dictionary)
    codes = pl.Series(name, pa.chunked_array([chunk.indices for chunk in texts.chunks]))
    return codes.cast(pl.UInt32).cat.to(pl.Enum(different))
