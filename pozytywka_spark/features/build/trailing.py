"""Sums over the last months of a user, exactly, all measures by one order of the rows."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import numpy.typing as npt
import polars as pl

from pozytywka_spark.errors import DataError
from pozytywka_spark.features.build.user_months import month_numbers
from pozytywka_spark.features.declared.values import sum_name

Whole = npt.NDArray[np.int64]
_LARGEST = 2**63 - 1
_HALF = 32


def trailing_sums(rows: pl.DataFrame, sums: Sequence[tuple[str, int]]) -> pl.DataFrame:
    """For each (measure, months) a column `sum_name(measure, months)`, in the order of `rows`.

    `rows`, grain user and month in any order: `user_id`, `month`, and the measures (Int64). The sum is over
    the user's rows of the last `months` months, the row's own included: of months, not of rows, so that a
    month without a row counts as none. Null only if all of them are. Raises `DataError` naming user and month
    if a sum leaves 64 bits.
    """
    spans = sorted({months for _, months in sums})
    order, firsts = _windows(rows, spans)
    made: dict[str, pl.Series] = {}
    for measure in dict.fromkeys(name for name, _ in sums):
        values = rows.get_column(measure).gather(order)
        for months in spans:
            if (measure, months) in sums:
                name = sum_name(measure, months)
                _check_room(values, firsts[months], months, rows, order)
                made[name] = _sums(values, firsts[months])
    back = np.empty_like(order)
    back[order] = np.arange(len(order))
    return pl.DataFrame({sum_name(*each): made[sum_name(*each)] for each in sums}).select(
        pl.all().gather(back)
    )


def _windows(rows: pl.DataFrame, spans: Sequence[int]) -> tuple[Whole, dict[int, Whole]]:
    """Rows by user and month, and for each of them where the window of so many months begins."""
    users = rows.get_column("user_id").rank("dense").cast(pl.Int64).to_numpy()
    months = month_numbers(rows.get_column("month"))
    # so far apart that no window reaches into the user before
    apart = int(np.ptp(months)) + max(spans, default=0) + 1 if months.size else 1
    keys = users * apart + months - (months.min() if months.size else 0)
    order = np.argsort(keys, kind="stable")
    ordered = keys[order]
    return order, {months: np.searchsorted(ordered, ordered - (months - 1)) for months in spans}


def _sums(values: pl.Series, firsts: Whole) -> pl.Series:
    """What lies from the first row of each window up to the row itself."""
    summed = pl.Series(values.name, _between(values.fill_null(0).to_numpy(), firsts))
    if not values.null_count():
        return summed
    given = _between(values.is_not_null().cast(pl.Int64).to_numpy(), firsts)
    return pl.select(pl.when(pl.Series(given > 0)).then(summed)).to_series()


def _between(values: Whole, firsts: Whole) -> Whole:
    """Differences of running sums. Those may wrap around; a difference that fits is right all the same."""
    until = np.zeros(len(values) + 1, np.int64)
    np.cumsum(values, out=until[1:])
    return until[1:] - until[firsts]


def _check_room(values: pl.Series, firsts: Whole, months: int, rows: pl.DataFrame, order: Whole) -> None:
    """Raise if a sum leaves 64 bits; where no value is large enough for that, no sum is looked at."""
    numbers = values.fill_null(0).to_numpy()
    if not numbers.size or max(int(numbers.max()), -int(numbers.min())) * months <= _LARGEST:
        return
    high = _between(numbers >> _HALF, firsts)
    low = _between(numbers & (2**_HALF - 1), firsts)
    high += low >> _HALF
    outside = np.flatnonzero((high < -(2**31)) | (high >= 2**31))
    if outside.size:
        user, month = rows.select("user_id", "month").row(int(order[outside[0]]))
        raise DataError(
            f"the sum of {values.name} over {months} months leaves 64 bits for user {user} in {month:%Y-%m}"
        )
