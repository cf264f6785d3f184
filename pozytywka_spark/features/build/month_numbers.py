"""Months of rows as numbers that arrays reckon with."""

from __future__ import annotations

from datetime import date, timedelta

import numpy as np
import numpy.typing as npt
import polars as pl

from pozytywka_spark.months import number_of

_EPOCH = date(1970, 1, 1)


def month_numbers(months: pl.Series) -> npt.NDArray[np.int64]:
    """`months.number_of` each date. There are few different ones, so only those are reckoned out."""
    days = months.to_physical().to_numpy()
    if not days.size:
        return np.zeros(0, np.int64)
    first = int(days.min())
    places = days - first
    present = np.flatnonzero(np.bincount(places))
    numbers = np.zeros(int(present[-1]) + 1, np.int64)
    numbers[present] = [number_of(_EPOCH + timedelta(days=first + int(day))) for day in present]
    taken: npt.NDArray[np.int64] = numbers[places]
    return taken
