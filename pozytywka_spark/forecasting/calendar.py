"""What the calendar says of a day, known years ahead: Polish holidays and the place within the month."""

from __future__ import annotations

import math
from collections.abc import Sequence
from datetime import date, timedelta
from functools import cache

import polars as pl

from pozytywka_spark.months import next_month

COUNTRY = "PL"
DAILY = ("holiday", "eve", "bridge", "month_sin", "month_cos")
WEEKLY = ("holidays",)
MONTHLY = ("working_days",)
_DAY = timedelta(days=1)
_SATURDAY = 5


def calendar_columns(times: Sequence[date], freq: str) -> pl.DataFrame:
    """The calendar's columns of each time step, as numbers; a row a step, in the given order.

    Hours and days (`h`, `D`) have those of their day: `holiday` (1 or 0), `eve` (the day before one),
    `bridge` (a working day between a holiday and a weekend), `month_sin` and `month_cos` (the place within
    the month on a circle). Weeks (`W`) have `holidays`, how many of the seven days from that day on are;
    months (`MS`) `working_days`, Monday to Friday without holidays, as a share of 23.
    Raises `ValueError` for another step.
    """
    days = [step.date() if hasattr(step, "date") else step for step in times]
    if freq in ("h", "D"):
        rows = {day: _of_day(day) for day in set(days)}
        return _frame([rows[day] for day in days], DAILY)
    if freq == "W":
        return _frame([(float(sum(is_holiday(day + n * _DAY) for n in range(7))),) for day in days], WEEKLY)
    if freq == "MS":
        return _frame([(_working_days(day) / 23,) for day in days], MONTHLY)
    raise ValueError(f"no calendar for steps of {freq}: h, D, W or MS")


def is_holiday(day: date) -> bool:
    """Whether the day is a public holiday in Poland."""
    return day in _holidays(day.year)


def holiday_name(day: date) -> str | None:
    """The name of the public holiday that the day is, if any."""
    return _holidays(day.year).get(day)


@cache
def _holidays(year: int) -> dict[date, str]:
    import holidays  # reads its tables as it is loaded: here, for whoever needs it

    return dict(holidays.country_holidays(COUNTRY, years=year, language="en_US"))


def _of_day(day: date) -> tuple[float, ...]:
    holiday = is_holiday(day)
    free_before, free_after = _is_free(day - _DAY), _is_free(day + _DAY)
    around_holiday = is_holiday(day - _DAY) or is_holiday(day + _DAY)
    bridge = not _is_free(day) and free_before and free_after and around_holiday
    length = (next_month(day) - day.replace(day=1)).days
    turn = 2 * math.pi * (day.day - 1) / length
    return (float(holiday), float(is_holiday(day + _DAY)), float(bridge), math.sin(turn), math.cos(turn))


def _is_free(day: date) -> bool:
    return day.weekday() >= _SATURDAY or is_holiday(day)


def _working_days(day: date) -> int:
    first = day.replace(day=1)
    length = (next_month(first) - first).days
    return sum(not _is_free(first + n * _DAY) for n in range(length))


def _frame(rows: Sequence[tuple[float, ...]], names: Sequence[str]) -> pl.DataFrame:
    return pl.DataFrame(list(rows), schema=dict.fromkeys(names, pl.Float64), orient="row")
