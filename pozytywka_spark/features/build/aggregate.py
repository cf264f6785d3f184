"""Measures' expressions over the rows of their level, by user of one month or by user's month of many.

No measure may leave 64 bits. The catalogue's own sums are made in 128 and refused by the cast to 64; a plain
sum of whoever adds features would be wrapped by Polars in silence, so what is summed is looked at before.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import date
from typing import TYPE_CHECKING

import polars as pl
from polars.exceptions import InvalidOperationError

from pozytywka_spark.errors import DataError
from pozytywka_spark.features.build.user_months import KEYS, UserMonths

if TYPE_CHECKING:
    from pozytywka_spark.features.build.plan import Named

_MOST, _LEAST = 2**63 - 1, -(2**63)
# what nobody adds up: keys, moments and the kind
_NOT_SUMMED = {"user_id", "session_id", "at", "kind", "month", "cut_off", "track"}


def aggregate_users(
    rows: pl.DataFrame, measures: Sequence[Named], month: date, largest: Mapping[str, int] | None = None
) -> pl.DataFrame:
    """Grain: user, of one month. The measures as Int64, of rows that lie by user.

    `largest`: of some columns, how far from 0 no value is further, where that is known beforehand. Raises
    `DataError` naming user and month if a measure or a sum of what it reads leaves 64 bits.
    """
    _check_sums(rows, read_by(measures), month, largest or {})
    by_user = rows.with_columns(pl.col("user_id").set_sorted()).group_by("user_id", maintain_order=True)
    try:
        return by_user.agg(measure.made.alias(measure.name) for measure in measures)
    except InvalidOperationError as error:
        raise _of_user(rows, measures, month) or error from error


def aggregate_user_months(rows: pl.DataFrame, measures: Sequence[Named], where: UserMonths) -> pl.DataFrame:
    """Grain and order: as `where.keys`, a column a measure, 0 where the level has no row of a user's month.

    `rows` has `row` and the level's columns; `user_id`, `month` and `cut_off` are added if a measure reads
    them. Raises `DataError` naming user and month if a measure leaves 64 bits.
    """
    made = [each.made.alias(each.name) for each in measures]
    asked = {name for each in made for name in each.meta.root_names()}
    timed = [name for name in (*KEYS, "cut_off") if name in asked]
    if timed:
        rows = rows.with_columns(where.timed.select(timed)[rows.get_column("row").to_numpy()])
    try:
        summed = rows.group_by("row").agg(made)
    except InvalidOperationError as error:
        raise _of_user_month(rows, measures, where) or error from error
    numbers = pl.DataFrame({"row": pl.int_range(where.keys.height, eager=True)})
    return numbers.join(summed, on="row", how="left", maintain_order="left").drop("row").fill_null(0)


def read_by(measures: Sequence[Named]) -> list[str]:
    """The columns that the measures read."""
    return sorted({name for measure in measures for name in measure.made.meta.root_names()})


def _check_sums(rows: pl.DataFrame, columns: Sequence[str], month: date, largest: Mapping[str, int]) -> None:
    """Raise `DataError` if a user's sum of one of the columns doesn't fit 64 bits.

    `rows`: each user's beside each other. Of a column the positive and the negative numbers must each fit, so
    that a sum of some of them fits too; moments of time (`at`) aren't looked at.
    """
    names = [name for name in columns if name not in _NOT_SUMMED and rows.schema[name].is_integer()]
    if not names or rows.is_empty():
        return
    run = rows.get_column("user_id").rle().struct.field("len")
    most_rows = int(run.to_numpy().max())
    for name in names:
        if name in largest and largest[name] * most_rows <= _MOST:
            continue
        column = rows.get_column(name)
        low, high = column.min(), column.max()
        if not isinstance(low, int) or not isinstance(high, int):  # null throughout
            continue
        if max(-low, high) * most_rows > _MOST:  # nearly never
            _look_closer(rows, name, month)


def _look_closer(rows: pl.DataFrame, name: str, month: date) -> None:
    value = pl.col(name).cast(pl.Int128)
    sums = rows.group_by("user_id").agg(
        above=value.filter(value > 0).sum(), below=value.filter(value < 0).sum()
    )
    beyond = sums.filter((pl.col("above") > _MOST) | (pl.col("below") < _LEAST))
    if beyond.height:
        raise _overflow(f"the sum of {name}", beyond.get_column("user_id").sort().item(0), month)


def _of_user(rows: pl.DataFrame, measures: Sequence[Named], month: date) -> DataError | None:
    """Which measure of whom leaves 64 bits; None if none does: then an expression itself is wrong."""
    row = _beyond_64_bits(rows, measures, "user_id")
    return None if row is None else _overflow(*row, month)


def _of_user_month(rows: pl.DataFrame, measures: Sequence[Named], where: UserMonths) -> DataError | None:
    """Which measure of whom is too large; None if none is, for then the expression itself is wrong."""
    beyond = _beyond_64_bits(rows, measures, "row")
    if beyond is None:
        return None
    name, row = beyond
    return _overflow(name, *where.keys.row(row))


def _beyond_64_bits(rows: pl.DataFrame, measures: Sequence[Named], key: str) -> tuple[str, int] | None:
    """The first measure that leaves 64 bits in a group by `key`, and the least key where it does."""
    for measure in measures:
        before_cast = measure.made.meta.pop()[0]  # a measure's last step is the cast to 64 bits
        values = rows.group_by(key).agg(value=before_cast.cast(pl.Int128))
        beyond = values.filter(~pl.col("value").is_between(_LEAST, _MOST)).get_column(key)
        if len(beyond):
            return measure.name, beyond.sort().item(0)
    return None


def _overflow(what: str, user: int, month: date) -> DataError:
    """What is said of a number that is too large."""
    return DataError(f"{what} leaves 64 bits for user {user} in {month:%Y-%m}")
