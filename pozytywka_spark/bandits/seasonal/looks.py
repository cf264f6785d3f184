"""What `season` looks at: parts of the year, Easter and weekdays, as contrasts of a calendar's columns."""

from __future__ import annotations

from calendar import monthrange
from dataclasses import dataclass
from datetime import date

import numpy as np
import numpy.typing as npt

from pozytywka_spark.bandits.seasonal.almanac import days_from_easter
from pozytywka_spark.bandits.seasonal.effects import Told

Array = npt.NDArray[np.float64]

EASTER_DAYS = 10  # before Easter, and Easter itself
YEAR, EASTER, WEEKDAY = "year", "easter", "weekday"
_HALVES = 24  # half months of a year
_WHOLE = 0.6  # share of a half month's or of Easter's days that a year must have
_OTHERS = 8  # half months that a part of the year is compared with, at least
_OPEN = 1.0  # variance of an effect (log units) by which none that is seen is shrunk
_YEAR_SPREADS = np.array([0.01, 0.03, 0.1, 0.3, 1.0]) ** 2  # candidates: half months of a genre


@dataclass(frozen=True)
class Look:
    """One look at a genre: contrasts (a year each) × columns. `first`: its number, of half months or days."""

    kind: str
    first: int
    length: int  # half months or weekdays
    contrasts: Array

    @property
    def years(self) -> int:
        """How many are looked at; weekdays count the log as one."""
        return len(self.contrasts)

    def overlaps(self, other: Look) -> bool:
        """Whether both are of the week and share a day, or of the year and share a half month or touch."""
        if self.kind != other.kind or self.kind == EASTER:
            return False
        if self.kind == WEEKDAY:
            return self.first < other.first + other.length and other.first < self.first + self.length
        gap = (other.first - self.first) % _HALVES
        return gap <= self.length or (-gap) % _HALVES <= other.length


@dataclass(frozen=True)
class Calendar:
    """Days × columns: half months of each year, Easters, weekdays."""

    columns: Array
    halves: dict[int, int]  # year · 24 + number of the half month: its column, of those that are whole
    easters: list[int]  # columns
    weekdays: list[int]  # columns, Monday first

    @classmethod
    def of(cls, days: list[date]) -> Calendar:
        """That of a log's days."""
        half = [day.year * _HALVES + (day.month - 1) * 2 + (day.day > 15) for day in days]
        every = {each: column for column, each in enumerate(sorted(set(half)))}
        of_half = np.zeros((len(days), len(every)))
        of_half[np.arange(len(days)), [every[each] for each in half]] = 1
        to_easter = np.array([days_from_easter(day) for day in days])
        feast = (to_easter >= -EASTER_DAYS) & (to_easter <= 0)
        year = np.array([day.year for day in days])
        feasts = [feast & (year == each) for each in sorted({day.year for day in days})]
        enough = [at.astype(float) for at in feasts if np.count_nonzero(at) > _WHOLE * EASTER_DAYS]
        of_easter = np.array(enough).reshape(len(enough), len(days)).T
        of_week = np.eye(7)[[day.weekday() for day in days]] - 1 / 7
        counts = {each: half.count(each) for each in every}
        return cls(
            np.concatenate([of_half, of_easter, of_week], axis=1),
            {each: column for each, column in every.items() if counts[each] >= _WHOLE * _length(each)},
            [len(every) + number for number in range(len(enough))],
            [len(every) + len(enough) + number for number in range(7)],
        )

    @property
    def width(self) -> int:
        """How many columns there are."""
        return int(self.columns.shape[1])

    def effects(self, told: Told, look: Look) -> tuple[Array, Array]:
        """Mean and covariance, wider where the days scatter more than they should.

        For Easter and weekdays the year's course is as even as it seems to be in the genre, which tells them
        more exactly; where the year itself is looked at, nothing is presumed.
        """
        if look.kind == YEAR:
            return _posterior(told, np.full(self.width, _OPEN))[:2]
        rest = self.width - len(self.easters) - 7
        by_spread = [
            _posterior(told, np.r_[np.full(rest, spread), np.full(self.width - rest, _OPEN)])
            for spread in _YEAR_SPREADS
        ]
        mean, covariance, _ = max(by_spread, key=lambda posterior: posterior[2])
        return mean, covariance


def looks(calendar: Calendar) -> list[Look]:
    """All of them."""
    parts = [(half, 1) for half in range(_HALVES)]
    parts += [(month * 2, length) for length in (2, 6) for month in range(12)]
    of_year = [Look(YEAR, *part, _beside_others(calendar, *part)) for part in parts]
    unit = np.eye(calendar.width)
    week = np.array(calendar.weekdays)
    of_week = []
    for first, length in (*((day, 1) for day in range(7)), (5, 2)):
        mine = week[first : first + length]
        contrast = unit[mine].mean(axis=0) - unit[np.setdiff1d(week, mine)].mean(axis=0)
        of_week.append(Look(WEEKDAY, first, length, contrast[None, :]))
    return [
        look for look in (*of_year, Look(EASTER, 0, 0, unit[calendar.easters])) if look.years >= 2
    ] + of_week


def _beside_others(calendar: Calendar, first: int, length: int) -> Array:
    """For each year that has it whole: its mean beside that of other half months up to half a year off."""
    rows = []
    for year in sorted({each // _HALVES for each in calendar.halves}):
        begin = year * _HALVES + first
        mine = range(begin, begin + length)
        middle = begin + (length - 1) / 2
        others = [each for each in calendar.halves if each not in mine and abs(each - middle) <= _HALVES / 2]
        if all(each in calendar.halves for each in mine) and len(others) >= _OTHERS:
            row = np.zeros(calendar.width)
            row[[calendar.halves[each] for each in mine]] = 1 / length
            row[[calendar.halves[each] for each in others]] = -1 / len(others)
            rows.append(row)
    return np.array(rows).reshape(len(rows), calendar.width)


def _posterior(told: Told, prior: Array) -> tuple[Array, Array, float]:
    """Mean, covariance and, but for a constant, the log likelihood of the prior's variances."""
    precision = told.information + np.diag(1 / prior)
    covariance = np.asarray(np.linalg.inv(precision), dtype=float)
    mean = covariance @ told.moment
    likelihood = float(mean @ told.moment - np.linalg.slogdet(precision)[1] - np.log(prior).sum()) / 2
    scatter = float(told.square - mean @ told.moment) / max(told.count - len(mean), 1)
    return mean, covariance * max(scatter, 1.0), likelihood


def _length(each: int) -> int:
    year, half = divmod(each, _HALVES)
    return 15 if half % 2 == 0 else monthrange(year, half // 2 + 1)[1] - 15
