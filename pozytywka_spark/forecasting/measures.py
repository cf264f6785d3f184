"""What is counted of each day: the measures, and how a month's counts become series. No Spark here.

A day is a UTC day, `[midnight, midnight)`. Nothing of a day depends on an event of another day, but for the
first event and the first purchase of users, which depend on earlier ones: so nothing after an origin reaches
the days before it.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date

import numpy as np
import numpy.typing as npt
import polars as pl

ALL = "all"  # of a city or a group: the sum over all
# of users whose city isn't known, of tracks whose genre group isn't. A city or group of that name, or named
# as the sum is, or without a name counts as unknown too
UNKNOWN = "unknown"
HOUR_MICROS = 3.6e9

Counts = npt.NDArray[np.int64]
Values = npt.NDArray[np.float64]


@dataclass(frozen=True)
class Measure:
    """A measure of a day. `by_city`, `by_group`: whether it adds up over them, and so has such series.

    `is_stock`: the state at the day's end, whose month's value is that of its last day; `is_count`: a whole
    number. None is ever negative.
    """

    name: str
    meaning: str
    by_city: bool = True
    by_group: bool = False
    is_stock: bool = False
    is_count: bool = True


MEASURES = (
    Measure("plays", "PLAY events", by_group=True),
    Measure("skips", "SKIP events", by_group=True),
    Measure("likes", "LIKE events", by_group=True),
    Measure("adverts", "ADVERTISEMENT events"),
    Measure("purchases", "BUY_PREMIUM events"),
    Measure("active_users", "users with an event on the day; of a month, in the month"),
    Measure("new_users", "users whose first event it is the day of"),
    Measure("premium_users", "users with a BUY_PREMIUM by the day's end", is_stock=True),
    Measure(
        "listened_hours",
        "of each PLAY the time to the next event but LIKE of its session on that day, at most the track's "
        "duration, never past midnight; 0 if neither the next event nor the duration is known",
        by_group=True,
        is_count=False,
    ),
    Measure("revenue", "value_of_sale a purchase and advert_income an advert", is_count=False),
    # tracks are no more additive over cities than users over groups: no such series
    Measure(
        "storage_cost", "daily cost of the tracks with a PLAY on the day", by_city=False, is_count=False
    ),
)  # fmt: skip
NAMES = tuple(measure.name for measure in MEASURES)
BY_NAME: Mapping[str, Measure] = {measure.name: measure for measure in MEASURES}
# Whole numbers that shards tell by day, city and group, and by day and city
BY_GROUP = ("plays", "skips", "likes", "adverts", "purchases", "listened_us")
BY_CITY = ("active_users", "new_users", "bought_first")


@dataclass(frozen=True)
class Universe:
    """Which series there are: names of cities, and of genre groups (None: there are no groups), in order."""

    cities: tuple[str, ...]
    groups: tuple[str, ...] | None

    def with_unknown(self, *, city: bool, group: bool) -> Universe:
        """With `UNKNOWN` at the end of either."""
        groups = self.groups if self.groups is None or not group else (*self.groups, UNKNOWN)
        return Universe((*self.cities, UNKNOWN) if city else self.cities, groups)

    @property
    def series(self) -> int:
        """How many series it has."""
        cities, groups = len(self.cities) + 1, len(self.groups or ()) + 1
        return sum((cities if each.by_city else 1) * (groups if each.by_group else 1) for each in MEASURES)


@dataclass(frozen=True)
class Prices:
    """What a purchase and an advert bring."""

    sale: float
    advert: float


@dataclass(frozen=True)
class MonthCounts:
    """Of a month's days: `by_group` (day, city, group) and `by_city` (day, city), places by those of the days
    and the universe; `bought_before`: users by city who bought before the month; `active`: users by city
    with an event in the month; `cost`: of each day."""

    days: Sequence[date]
    by_group: Mapping[str, Counts]
    by_city: Mapping[str, Counts]
    bought_before: Counts
    active: Counts
    cost: Values

    def monthly(self) -> MonthCounts:
        """All days as one, which bears the first one's date."""
        by_city = {name: each.sum(axis=0, keepdims=True) for name, each in self.by_city.items()}
        return MonthCounts(
            self.days[:1],
            {name: each.sum(axis=0, keepdims=True) for name, each in self.by_group.items()},
            by_city | {"active_users": self.active[None, :]},
            self.bought_before,
            self.active,
            np.array([math.fsum(self.cost)]),
        )


def cube(rows: pl.DataFrame, name: str, shape: tuple[int, ...]) -> Counts:
    """Sums of a column of whole numbers by the places that the first columns of `rows` name."""
    sums = np.zeros(shape, np.int64)
    places = tuple(rows.get_column(axis).to_numpy() for axis in rows.columns[: len(shape)])
    np.add.at(sums, places, rows.get_column(name).to_numpy())
    return sums


def series_rows(counts: MonthCounts, universe: Universe, prices: Prices) -> pl.DataFrame:
    """Grain: series and day, all of them, in this order: `measure`, `city`, `group_id`, `day`, `value`."""
    frames = [_rows_of(each, _values(each, counts, prices), counts.days, universe) for each in MEASURES]
    return pl.concat(frames).sort("measure", "city", "group_id", "day")


def _values(measure: Measure, counts: MonthCounts, prices: Prices) -> Values:
    """By day, city and group, with the sums over all as the first city and the first group.

    Whole numbers are added first: a sum is the same in any order, and prices bring no error into it.
    """
    if measure.name == "storage_cost":
        return counts.cost[:, None, None]
    if measure.name == "listened_hours":
        return _with_sums(counts.by_group["listened_us"]) / HOUR_MICROS
    if measure.name == "revenue":
        purchases, adverts = (_with_sums(counts.by_group[name]) for name in ("purchases", "adverts"))
        earned: Values = purchases * prices.sale + adverts * prices.advert
        return earned
    if measure.name == "premium_users":
        stock = counts.bought_before + np.cumsum(counts.by_city["bought_first"], axis=0)
        return _with_sums(stock[:, :, None]).astype(np.float64)
    if measure.name in counts.by_city:
        return _with_sums(counts.by_city[measure.name][:, :, None]).astype(np.float64)
    return _with_sums(counts.by_group[measure.name]).astype(np.float64)


def _with_sums(counts: Counts) -> Counts:
    over_cities = np.concatenate([counts.sum(axis=1, keepdims=True), counts], axis=1)
    return np.concatenate([over_cities.sum(axis=2, keepdims=True), over_cities], axis=2)


def _rows_of(measure: Measure, values: Values, days: Sequence[date], universe: Universe) -> pl.DataFrame:
    cities = (ALL, *universe.cities) if measure.by_city else (ALL,)
    groups = (ALL, *(universe.groups or ())) if measure.by_group else (ALL,)
    # what has no name is the last place, and nothing is there
    mine = values[:, : len(cities), : len(groups)].transpose(1, 2, 0)
    every = len(cities) * len(groups)
    return pl.DataFrame(
        {
            "city": pl.Series(np.repeat(np.array(cities, object), len(groups) * len(days)), dtype=pl.String),
            "group_id": pl.Series(
                np.tile(np.repeat(np.array(groups, object), len(days)), len(cities)), dtype=pl.String
            ),
            "day": pl.Series(list(days) * every, dtype=pl.Date),
            "value": pl.Series(mine.reshape(-1), dtype=pl.Float64),
        }
    ).select(pl.lit(measure.name).alias("measure"), pl.all())
