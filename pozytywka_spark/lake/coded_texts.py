"""Texts as codes of a dictionary: `pl.Enum` in a kernel, a plain dictionary of Arrow's in files."""

from __future__ import annotations

import polars as pl
import pyarrow as pa

CODES = pa.dictionary(pa.int32(), pa.large_string())


def is_coded(field: pa.Field) -> bool:
    """Whether it is `as_arrow` of an `Enum`, or as plain from a table's file; Polars marks its own."""
    return pa.types.is_dictionary(field.type) and not field.metadata


def as_arrow(rows: pl.DataFrame) -> pa.Table:
    """The same rows, `pl.Enum` as a plain dictionary: Polars would put its texts into the schema as well."""
    coded = [column.name for column in rows if isinstance(column.dtype, pl.Enum)]
    if not coded:
        return rows.to_arrow()
    made = rows.drop(coded).to_arrow()
    codes = {name: _codes(rows[name]) for name in coded}
    fields = [pa.field(name, CODES) if name in codes else made.schema.field(name) for name in rows.columns]
    columns = [codes[name] if name in codes else made.column(name) for name in rows.columns]
    return pa.Table.from_arrays(columns, schema=pa.schema(fields))


def as_polars(rows: pa.Table) -> pl.DataFrame:
    """The same rows as a Polars frame; a dictionary of texts as `pl.Enum`."""
    coded = [field.name for field in rows.schema if is_coded(field)]
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
    return pa.DictionaryArray.from_arrays(codes, values.dtype.categories.to_arrow().cast(CODES.value_type))


def _enum(name: str, texts: pa.ChunkedArray) -> pl.Series:
    """Codes become an `Enum` in half the time that Polars takes for a `Categorical` of them."""
    if not texts.num_chunks:
        return pl.Series(name, [], pl.Enum([]))
    different = pl.Series(texts.chunk(0).dictionary)
    codes = pl.Series(name, pa.chunked_array([chunk.indices for chunk in texts.chunks]))
    return codes.cast(pl.UInt32).cat.to(pl.Enum(different))
