"""Months as windows `[start, end)` in UTC, as numbers, and as trailing frames."""

from __future__ import annotations

from datetime import date

from pyspark.sql import Column, Window, WindowSpec
from pyspark.sql import functions as F

MICROS = 1_000_000
DAY_MICROS = 86_400 * MICROS


def cut_off_of(month: Column) -> Column:
    """The cut-off of a month's rows: midnight (UTC) of the first of the next month, which is outside."""
    return F.timestamp_micros(cut_off_micros(month))


def cut_off_micros(month: Column) -> Column:
    """`cut_off_of` in microseconds since 1970, without the time zone's arithmetic."""
    return F.unix_date(F.add_months(month, 1)).cast("bigint") * DAY_MICROS


def since_month_began(at: Column, month: Column) -> Column:
    """Microseconds from the month's start (UTC) to the time."""
    return F.unix_micros(at) - F.unix_date(month).cast("bigint") * DAY_MICROS


def time_of_day(at: Column) -> Column:
    """Microseconds since midnight (UTC)."""
    return F.pmod(F.unix_micros(at), F.lit(DAY_MICROS))


def time_of_week(at: Column) -> Column:
    """Microseconds since Monday's midnight (UTC); 1970 began on a Thursday."""
    return F.pmod(F.unix_micros(at) + 3 * DAY_MICROS, F.lit(7 * DAY_MICROS))


def month_number(month: Column) -> Column:
    """Months since year 0, so that consecutive months differ by 1."""
    return F.year(month) * 12 + F.month(month) - 1


def number_of(month: date) -> int:
    """As `month_number`, of a Python date."""
    return month.year * 12 + month.month - 1


def month_at(number: int) -> date:
    """The month of a `month_number`."""
    return date(number // 12, number % 12 + 1, 1)


def months_between(first: date, last: date) -> list[date]:
    """Every month from `first` to `last`, both included."""
    return [month_at(number) for number in range(number_of(first), number_of(last) + 1)]


def trailing(months: int) -> WindowSpec:
    """The user's rows of the last `months` months, the row's own included and nothing after it.

    A frame of values, not of rows: a month without a row is still a month, of zero activity.
    """
    order = month_number(F.col("month"))
    return Window.partitionBy("user_id").orderBy(order).rangeBetween(1 - months, Window.currentRow)
