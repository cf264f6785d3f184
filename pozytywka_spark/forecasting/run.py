"""`forecast run` and `forecast backtest`: series brought up to date, forecasts made unless they stand."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date

import polars as pl
import pyarrow.compute as pc
from pyspark.sql import SparkSession

from pozytywka_spark.config import Settings
from pozytywka_spark.errors import require
from pozytywka_spark.forecasting.error_sums import Accuracy, accuracy_of, error_sums
from pozytywka_spark.forecasting.inputs import Asked, asked_of
from pozytywka_spark.forecasting.series import Built, build_series
from pozytywka_spark.forecasting.stage import Counted, count, made_on_spark, write_errors, write_forecasts
from pozytywka_spark.forecasting.stored import DAILY
from pozytywka_spark.lake.api import Lake, Partition
from pozytywka_spark.schemas import FORECAST_ERRORS, FORECASTS


@dataclass(frozen=True)
class ForecastReport:
    """What was forecast: `rows` of forecasts, `failures` by model (a model of a series that failed or took
    too long); `unchanged`: it stood already, and neither was counted. `sums`: see `error_sums`.
    """

    asked: Asked
    built: Built
    unchanged: bool
    sums: pl.DataFrame
    rows: int = 0
    failures: Mapping[str, int] = field(default_factory=dict)

    @property
    def accuracy(self) -> tuple[Accuracy, ...]:
        """By step and measure; none where another backtest has taken this one's place."""
        return accuracy_of(self.sums)


def run(
    spark: SparkSession,
    settings: Settings,
    lake: Lake,
    *,
    origin: date | None = None,
    horizon: int | None = None,
) -> ForecastReport:
    """Forecast all series from `origin` (the day after the last complete one) on; nothing if that stands.

    Errors of the backtest are written first, forecasts last, each in one commit: what was interrupted is made
    again, and so is a forecast whose errors another origin's have taken the place of. Raises `DataError` for
    an origin outside the data or fewer than 14 days before it.
    """
    require("forecasting")
    built = build_series(settings, lake)
    asked = asked_of(settings, lake, origin, horizon)
    forecasts: Partition = {"step": DAILY, "origin": asked.origin}
    if _stands(lake, FORECASTS.name, forecasts, asked.run) and _stands(
        lake, FORECAST_ERRORS.name, {"step": DAILY}, asked.run
    ):
        return _report(lake, asked, built)
    with made_on_spark(spark, lake, asked) as made:
        counted = count(made)
        write_errors(lake, made, asked)
        write_forecasts(lake, made, asked)
    return _report(lake, asked, built, counted)


def backtest(
    spark: SparkSession,
    settings: Settings,
    lake: Lake,
    *,
    origin: date | None = None,
    origins: int | None = None,
) -> ForecastReport:
    """Write the errors that forecasts of earlier origins would have had, and no forecast.

    They take the place of the last backtest's, which each run makes too. Raises what `run` does.
    """
    require("forecasting")
    built = build_series(settings, lake)
    asked = asked_of(settings, lake, origin, None, origins)
    if _stands(lake, FORECAST_ERRORS.name, {"step": DAILY}, asked.run):
        return _report(lake, asked, built)
    with made_on_spark(spark, lake, asked) as made:
        counted = count(made)
        write_errors(lake, made, asked)
    return _report(lake, asked, built, counted)


def _stands(lake: Lake, table: str, partition: Partition, run: str) -> bool:
    """Whether that part of the table is what this run makes."""
    if not lake.exists(table):
        return False
    rows = lake.rows(table, ["run"], [partition])
    return bool(rows.num_rows) and set(pc.unique(rows.column("run")).to_pylist()) == {run}


def _report(lake: Lake, asked: Asked, built: Built, counted: Counted | None = None) -> ForecastReport:
    sums = error_sums(lake, asked.run)
    if counted is None:
        return ForecastReport(asked, built, unchanged=True, sums=sums)
    return ForecastReport(asked, built, False, sums, counted.forecasts, counted.failures)
