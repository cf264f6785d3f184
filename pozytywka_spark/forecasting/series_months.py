"""A month's counts of all buckets brought together as `series_daily` and `series_monthly`. No Spark here."""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from typing import Any

import numpy as np
import polars as pl

from pozytywka_spark.forecasting.measures import (
    BY_CITY,
    BY_GROUP,
    Counts,
    MonthCounts,
    Prices,
    Universe,
    Values,
    cube,
    series_rows,
)
from pozytywka_spark.forecasting.series_firsts import BOUGHT_BEFORE, NEW
from pozytywka_spark.forecasting.series_work import ACTIVE, ACTIVE_MONTH, COUNTS, PLAYED, Names
from pozytywka_spark.lake.shards import Parcel
from pozytywka_spark.lake.tasks import TaskFiles
from pozytywka_spark.schemas import SERIES_DAILY, SERIES_MONTHLY

_EPOCH = date(1970, 1, 1)


@dataclass(frozen=True)
class MonthItem:
    """A month's complete days `[first, end)`, its parcels by kind, and NEW of the build's months before it.

    `whole`: whether they are all of the month's days, so that it has a row a series in `series_monthly`.
    """

    month: date
    first: date
    end: date
    whole: bool
    parcels: Mapping[str, tuple[Parcel, ...]]
    earlier: tuple[Parcel, ...]

    @property
    def size(self) -> int:
        """Bytes that are read."""
        return sum(each.size for parcels in self.parcels.values() for each in parcels) + 1

    @property
    def days(self) -> list[date]:
        """Its complete days."""
        return [self.first + timedelta(days=n) for n in range((self.end - self.first).days)]


@dataclass(frozen=True)
class WriteMonths:
    """Work on `MonthItem`s: writes `series_daily` and, of whole months, `series_monthly`; tells nothing."""

    names: Names
    universe: Universe
    prices: Prices
    tracks: tuple[Parcel, ...]

    def __call__(self, items: Sequence[MonthItem], files: TaskFiles) -> Iterator[dict[str, Any]]:
        """Nothing."""
        for item in items:
            counts = self._counts(item, files)
            daily = series_rows(counts, self.universe, self.prices)
            files.write(SERIES_DAILY, daily, {"month": item.month})
            if item.whole:
                monthly = series_rows(counts.monthly(), self.universe, self.prices)
                files.write(SERIES_MONTHLY, monthly.drop("day"), {"month": item.month})
        yield from ()

    def _counts(self, item: MonthItem, files: TaskFiles) -> MonthCounts:
        shape = (len(item.days), len(self.names.cities) + 1, len(self.names.groups) + 1)
        counts, active, new = (self._rows(item, kind, files) for kind in (COUNTS, ACTIVE, NEW))
        by_city = {name: _cube(active if name == BY_CITY[0] else new, name, shape[:2]) for name in BY_CITY}
        before = [files.read([each]) for each in item.parcels.get(BOUGHT_BEFORE, ())]
        bought = _by_city(before, "bought_before", shape[1])
        bought += _by_city([files.read([each]) for each in item.earlier], "bought_first", shape[1])
        month = [files.read([each]) for each in item.parcels.get(ACTIVE_MONTH, ())]
        return MonthCounts(
            item.days,
            {name: _cube(counts, name, shape) for name in BY_GROUP},
            by_city,
            bought,
            _by_city(month, "active", shape[1]),
            self._cost(item, files),
        )

    def _rows(self, item: MonthItem, kind: str, files: TaskFiles) -> pl.DataFrame | None:
        """The month's parcels of a kind, with `day` the place among its days."""
        parcels = item.parcels.get(kind, ())
        if not parcels:
            return None
        first = (item.first - _EPOCH).days
        rows = [files.read([each]).with_columns(pl.col("day") - first) for each in parcels]
        return pl.concat(rows)

    def _cost(self, item: MonthItem, files: TaskFiles) -> Values:
        """Of each day: of different tracks, whoever played them; added exactly, in whatever order."""
        cost = np.zeros(len(item.days))
        played = self._rows(item, PLAYED, files)
        if played is not None and self.tracks:
            costs = files.shared(self.tracks).get_column("daily_cost").fill_null(0.0)
            different = played.unique()
            for (day,), rows in different.group_by("day"):
                assert isinstance(day, int)
                cost[day] = math.fsum(costs.gather(rows.get_column("track").cast(pl.Int64)))
        return cost


def _cube(rows: pl.DataFrame | None, name: str, shape: tuple[int, ...]) -> Counts:
    return np.zeros(shape, np.int64) if rows is None else cube(rows, name, shape)


def _by_city(frames: Sequence[pl.DataFrame], name: str, cities: int) -> Counts:
    sums = np.zeros(cities, np.int64)
    for frame in frames:
        np.add.at(sums, frame.get_column("city").to_numpy(), frame.get_column(name).to_numpy())
    return sums
