"""A frame of a view's rows as what is stored: keys, and a value of bytes for each."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
import polars as pl

from pozytywka_spark.featurestore.codec import Schema, pack

KEY, KNOWN_AT, VERSION = "key", "known_at", "version"
BYTES_AT_ONCE = 2 << 20  # stays in a core's cache while columns become rows


@dataclass(frozen=True)
class Packed:
    """Keys and their values, side by side."""

    keys: list[str]
    values: list[bytes]


def pack_frame(schema: Schema, rows: pl.DataFrame) -> Packed:
    """Of `key` string, `known_at` and `version` (whole numbers) and the schema's columns, a row a key."""
    keys: list[str] = []
    values: list[bytes] = []
    for packed in packed_slices(schema, rows):
        keys += packed.keys
        values += packed.values
    return Packed(keys, values)


def rows_at_once(schema: Schema) -> int:
    """How many rows a store is given at once: two thousand of 115 doubles."""
    return max(1, BYTES_AT_ONCE // schema.width)


def packed_slices(schema: Schema, rows: pl.DataFrame, at_once: int | None = None) -> Iterator[Packed]:
    """The same, so many rows at a time, or as many as a store takes at once."""
    size = at_once or rows_at_once(schema)
    columns = list(schema.columns)
    numbers = rows.select(pl.col(columns).cast(pl.Float64))
    has_nulls = [column.name for column in numbers if column.null_count()]
    places = [columns.index(name) for name in has_nulls]
    for start in range(0, rows.height, size):
        part = rows.slice(start, size)
        doubles = numbers.slice(start, size)
        nulls = np.zeros((part.height, len(columns)), bool)
        if has_nulls:
            nulls[:, places] = doubles.select(pl.col(has_nulls).is_null()).to_numpy()
        values = pack(
            schema,
            part[KNOWN_AT].cast(pl.Int64).to_numpy(),
            part[VERSION].cast(pl.Int64).to_numpy(),
            doubles.to_numpy(order="c"),
            nulls,
        )
        yield Packed(part[KEY].to_list(), values)
