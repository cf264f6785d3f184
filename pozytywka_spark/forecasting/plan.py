"""A month's plan from the latest forecast in the lake."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date

import polars as pl

from pozytywka_spark.errors import DataError, UsageError
from pozytywka_spark.forecasting.plan_work import PLANNED, Planned, plan_by_months, plan_measure
from pozytywka_spark.forecasting.stored import (
    DAILY,
    MONTHLY,
    Latest,
    combined_errors,
    daily_values,
    latest_of,
    origins_of,
)
from pozytywka_spark.lake.api import Lake
from pozytywka_spark.months import month_after, next_month


@dataclass(frozen=True)
class Plan:
    """A month's plan; `origin` of the forecast it comes from, `step` D or MS, `days_known` of the month."""

    month: date
    origin: date
    step: str
    days_known: int
    measures: tuple[Planned, ...]


def plan(lake: Lake, month: date) -> Plan:
    """Adverts, revenue, storage cost and premium users of a month, from the latest forecast.

    Days before the forecast's origin are those that were. Raises `DataError` where there is no forecast or it
    doesn't reach the month's end, `UsageError` for a month that is over; both say what to do.
    """
    daily = latest_of(lake, DAILY, PLANNED)
    if daily.origin >= next_month(month):
        raise UsageError(
            f"--month {month:%Y-%m}: all of it lies before the latest forecast's origin {daily.origin}; its "
            f"figures are in series_monthly, plan {daily.origin:%Y-%m} or later"
        )
    actual = _totals(lake, month, daily.origin)
    planned = _by_days(month, daily, actual, combined_errors(lake, DAILY, PLANNED))
    if planned:
        return Plan(month, daily.origin, DAILY, max((daily.origin - month).days, 0), planned)
    if origins_of(lake, MONTHLY):
        monthly = latest_of(lake, MONTHLY, PLANNED)
        planned = _by_months(month, monthly, actual)
        if planned:
            return Plan(month, monthly.origin, MONTHLY, 0, planned)
    last = daily.rows.get_column("day").max()
    raise DataError(
        f"the forecast of {daily.origin} reaches to {last!s}, not to the end of {month:%Y-%m}: make one that "
        f"does with forecast run --horizon {(next_month(month) - daily.origin).days}"
    )


def next_plans(lake: Lake, months: int) -> tuple[Plan, ...]:
    """The plans of the first months that end after the latest forecast's origin, as far as it reaches."""
    month = latest_of(lake, DAILY, PLANNED).origin.replace(day=1)
    plans = []
    for _ in range(months):
        try:
            plans.append(plan(lake, month))
        except DataError:  # the forecast ends before that month does
            break
        month = next_month(month)
    return tuple(plans)


def _by_days(month: date, daily: Latest, actual: pl.DataFrame, errors: pl.DataFrame) -> tuple[Planned, ...]:
    return _there(
        plan_measure(measure, month, *(_of(rows, measure) for rows in (actual, daily.rows, errors)))
        for measure in PLANNED
    )


def _by_months(month: date, monthly: Latest, actual: pl.DataFrame) -> tuple[Planned, ...]:
    return _there(
        plan_by_months(measure, month, _of(actual, measure), _of(monthly.rows, measure))
        for measure in PLANNED
    )


def _there(found: Iterable[Planned | None]) -> tuple[Planned, ...]:
    return tuple(each for each in found if each is not None)


def _of(rows: pl.DataFrame, measure: str) -> pl.DataFrame:
    return rows.filter(pl.col("measure") == measure)


def _totals(lake: Lake, month: date, origin: date) -> pl.DataFrame:
    """Days of the month itself and of the year before it, before the forecast's origin."""
    return daily_values(lake, month_after(month, -12), origin, PLANNED, totals=True)
