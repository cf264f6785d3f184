"""Months as windows `[start, end)` in UTC, as numbers; times as microseconds since 1970."""

from __future__ import annotations

from datetime import date

import polars as pl

MICROS = 1_000_000
HOUR_MICROS = 3600 * MICROS
DAY_MICROS = 86_400 * MICROS
_EPOCH = date(1970, 1, 1)


def start_of(month: pl.Expr) -> pl.Expr:
    """Midnight (UTC) of the month's first day, in microseconds. Of a date: that day's."""
    return month.cast(pl.Int32).cast(pl.Int64) * DAY_MICROS


def cut_off_of(month: pl.Expr) -> pl.Expr:
    """The cut-off of a month's rows, in microseconds: the first of the next month, itself outside."""
    return start_of(month.dt.offset_by("1mo"))


def start_at(month: date) -> int:
    """As `start_of`, of a Python date."""
    return (month - _EPOCH).days * DAY_MICROS


def cut_off_at(month: date) -> int:
    """As `cut_off_of`, of a Python date."""
    return start_at(month_at(number_of(month) + 1))


def day_of(at: pl.Expr) -> pl.Expr:
    """Days since 1970 (UTC), of earlier times below zero."""
    return at // DAY_MICROS


def time_of_day(at: pl.Expr) -> pl.Expr:
    """Microseconds since midnight (UTC)."""
    return at % DAY_MICROS


def time_of_week(at: pl.Expr) -> pl.Expr:
    """Microseconds since Monday's midnight (UTC); 1970 began on a Thursday."""
    return (at + 3 * DAY_MICROS) % (7 * DAY_MICROS)


def month_number(month: pl.Expr) -> pl.Expr:
    """Months since year 0 (Int32), so that consecutive months differ by 1."""
    return month.dt.year() * 12 + month.dt.month() - 1


def number_of(month: date) -> int:
    """As `month_number`, of a Python date."""
    return month.year * 12 + month.month - 1


def month_at(number: int) -> date:
    """The month of a `month_number`."""
    return date(number // 12, number % 12 + 1, 1)


def months_between(first: date, last: date) -> list[date]:
    """Every month from `first` to `last`, both included."""
    return [month_at(number) for number in range(number_of(first), number_of(last) + 1)]
