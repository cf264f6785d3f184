"""The calendar as columns: steps through the year and to Easter, and weekdays, finest around one day.

A season is a sum of steps, each taken for good until the year comes round: a rise that comes overnight is
one step, a slow one several. Around the day that is looked at they are a day wide, further off up to
sixteen days, so that there are some sixty of them however long the log is.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date
from functools import lru_cache

import numpy as np
import numpy.typing as npt
from dateutil.easter import easter

Array = npt.NDArray[np.float64]

YEAR = 365
FEAST = (-16, 3)  # days to Easter, first and last, that may differ from the year's course
_NEAR = 60  # days before or after Easter in which its days are told apart
# widths of the year's steps, from the day itself backwards; and from the next day on
_BACK = (1,) * 12 + (2,) * 6 + (4,) * 6
_AHEAD = (1, 1, 2, 2, 4, 6)
_FAR = 16
# the days that the year's own course leaves to Easter, as far as the log can't tell
_MOVEABLE = (80 - FEAST[1], 115 + FEAST[1])


@dataclass(frozen=True)
class Columns:
    """Days × columns, of the log and of the day itself; the scale of each column's effect (log units)."""

    past: Array
    today: Array
    scale: Array
    closing: Array  # sets × columns: each set's steps that are taken back at the end, in one more step
    closing_scale: Array
    movable: list[
        npt.NDArray[np.int64]
    ]  # sets of steps, closing ones counted on, of which one may be another


@lru_cache(maxsize=4096)
def place_in_year(day: date) -> int:
    """0 to 364, the same for the same date of every year (29 February is that of the 28th)."""
    leap = day.year % 4 == 0 and (day.year % 100 != 0 or day.year % 400 == 0)
    number = day.timetuple().tm_yday - 1
    return number - 1 if leap and number >= 59 else number


@lru_cache(maxsize=4096)
def days_from_easter(day: date) -> int:
    """Days since the nearest Easter, negative before it."""
    gaps = [(day - easter(year)).days for year in (day.year - 1, day.year, day.year + 1)]
    nearest: int = min(gaps, key=abs)
    return nearest


def columns_around(days: list[date], today: date, step: float, weekday: float) -> Columns:
    """The columns for a day; `step` and `weekday` are the usual sizes of their effects."""
    every = [*days, today]
    place = np.array([place_in_year(day) for day in every])
    feast = np.array([days_from_easter(day) for day in every])
    of_week = np.array([day.weekday() for day in every])
    knots, widths = _year_knots(int(place[-1]))
    since = (place - knots[0]) % YEAR  # days since the year's farthest point from today
    starts = (knots - knots[0]) % YEAR
    year = (since[:, None] >= starts[None, 1:]).astype(float)
    moveable = (knots[1:] % YEAR >= _MOVEABLE[0]) & (knots[1:] % YEAR <= _MOVEABLE[1])
    year_scale = step * np.where(moveable, 0.4, 1.0) * np.sqrt(widths[1:])
    fine = abs(feast[-1]) <= _NEAR
    from_day = np.arange(FEAST[0], FEAST[1] + 1, 1 if fine else 5)
    inside = (feast >= FEAST[0]) & (feast <= FEAST[1])
    near = ((feast[:, None] >= from_day[None, :]) & inside[:, None]).astype(float)
    week = (of_week[:, None] == np.arange(7)[None, :]).astype(float) - 1 / 7
    every_column = np.concatenate([year, near, week], axis=1)
    scale = np.concatenate([year_scale, np.full(len(from_day), step * 1.5), np.full(7, weekday)])
    sizes = (year.shape[1], len(from_day), 7)
    closing = np.zeros((2, sum(sizes)))
    closing[0, : sizes[0]] = 1
    closing[1, sizes[0] : sizes[0] + sizes[1]] = 1
    closing_scale = np.array([step, step * 1.5])
    by_year = [*range(len(_AHEAD) - 1), *range(sizes[0] - len(_BACK) // 2, sizes[0]), sum(sizes)]
    by_easter = [*range(sizes[0], sizes[0] + sizes[1]), sum(sizes) + 1] if fine else []
    movable = [np.array(steps, dtype=np.int64) for steps in (by_year, by_easter) if steps]
    return Columns(every_column[:-1], every_column[-1], scale, closing, closing_scale, movable)


def _year_knots(place: int) -> tuple[npt.NDArray[np.int64], Array]:
    """Places in the year where steps begin, from the farthest on, and the width of each."""
    back = place + 1 - np.cumsum(_BACK)  # the first begins today
    ahead = place + 1 + np.cumsum((0, *_AHEAD))
    rest = np.arange(ahead[-1] + _FAR, back[-1] + YEAR - _FAR // 2, _FAR)
    far = np.concatenate([ahead, rest]) - YEAR
    knots = np.concatenate([far, back[::-1]]).astype(np.int64)
    widths = np.diff(knots, append=knots[0] + YEAR).astype(float)
    # the year comes round between tomorrow and the day after: where a step may be, one is
    return knots, widths
