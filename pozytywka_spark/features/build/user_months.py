"""Users and months of a slice as places in arrays, which its other rows are brought to; months as numbers."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, timedelta
from functools import cached_property

import numpy as np
import numpy.typing as npt
import polars as pl

from pozytywka_spark.errors import DataError
from pozytywka_spark.features.times import cut_off_of
from pozytywka_spark.months import number_of
from pozytywka_spark.names import USER_MONTH

Whole = npt.NDArray[np.int64]
GONE = -1  # the place of what isn't there
KEYS = USER_MONTH
_EPOCH = date(1970, 1, 1)


@dataclass(frozen=True)
class UserMonths:
    """The rows of a slice: `keys`, grain user and month, is in order of month and user."""

    keys: pl.DataFrame

    @cached_property
    def users(self) -> Whole:
        """Each user once, in order; the place in here stands for the user."""
        return self.keys.get_column("user_id").unique().sort().to_numpy()

    @cached_property
    def months(self) -> Whole:
        """The number of each row's month."""
        return month_numbers(self.keys.get_column("month"))

    @cached_property
    def user_of(self) -> Whole:
        """The place of each row's user."""
        return np.searchsorted(self.users, self.keys.get_column("user_id").to_numpy())

    def place_users(self, user_ids: pl.Series) -> Whole:
        """The place of each user, GONE for one without a row."""
        if not self.users.size:
            return np.full(len(user_ids), GONE, np.int64)
        users = user_ids.to_numpy()
        places = np.minimum(np.searchsorted(self.users, users), len(self.users) - 1)
        places[self.users[places] != users] = GONE
        return places

    def find_rows(self, users: Whole, months: Whole) -> Whole:
        """As `place_rows`, GONE where there is none."""
        first, grid = self._grid
        columns = months - first
        inside = (users != GONE) & (columns >= 0) & (columns < grid.shape[1])
        rows = np.full(len(users), GONE, np.int64)
        rows[inside] = grid[users[inside], columns[inside]]
        return rows

    def place_rows(self, users: Whole, months: Whole) -> Whole:
        """The row of each (place of a user, number of a month). Raises `DataError` if there is none."""
        first, grid = self._grid
        columns = months - first
        inside = (users != GONE) & (columns >= 0) & (columns < grid.shape[1])
        rows: Whole = grid[users[inside], columns[inside]].astype(np.int64)
        if len(rows) < len(users) or (rows == GONE).any():
            raise DataError("features: a user's month has plays or likes, and isn't measured: build it again")
        return rows

    def rows_of(self, listed: pl.DataFrame) -> Whole:
        """The row of each user and month, looked up once for each run of them. Raises as `place_rows`."""
        user, month = pl.col("user_id"), pl.col("month")
        another = ((user != user.shift(1)) | (month != month.shift(1))).fill_null(value=True)
        firsts = listed.select(another).to_series().arg_true()
        begins = listed.select(pl.col("user_id", "month").gather(firsts))
        users, months = self.place_users(begins["user_id"]), month_numbers(begins["month"])
        return np.repeat(self.place_rows(users, months), np.diff(firsts.to_numpy(), append=listed.height))

    @cached_property
    def _grid(self) -> tuple[int, npt.NDArray[np.int32]]:
        """The first month's number, and the row of each user and month."""
        if not self.months.size:
            return 0, np.zeros((0, 0), np.int32)
        first, last = int(self.months[0]), int(self.months[-1])
        grid = np.full((len(self.users), last - first + 1), GONE, np.int32)
        grid[self.user_of, self.months - first] = np.arange(len(self.months), dtype=np.int32)
        return first, grid

    @cached_property
    def timed(self) -> pl.DataFrame:
        """`keys` with `cut_off`."""
        return self.keys.select(*KEYS, cut_off=cut_off_of(pl.col("month")))


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
