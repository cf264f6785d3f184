"""Files of many columns of numbers, as models and guards read them: Polars takes half of Arrow's time."""

from __future__ import annotations

from collections.abc import Sequence

import polars as pl
import pyarrow as pa
from pyarrow import types as kinds

from pozytywka_spark.lake.shards import DataFile

_WIDE = 16  # columns from which on it is worth it


def is_wide(file: DataFile, columns: Sequence[str] | None) -> bool:
    """Whether many columns are asked for, all of numbers, flags and dates: those both read in one way."""
    if file.schema is None or not file.place.startswith("/"):
        return False
    names = file.schema.names if columns is None else columns
    there = set(file.schema.names)
    return len(names) >= _WIDE and all(name in there and _is_plain(file.schema, name) for name in names)


def read_wide(file: DataFile, columns: Sequence[str] | None) -> pl.DataFrame | None:
    """As `TableFiles.read` reads it; None where Arrow has to: it knows of columns that were added later, and
    what to say of a file that is gone or damaged."""
    assert file.schema is not None
    names = file.schema.names if columns is None else list(columns)
    stored = [name for name in names if name not in file.partition]
    try:
        rows = pl.read_parquet(file.place, columns=stored, hive_partitioning=False, glob=False)
    except (pl.exceptions.PolarsError, OSError):
        return None
    wanted = pl.Schema(file.schema)
    given = [
        pl.lit(file.partition[name], wanted[name]).alias(name) for name in names if name in file.partition
    ]
    made = rows.with_columns(given).select(names)
    expected = pl.Schema({name: wanted[name] for name in names})
    return made if made.schema == expected else made.cast(expected)


def _is_plain(schema: pa.Schema, name: str) -> bool:
    kind = schema.field(name).type
    return any(
        holds(kind) for holds in (kinds.is_floating, kinds.is_integer, kinds.is_boolean, kinds.is_date)
    )
