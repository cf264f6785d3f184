"""Columns that are known ahead, from a file that the user names: campaigns, prices, fixtures."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import date, timedelta
from pathlib import Path

import polars as pl

from pozytywka_spark.errors import DataError, UsageError

_READ: Mapping[str, Callable[[str], pl.DataFrame]] = {
    ".csv": lambda path: pl.read_csv(path, infer_schema_length=None),
    ".parquet": pl.read_parquet,
}
_FORMATS = " or ".join(_READ)


def read_known(path: str, first: date, end: date) -> pl.DataFrame:
    """The file's rows of the days in `[first, end)`: `day` and its columns of numbers, by day.

    Raises `UsageError` where there is no such file or column `day`, `DataError` naming the row for a day that
    is none, comes twice or is missing, and for a value that is no finite number.
    """
    frame = _read(path)
    if "day" not in frame.columns:
        raise UsageError(f"forecast.known {path}: it has no column day; it has: {', '.join(frame.columns)}")
    if frame.width == 1:
        raise UsageError(
            f"forecast.known {path}: it has no column beside day; expected one of numbers or more"
        )
    frame = frame.with_row_index("row", 2).with_columns(asked=pl.col("day"))
    if frame.schema["day"] == pl.String:
        frame = frame.with_columns(pl.col("day").str.to_date("%Y-%m-%d", strict=False))
    frame = frame.with_columns(pl.col("day").cast(pl.Date, strict=False))
    _check_days(path, frame, first, end)
    names = [name for name in frame.columns if name not in ("row", "asked", "day")]
    frame = frame.filter(pl.col("day").is_between(first, end, closed="left"))
    for name in names:
        _check_numbers(path, frame, name)
    return frame.select("day", *(pl.col(name).cast(pl.Float64) for name in names)).sort("day")


def _read(path: str) -> pl.DataFrame:
    read = _READ.get(Path(path).suffix.lower())
    if read is None:
        raise UsageError(f"forecast.known {path}: expected a file that ends in {_FORMATS}")
    try:
        return read(path)
    except OSError:
        raise UsageError(f"forecast.known {path}: there is no such file") from None
    except pl.exceptions.PolarsError as error:
        raise UsageError(f"forecast.known {path} can't be read: {str(error).splitlines()[0]}") from None


def _check_days(path: str, frame: pl.DataFrame, first: date, end: date) -> None:
    bad = frame.filter(pl.col("day").is_null())
    if bad.height:
        row = bad.row(0, named=True)
        raise DataError(
            f"forecast.known {path}, row {row['row']}: day {row['asked']!r} is none such as 2023-05-01"
        )
    twice = frame.filter(pl.col("day").is_duplicated())
    if twice.height:
        row = twice.row(-1, named=True)
        raise DataError(f"forecast.known {path}, row {row['row']}: {row['day']} is there twice; leave one")
    there = set(frame.get_column("day"))
    wanted = (first + timedelta(days=n) for n in range((end - first).days))
    missing = next((day for day in wanted if day not in there), None)
    if missing is not None:
        raise DataError(
            f"forecast.known {path}: {missing} is missing; it must have every day from {first} to "
            f"{end - timedelta(days=1)}, the forecast's last"
        )


def _check_numbers(path: str, frame: pl.DataFrame, name: str) -> None:
    numbers = pl.col(name).cast(pl.Float64, strict=False)
    bad = frame.filter(numbers.is_null() | ~numbers.is_finite())
    if bad.height:
        row = bad.row(0, named=True)
        raise DataError(
            f"forecast.known {path}, row {row['row']}: {name} is {row[name]!r} on {row['day']}; "
            "expected a finite number"
        )
