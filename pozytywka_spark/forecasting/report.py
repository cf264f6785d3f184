"""`forecast report`: the page, from the tables alone."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date, timedelta

import polars as pl

from pozytywka_spark.config import Settings
from pozytywka_spark.forecasting.error_sums import error_sums
from pozytywka_spark.forecasting.page import PAGE, Shown, render
from pozytywka_spark.forecasting.page_alarms import MOST_ALARMS, Alarm
from pozytywka_spark.forecasting.plan import next_plans
from pozytywka_spark.forecasting.stored import (
    DAILY,
    KEYS,
    MONTHLY,
    Latest,
    daily_values,
    forecast_rows,
    latest_of,
    monthly_values,
    origins_of,
)
from pozytywka_spark.lake.api import Lake
from pozytywka_spark.reports.files import write_page
from pozytywka_spark.schemas import FORECAST_ALARMS, FORECAST_CHECKS, GENRE_GROUPS

HISTORY_DAYS = 91
HISTORY_MONTHS = 36
PLANS = 3
AROUND_DAYS = 14


def write_report(settings: Settings, lake: Lake) -> str:
    """Write the page of the latest forecast; its path. Raises `DataError` if there is none."""
    return put_page(settings, page_of(lake))


def put_page(settings: Settings, html: str) -> str:
    """Write that page; its path."""
    return str(write_page(settings, PAGE, html))


def page_of(lake: Lake, origin: date | None = None) -> str:
    """The page as HTML, of the forecast of an origin or of the latest; plans are of the latest only."""
    latest = latest_of(lake, DAILY)
    daily = latest
    if origin is not None and origin != latest.origin:
        daily = Latest(DAILY, origin, forecast_rows(lake, DAILY, origin))
    monthly = latest_of(lake, MONTHLY) if origins_of(lake, MONTHLY) else None
    if monthly is not None and monthly.origin != daily.origin.replace(day=1):
        monthly = None  # of an earlier forecast
    alarms, count = _alarms(lake)
    return render(
        Shown(
            daily=daily,
            history=daily_values(lake, daily.origin - timedelta(days=HISTORY_DAYS), daily.origin),
            monthly=monthly,
            months=_months(lake, monthly),
            sums=error_sums(lake, daily.run),
            alarms=alarms,
            alarm_count=count,
            checks=_checks(lake),
            plans=next_plans(lake, PLANS) if daily is latest else (),
            names=group_names(lake),
        )
    )


def group_names(lake: Lake) -> Mapping[str, str]:
    """Names of genre groups by their id, as `topics` gives them; none where it was never run."""
    if not lake.exists(GENRE_GROUPS.name):
        return {}
    rows = lake.rows(GENRE_GROUPS.name, ["group_id", "group"])
    return {str(row["group_id"]): str(row["group"]) for row in rows.to_pylist()}


def _months(lake: Lake, monthly: Latest | None) -> pl.DataFrame:
    if monthly is None:
        return pl.DataFrame()
    rows = monthly_values(lake, monthly.origin)
    first = monthly.origin - timedelta(days=31 * HISTORY_MONTHS)
    return rows.filter(pl.col("month") >= first)


def _checks(lake: Lake) -> int:
    return lake.rows(FORECAST_CHECKS.name, ["day"]).num_rows if lake.exists(FORECAST_CHECKS.name) else 0


def _alarms(lake: Lake) -> tuple[list[Alarm], int]:
    """The latest with the days around them, and how many there are."""
    if not lake.exists(FORECAST_ALARMS.name):
        return [], 0
    rows = pl.DataFrame(lake.rows(FORECAST_ALARMS.name))
    latest = rows.sort("day", *KEYS, descending=[True, False, False, False]).head(MOST_ALARMS)
    return [_with_days(lake, row) for row in latest.to_dicts()], rows.height


def _with_days(lake: Lake, row: dict[str, object]) -> Alarm:
    day, origin = row["day"], row["origin"]
    assert isinstance(day, date)
    assert isinstance(origin, date)
    around = timedelta(days=AROUND_DAYS)
    mine = pl.all_horizontal(pl.col(key) == row[key] for key in KEYS)
    near = pl.col("day").is_between(day - around, day + around)
    measures = {str(row["measure"])}
    history = daily_values(lake, day - around, day + around, measures).filter(mine)
    return Alarm(row, history, forecast_rows(lake, DAILY, origin, measures).filter(mine & near))
