"""Keys cut into slices by stated hashes, so that a task holds some of them, whole, and no more at once."""

from __future__ import annotations

from collections.abc import Iterator

import polars as pl

from pozytywka_spark.hashing.slices import slice_of, slices_for, text_slice

ROWS_AT_ONCE = 1_000_000  # keys of a slice
MOST_SLICES = 256  # more, and there are more parcels than rows in them
_SLICE = "_slice"
_SAMPLED_OF = 1_000_003


def number_of_slices(rows: int) -> int:
    """How many slices so many rows are cut into."""
    return min(MOST_SLICES, slices_for(rows, ROWS_AT_ONCE))


def cut(rows: pl.DataFrame, key: str, slices: int) -> Iterator[tuple[int, pl.DataFrame]]:
    """Rows by the slice of their key, which is whole numbers or text, none null."""
    if not rows.height:
        return
    if slices == 1:
        yield 0, rows
        return
    column = rows.get_column(key)
    numbers = (
        rows.select(slice_of(key, slices)).to_series()
        if column.dtype.is_integer()
        else text_slice(column, slices)
    )
    parts = rows.with_columns(numbers.cast(pl.Int64).alias(_SLICE)).partition_by(_SLICE, as_dict=True)
    for (number,), part in sorted(parts.items()):
        yield int(number), part.drop(_SLICE)


def cut_stored(
    rows: pl.DataFrame, key: str, slices: int, *, numeric: bool
) -> Iterator[tuple[int, pl.DataFrame]]:
    """The same of keys as a store holds them, as text. What is no number falls to any slice: it is no key."""
    if not numeric:
        yield from cut(rows, key, slices)
        return
    as_number = pl.col(key).cast(pl.Int64, strict=False).fill_null(0).abs().alias("_number")
    for number, part in cut(rows.with_columns(as_number), "_number", slices):
        yield number, part.drop("_number")


def sampled(rows: pl.DataFrame, key: str, share: float) -> pl.DataFrame:
    """The rows of about a share (0 to 1) of all keys (text), the same keys everywhere: by a stated hash."""
    if share >= 1:
        return rows
    return rows.filter(text_slice(rows.get_column(key), _SAMPLED_OF) < share * _SAMPLED_OF)
