"""A forecast with all that goes with it: tables, page and MLflow's run; what of it stands is left alone."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date

from pyspark.sql import SparkSession

from pozytywka_spark.config import Settings
from pozytywka_spark.forecasting.mlflow_log import log_forecast, logged_run
from pozytywka_spark.forecasting.report import page_of, put_page
from pozytywka_spark.forecasting.run import ForecastReport, run
from pozytywka_spark.lake.api import Lake


@dataclass(frozen=True)
class Made:
    """`run_id`: MLflow's run; `page`: where the page lies, None where all of it stood."""

    report: ForecastReport
    run_id: str
    page: str | None


def forecast(
    spark: SparkSession,
    settings: Settings,
    lake: Lake,
    *,
    origin: date | None = None,
    horizon: int | None = None,
) -> Made:
    """Run the forecast, draw the page and log it, in this order: MLflow's run says that all of it was done.

    Raises what `run` raises.
    """
    report = run(spark, settings, lake, origin=origin, horizon=horizon)
    logged = logged_run(settings, report.asked.run)
    if report.unchanged and logged is not None:
        return Made(report, logged, None)
    html = page_of(lake, report.asked.origin)
    page = put_page(settings, html)
    return Made(report, logged or log_forecast(settings, lake, report, html), page)
