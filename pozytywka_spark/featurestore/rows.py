"""A view's rows from its table's: the one place where a value, and when it was known, is worked out."""

from __future__ import annotations

import math
import struct
from dataclasses import dataclass
from datetime import date

import polars as pl

from pozytywka_spark.featurestore.views import View
from pozytywka_spark.months import HOUR_MICROS, as_moment, cut_off_micros, previous_month

KEY, KNOWN_AT, VERSION, MONTH = "key", "known_at", "version", "month"
ALWAYS = 0  # known_at of rows that are of no known time: before every moment that is asked for
_NUMBER, _AGE = "_number", "_age"  # of a month, from year 0; how many months ago, from 0
_TRAILING = {"plays_1_month": 1, "plays_3_months": 3, "plays_12_months": 12}


@dataclass(frozen=True)
class Reading:
    """What a view's rows depend on beside their table's.

    `delay_hours`: how much later than its cut-off a row becomes known. `model`: name and version of the
    champion, for a view of its rows. `last_month`: the table's newest, up to which trailing sums go; unset,
    that of the rows.
    """

    delay_hours: float = 0.0
    model: tuple[str, int] | None = None
    last_month: date | None = None


def needed(view: View) -> tuple[str, ...]:
    """The table's columns that its rows are made from."""
    if view.made == "trailing plays":
        return (view.key, "plays", MONTH)
    names = [view.key, *((MONTH,) if view.by_month else ())]
    names += ["model_name", "model_version"] if view.champion else []
    own = [each.origin for each in view.columns if each.name != "tracks"]
    return tuple(dict.fromkeys([*names, *own]))


def frame_of(view: View, rows: pl.DataFrame, version: int, reading: Reading = Reading()) -> pl.DataFrame:
    """A view's rows from rows (`needed`) of a version of its table.

    Grain: key and known_at. Columns: `key` (text), `known_at` (microseconds UTC), `version`, the view's as
    doubles, rounded to four bytes where the view is float32. Of a view that isn't made row by row, `rows`
    must hold all of a key's. Rows without a key are left out; they are in no order.
    """
    there = rows.filter(pl.col(view.key).is_not_null())
    if view.champion:
        there = of_model(there, reading.model)
    if view.made == "trailing plays":
        there = trailing_plays(there, view.key, reading.last_month)
    elif view.made == "artist":
        there = _artists(there, view.key)
    return _as_of_view(view, there, version, reading)


def newest_of(view: View, rows: pl.DataFrame, version: int, reading: Reading = Reading()) -> pl.DataFrame:
    """The newest of `frame_of` of each key, without making those before it."""
    if view.made != "trailing plays":
        return newest(frame_of(view, rows, version, reading))
    there = rows.filter(pl.col(view.key).is_not_null())
    return _as_of_view(view, last_plays(there, view.key, reading.last_month), version, reading)


def _as_of_view(view: View, there: pl.DataFrame, version: int, reading: Reading) -> pl.DataFrame:
    types = there.schema  # asked for once: a frame works its types out anew for each question
    columns = [
        _double(types, each.name if view.made != "row" else each.origin, view.dtype).alias(each.name)
        for each in view.columns
    ]
    return there.select(
        pl.col(view.key).cast(pl.String).alias(KEY),
        known_at(view, reading.delay_hours).alias(KNOWN_AT),
        pl.lit(version, pl.Int64).alias(VERSION),
        *columns,
    )


def newest(rows: pl.DataFrame) -> pl.DataFrame:
    """Of a view's rows the newest of each key."""
    return rows.filter(pl.col(KNOWN_AT) == pl.col(KNOWN_AT).max().over(KEY)).unique(
        KEY, keep="last", maintain_order=True
    )


def of_model(rows: pl.DataFrame, model: tuple[str, int] | None) -> pl.DataFrame:
    """The rows of `predictions` that one model's version made; none without a model."""
    if model is None:
        return rows.clear()
    return rows.filter((pl.col("model_name") == model[0]) & (pl.col("model_version") == model[1]))


def known_at(view: View, delay_hours: float = 0.0) -> pl.Expr:
    """When rows became known, in microseconds: the cut-off of their month and the delay."""
    if not view.by_month:
        return pl.lit(ALWAYS, pl.Int64)
    cut_off = pl.col(MONTH).dt.offset_by("1mo").cast(pl.Datetime("us")).cast(pl.Int64)
    return cut_off + delay_micros(delay_hours)


def known_micros(view: View, month: date, delay_hours: float = 0.0) -> int:
    """The same of one month."""
    return cut_off_micros(month) + delay_micros(delay_hours) if view.by_month else ALWAYS


def month_known(moment: int, delay_hours: float = 0.0) -> date:
    """The month whose rows become known at that moment: the inverse of `known_micros`."""
    return previous_month(as_moment(moment - delay_micros(delay_hours)).date())


def delay_micros(delay_hours: float) -> int:
    """The delay in microseconds."""
    return round(delay_hours * HOUR_MICROS)


def trailing_plays(plays: pl.DataFrame, key: str, last_month: date | None = None) -> pl.DataFrame:
    """Grain: track and month with plays in the twelve that end with it, up to the last. Columns: the key,
    `month`, and sums over 1, 3 and 12 months.

    A month without plays has its row too, so that yesterday's hit isn't taken for today's.
    """
    ages = pl.DataFrame({_AGE: range(12)}, schema={_AGE: pl.Int64})
    spread = (
        plays.select(key, "plays", _number_of_month())
        .join(ages, how="cross")
        .with_columns(pl.col(_NUMBER) + pl.col(_AGE))
    )
    return _sums(_until(spread, _last_number(plays, last_month)), key)


def last_plays(plays: pl.DataFrame, key: str, last_month: date | None = None) -> pl.DataFrame:
    """Of `trailing_plays` the last row of each track, at a twentieth of the work."""
    last = _last_number(plays, last_month)
    there = _until(plays.select(key, "plays", _number_of_month()), last)
    ends = pl.min_horizontal(pl.col(_NUMBER).max().over(key) + 11, pl.lit(last, pl.Int64))
    aged = there.with_columns((ends - pl.col(_NUMBER)).alias(_AGE), ends.alias(_NUMBER))
    return _sums(aged.filter(pl.col(_AGE) < 12), key)


def _number_of_month() -> pl.Expr:
    return (pl.col(MONTH).dt.year().cast(pl.Int64) * 12 + pl.col(MONTH).dt.month() - 1).alias(_NUMBER)


def _last_number(plays: pl.DataFrame, last_month: date | None) -> int | None:
    last = last_month or (plays.get_column(MONTH).max() if plays.height else None)
    return last.year * 12 + last.month - 1 if isinstance(last, date) else None


def _until(rows: pl.DataFrame, last: int | None) -> pl.DataFrame:
    return rows if last is None else rows.filter(pl.col(_NUMBER) <= last)


def _sums(plays: pl.DataFrame, key: str) -> pl.DataFrame:
    """Grain: track and month. From plays with the month that they count for, and how old they are then."""
    sums = [
        pl.col("plays").filter(pl.col(_AGE) < months).sum().alias(name) for name, months in _TRAILING.items()
    ]
    return (
        plays.group_by(key, _NUMBER)
        .agg(sums)
        .with_columns(pl.date(pl.col(_NUMBER) // 12, pl.col(_NUMBER) % 12 + 1, 1).alias(MONTH))
        .drop(_NUMBER)
    )


def _artists(tracks: pl.DataFrame, key: str) -> pl.DataFrame:
    """Grain: artist. Sums are of whole numbers, and so the same in any order of rows."""
    return tracks.group_by(key).agg(
        pl.len().alias("tracks"),
        _mean("popularity").alias("average_popularity"),
        pl.col("popularity").max().alias("highest_popularity"),
        _mean("duration_ms").alias("average_duration_ms"),
        _mean("explicit").alias("explicit_share"),
        pl.col("release_date").min().alias("first_release_day"),
        pl.col("release_date").max().alias("last_release_day"),
    )


def _mean(name: str) -> pl.Expr:
    whole = pl.col(name).cast(pl.Int64)
    return pl.when(whole.count() > 0).then(whole.sum() / whole.count())


def _double(types: pl.Schema, name: str, dtype: str) -> pl.Expr:
    """A column as doubles: a truth value as 0 or 1, a day as days since 1970."""
    column = pl.col(name)
    if types[name] == pl.Date:
        column = column.to_physical()
    column = column.cast(pl.Float64)
    return column.cast(pl.Float32).cast(pl.Float64) if dtype == "float32" else column


def same_bits(one: float | None, other: float | None) -> bool:
    """Whether two values are the same to the last bit; every NaN is, for JSON has only one."""
    if one is None or other is None:
        return one is other
    if math.isnan(one) or math.isnan(other):
        return math.isnan(one) and math.isnan(other)
    return struct.pack("<d", one) == struct.pack("<d", other)
