"""Columns of moments and of keys as other people's files spell them, in the numbers and texts of ours."""

from __future__ import annotations

import polars as pl
import pyarrow as pa
import pyarrow.compute as pc
from pyarrow import types as kinds

from pozytywka_spark.months import DAY_MICROS, HOUR_MICROS, MICROS, MINUTE_MICROS

# a day, then perhaps a time to the minute, the second or a fraction of it, then perhaps a zone
_ISO = (
    r"^\s*(?<day>\d{4}-\d{2}-\d{2})"
    r"(?:[T ](?<hour>\d{2}):(?<minute>\d{2})(?::(?<second>\d{2})(?:[.,](?<fraction>\d{1,9}))?)?"
    r"\s?(?<zone>Z|z|[+-]\d{2}(?::?\d{2})?)?)?\s*$"
)
_UNITS = {"s": MICROS, "ms": 1000, "us": 1}  # microseconds of each
_LARGEST = 2**63 - 1


class UnreadableError(Exception):
    """A column holds what it shouldn't: what, and in which row (from 0), or throughout (None)."""

    def __init__(self, what: str, row: int | None = None) -> None:
        super().__init__(what)
        self.what, self.row = what, row


def as_micros(column: pa.ChunkedArray) -> pl.Series:
    """Moments as microseconds since 1970; those without a zone are UTC, a day is its midnight.

    Takes timestamps of any unit, dates, and ISO's texts; a fraction of a microsecond is dropped, downwards.
    Raises `UnreadableError` for other types, for a null, and for a text that is no moment.
    """
    column = _plain(column)
    if column.null_count:
        raise UnreadableError("is empty", _first(pl.Series(pc.is_null(column))))
    if kinds.is_timestamp(column.type):
        return _of_timestamps(column)
    if kinds.is_date(column.type):
        return pl.Series(column.cast(pa.date32()).cast(pa.int32())).cast(pl.Int64) * DAY_MICROS
    if _is_text(column.type):
        return _of_texts(pl.Series(column))
    raise UnreadableError(f"is of type {column.type}")


def as_keys(column: pa.ChunkedArray, *, numbers: bool) -> pl.Series:
    """Keys as the store spells them: text; `numbers`: whole ones as decimals, so that 007 is 7. Null stays.

    Raises `UnreadableError` for other types, and for what is no whole number where one is to be.
    """
    column = _plain(column)
    whole = kinds.is_integer(column.type)
    if not (whole or _is_text(column.type) or (numbers and kinds.is_floating(column.type))):
        raise UnreadableError(f"is of type {column.type}")
    series = pl.Series(column)
    if not numbers or whole:
        return series.cast(pl.String)
    if series.dtype.is_float():  # what Pandas makes of whole numbers as soon as one is missing
        series = series.fill_nan(None)
        read = series.cast(pl.Int64, strict=False)
        wrong = series.is_not_null() & (read.is_null() | (read.cast(series.dtype) != series))
    else:
        series = series.str.strip_chars().replace("", None)
        read = series.cast(pl.Int64, strict=False)
        wrong = series.is_not_null() & read.is_null()
    if wrong.any():
        row = _first(wrong)
        raise UnreadableError(f"is {series[row]!r}, no whole number", row)
    return read.cast(pl.String)


def _of_timestamps(column: pa.ChunkedArray) -> pl.Series:
    numbers = pl.Series(column.cast(pa.int64()))
    if column.type.unit == "ns":
        return numbers // 1000
    factor = _UNITS[column.type.unit]
    beyond = (numbers > _LARGEST // factor) | (numbers < -_LARGEST // factor)
    if beyond.any():
        raise UnreadableError("lies beyond all calendars", _first(beyond))
    return numbers * factor


def _of_texts(texts: pl.Series) -> pl.Series:
    """A text is read once, however many rows have it."""
    distinct = texts.rename("text").unique().to_frame()
    part = pl.col("part").struct.field
    read = distinct.with_columns(part=pl.col("text").str.extract_groups(_ISO)).with_columns(
        day=part("day").str.to_date("%Y-%m-%d", strict=False),
        zone=part("zone"),
        fraction=part("fraction").str.pad_end(6, "0").str.slice(0, 6).cast(pl.Int64).fill_null(0),
        **{name: part(name).cast(pl.Int64).fill_null(0) for name in ("hour", "minute", "second")},
    )
    zone = pl.col("zone").str.replace(":", "", literal=True)
    offset = zone.str.slice(1, 2).cast(pl.Int64) * HOUR_MICROS + (
        zone.str.slice(3, 2).replace("", "0").cast(pl.Int64) * MINUTE_MICROS
    )
    in_utc = pl.col("zone").is_null() | pl.col("zone").str.to_uppercase().eq("Z")
    ahead = (
        pl.when(in_utc).then(0).otherwise(offset * pl.when(zone.str.starts_with("-")).then(-1).otherwise(1))
    )
    of_a_day = (pl.col("hour") < 24) & (pl.col("minute") < 60) & (pl.col("second") < 60)
    micros = (
        pl.col("day").to_physical().cast(pl.Int64) * DAY_MICROS
        + pl.col("hour") * HOUR_MICROS
        + pl.col("minute") * MINUTE_MICROS
        + pl.col("second") * MICROS
        + pl.col("fraction")
        - ahead
    )
    read = read.select("text", micros=pl.when(of_a_day).then(micros))
    moments = (
        texts.rename("text").to_frame().join(read, on="text", how="left", maintain_order="left")["micros"]
    )
    if moments.null_count():
        row = _first(moments.is_null())
        raise UnreadableError(f"is {texts[row]!r}", row)
    return moments


def _plain(column: pa.ChunkedArray) -> pa.ChunkedArray:
    """Without a dictionary, which is only a way to store values."""
    return column.cast(column.type.value_type) if kinds.is_dictionary(column.type) else column


def _is_text(kind: pa.DataType) -> bool:
    return bool(kinds.is_string(kind) or kinds.is_large_string(kind) or kinds.is_string_view(kind))


def _first(wrong: pl.Series) -> int:
    place = wrong.arg_max()
    assert place is not None
    return place
