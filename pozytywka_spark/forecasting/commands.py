"""The commands of the forecast job: parsed flags in, what to show and the exit code out."""

from __future__ import annotations

import argparse
from collections.abc import Callable
from functools import partial
from pathlib import Path

from pyspark.sql import SparkSession

from pozytywka_spark import cli
from pozytywka_spark.config import Settings
from pozytywka_spark.forecasting import console
from pozytywka_spark.lake.api import Lake

Outcome = tuple[Callable[[], None], int]
ALARMED = 4


def run_run(spark: SparkSession, settings: Settings, lake: Lake, args: argparse.Namespace) -> Outcome:
    """Forecasts, and the page of them."""
    from pozytywka_spark.forecasting.forecast import forecast

    made = forecast(spark, settings, lake, origin=args.origin, horizon=args.horizon)
    return partial(console.show_made, made), 0


def run_backtest(spark: SparkSession, settings: Settings, lake: Lake, args: argparse.Namespace) -> Outcome:
    """Errors of earlier origins."""
    from pozytywka_spark.forecasting.run import backtest

    report = backtest(spark, settings, lake, origin=args.origin, origins=args.origins)
    return partial(console.show_forecast, report), 0


def run_check(spark: SparkSession, settings: Settings, lake: Lake, args: argparse.Namespace) -> Outcome:
    """Alarms of the days since the last check."""
    from pozytywka_spark.forecasting.check import check

    checked = check(settings, lake)
    return partial(console.show_check, checked), ALARMED if checked.alarms else 0


def run_plan(spark: SparkSession, settings: Settings, lake: Lake, args: argparse.Namespace) -> Outcome:
    """A month's plan."""
    from pozytywka_spark.forecasting.plan import plan

    return partial(console.show_plan, plan(lake, args.month)), 0


def run_report(spark: SparkSession, settings: Settings, lake: Lake, args: argparse.Namespace) -> Outcome:
    """The page."""
    from pozytywka_spark.forecasting.report import write_report

    return partial(cli.say, f"page {write_report(settings, lake)}"), 0


def run_table(settings: Settings, args: argparse.Namespace) -> Outcome:
    """Any table's forecasts."""
    from pozytywka_spark.forecasting.table import forecast_table
    from pozytywka_spark.forecasting.table_read import Columns

    columns = Columns(args.series, args.time, args.value)
    done = forecast_table(
        Path(args.path), columns, args.freq, args.season, args.horizon, Path(args.out), args.origin
    )
    return partial(console.show_table, done), 0
