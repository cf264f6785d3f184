"""Any table of series, read strictly: whatever would be forecast wrongly in silence is refused by row."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import numpy as np
import polars as pl

from pozytywka_spark.errors import DataError, UsageError
from pozytywka_spark.forecasting.steps import steps_of, times_of

NO_VALUE = ("", "na", "nan", "null", "none")
_DAY = pl.Datetime("us")
_TIMES = ("%Y-%m-%d", "%Y-%m-%d %H:%M", "%Y-%m-%d %H:%M:%S", "%Y-%m-%d %H:%M:%S%.f")
# beyond it sums and squares of a few values are no numbers any more
LARGEST = 1e300
_STEPS = {"h": "an hour", "D": "a day", "W": "a week", "MS": "a month"}
ROW = "row"


@dataclass(frozen=True)
class Columns:
    """The names of the columns that are read."""

    series: str
    time: str
    value: str


def read_table(path: Path, columns: Columns, freq: str) -> pl.DataFrame:
    """The file's series, day and value (null where there is none), sorted by series and day.

    `day` is a date where every time is midnight and a step a day or longer, else a datetime in UTC. Raises
    `UsageError` for a file or column that isn't there; `DataError`, naming series and row (from 1, without
    the header), where there is no row, a series has no name, a time can't be read, is there twice or off the
    step, a value is text, infinite or beyond `LARGEST`.
    """
    raw = _raw(path, columns)
    if raw.is_empty():
        raise DataError(f"{path} has no rows: expected a row a series and time")
    frame = raw.with_columns(
        series=_named(raw, path, columns), day=_days(raw, path, columns), value=_values(raw, path, columns)
    ).sort("series", "day", ROW)
    _refuse_twice(frame, path)
    for series in frame.partition_by("series", maintain_order=True):
        _refuse_off_step(series, path, freq)
    frame = frame.select("series", "day", "value")
    if freq != "h" and (frame["day"].dt.truncate("1d") == frame["day"]).all():
        return frame.with_columns(pl.col("day").cast(pl.Date))
    return frame


def _raw(path: Path, columns: Columns) -> pl.DataFrame:
    if not path.is_file():
        what = "a folder; give one file" if path.is_dir() else "there is no such file"
        raise UsageError(f"--from {path}: {what}")
    suffix = path.suffix.lower()
    if suffix not in (".csv", ".parquet"):
        raise UsageError(f"--from {path}: expected a name that ends in .csv or .parquet")
    try:
        table = pl.read_csv(path, infer_schema=False) if suffix == ".csv" else pl.read_parquet(path)
    except pl.exceptions.NoDataError:
        raise DataError(f"{path} has no rows: expected a header and a row a series and time") from None
    except (pl.exceptions.PolarsError, OSError, ValueError) as error:
        raise DataError(f"{path} can't be read as {suffix[1:]}: {str(error).splitlines()[0]}") from None
    for flag in ("series", "time", "value"):
        name = getattr(columns, flag)
        if name not in table.columns:
            raise UsageError(f"--{flag} {name}: {path} has no such column; it has {', '.join(table.columns)}")
        if table.schema[name].is_nested():
            raise DataError(f"{path}: column {name} has lists or structs; expected one plain value a row")
    chosen = {"series": columns.series, "day": columns.time, "value": columns.value}
    return table.select(**{name: pl.col(column) for name, column in chosen.items()}).with_row_index(ROW, 1)


def _named(raw: pl.DataFrame, path: Path, columns: Columns) -> pl.Series:
    names = raw["series"].cast(pl.String, strict=False)
    bad = raw.filter(names.is_null() | (names.str.strip_chars() == ""))
    if bad.height:
        raise DataError(
            f"{path}, row {bad[ROW][0]}: the series has no name in {columns.series}; "
            "give it one or leave the row out"
        )
    return names


def times_read(texts: pl.Series) -> pl.Series:
    """ISO dates and times, UTC's `Z` or none after them; null where a text is neither."""
    plain = texts.str.strip_chars().str.replace("T", " ", literal=True).str.strip_suffix("Z")
    tried = [plain.str.to_datetime(form, strict=False, time_unit="us") for form in _TIMES]
    return pl.select(pl.coalesce([pl.lit(one) for one in tried])).to_series()


def _days(raw: pl.DataFrame, path: Path, columns: Columns) -> pl.Series:
    given = raw["day"]
    if given.dtype == pl.String:
        days = times_read(given)
    elif given.dtype == pl.Date:
        days = given.cast(_DAY)
    elif isinstance(given.dtype, pl.Datetime):
        zone = given.dtype.time_zone
        days = (given.dt.convert_time_zone("UTC").dt.replace_time_zone(None) if zone else given).cast(_DAY)
    else:
        days = pl.Series(pl.repeat(None, len(given), dtype=_DAY, eager=True))
    bad = raw.filter(days.is_null())
    if bad.height:
        raise DataError(
            f"{path}, row {bad[ROW][0]}, series {bad['series'][0]}: {columns.time} is {bad['day'][0]!r}; "
            "expected a time such as 2024-05-01 or 2024-05-01 13:00:00"
        )
    return days


def _values(raw: pl.DataFrame, path: Path, columns: Columns) -> pl.Series:
    given = raw["value"]
    if given.dtype == pl.String:
        plain = given.str.strip_chars()
        absent = plain.is_null() | plain.str.to_lowercase().is_in(NO_VALUE)
        values = plain.cast(pl.Float64, strict=False)
    else:
        values = given.cast(pl.Float64, strict=False)
        absent = given.is_null() | values.is_nan().fill_null(False)
    bad = raw.filter(~absent & ~(values.abs() <= LARGEST).fill_null(False))
    if bad.height:
        raise DataError(
            f"{path}, row {bad[ROW][0]}, series {bad['series'][0]}: {columns.value} is {bad['value'][0]!r}; "
            f"expected a finite number up to {LARGEST:g}, or nothing where there is none"
        )
    return pl.select(pl.when(pl.lit(absent)).then(None).otherwise(pl.lit(values))).to_series()


def _refuse_twice(frame: pl.DataFrame, path: Path) -> None:
    twice = frame.filter(pl.struct("series", "day").is_duplicated()).head(2)
    if twice.height:
        first, second = twice[ROW]
        raise DataError(
            f"{path}, rows {first} and {second}: series {twice['series'][0]} has {twice['day'][0]} twice; "
            "leave one, or add them up"
        )


def _refuse_off_step(series: pl.DataFrame, path: Path, freq: str) -> None:
    """Every time is the first one and so many steps; most follow each other."""
    times = series["day"].to_numpy()
    steps = steps_of(times, freq)
    off = np.flatnonzero(
        (times_of(steps, freq, times[0]) != times) | (np.diff(steps, prepend=steps[0] - 1) == 0)
    )
    if off.size:
        row = series.row(int(off[0]), named=True)
        raise DataError(
            f"{path}, row {row[ROW]}, series {row['series']}: {row['day']} isn't {_STEPS[freq]} or several "
            f"after {series['day'][0]}, the first; bring times to the step of --freq {freq}, or give another"
        )
    apart = np.diff(steps)
    if len(apart) > 1 and np.median(apart) > 1:
        raise DataError(
            f"{path}, series {series['series'][0]}: times are mostly {int(np.median(apart))} steps of "
            f"--freq {freq} apart; give the --freq that they have"
        )
