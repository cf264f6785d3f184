"""Expressions on columns of months, and of times as microseconds since 1970 (UTC)."""

from __future__ import annotations

import polars as pl

from pozytywka_spark.months import DAY_MICROS


def start_of(month: pl.Expr) -> pl.Expr:
    """Midnight (UTC) of the month's first day, in microseconds. Of a date: that day's."""
    return month.cast(pl.Int32).cast(pl.Int64) * DAY_MICROS


def cut_off_of(month: pl.Expr) -> pl.Expr:
    """The cut-off of a month's rows, in microseconds: the first of the next month, itself outside."""
    return start_of(month.dt.offset_by("1mo"))


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
