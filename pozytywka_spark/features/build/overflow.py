"""No sum may leave 64 bits. The catalogue's own are made in 128 and refused by the cast to 64; a plain sum of
whoever adds features would be wrapped by Polars in silence, so what is summed is looked at before."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date
from typing import TYPE_CHECKING

import polars as pl

from pozytywka_spark.errors import DataError

if TYPE_CHECKING:
    from pozytywka_spark.features.build.plan import Named

_MOST, _LEAST = 2**63 - 1, -(2**63)
# what nobody adds up: keys, moments and the kind
_NOT_SUMMED = {"user_id", "session_id", "at", "kind", "month", "cut_off", "track"}


def check_sums(rows: pl.DataFrame, columns: Sequence[str], month: date) -> None:
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
        column = rows.get_column(name)
        low, high = column.min(), column.max()
        if not isinstance(low, int) or not isinstance(high, int):  # null throughout
            continue
        if max(-low, high) * most_rows > _MOST:  # nearly never
            _look_closer(rows, name, month)


def too_large(rows: pl.DataFrame, measures: Sequence[Named], month: date) -> DataError | None:
    """Which measure of whom leaves 64 bits; None if none does: then an expression itself is wrong."""
    row = beyond_64_bits(rows, measures, "user_id")
    return None if row is None else overflow_error(*row, month)


def beyond_64_bits(rows: pl.DataFrame, measures: Sequence[Named], key: str) -> tuple[str, int] | None:
    """The first measure that leaves 64 bits in a group by `key`, and the least key where it does."""
    for measure in measures:
        before_cast = measure.made.meta.pop()[0]  # a measure's last step is the cast to 64 bits
        values = rows.group_by(key).agg(value=before_cast.cast(pl.Int128))
        beyond = values.filter(~pl.col("value").is_between(_LEAST, _MOST)).get_column(key)
        if len(beyond):
            return measure.name, beyond.sort().item(0)
    return None


def overflow_error(what: str, user: int, month: date) -> DataError:
    """What is said of a number that is too large."""
    return DataError(f"{what} leaves 64 bits for user {user} in {month:%Y-%m}")


def _look_closer(rows: pl.DataFrame, name: str, month: date) -> None:
    value = pl.col(name).cast(pl.Int128)
    sums = rows.group_by("user_id").agg(
        above=value.filter(value > 0).sum(), below=value.filter(value < 0).sum()
    )
    beyond = sums.filter((pl.col("above") > _MOST) | (pl.col("below") < _LEAST))
    if beyond.height:
        raise overflow_error(f"the sum of {name}", beyond.get_column("user_id").sort().item(0), month)
