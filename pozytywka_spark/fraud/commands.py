"""The commands of the fraud job: parsed flags in, what to show out."""

from __future__ import annotations

import argparse
from collections.abc import Callable
from functools import partial

from pyspark.sql import SparkSession

from pozytywka_spark import cli
from pozytywka_spark.config import Settings
from pozytywka_spark.features.build.staleness import month_range
from pozytywka_spark.fraud import console
from pozytywka_spark.fraud.report import make_page
from pozytywka_spark.fraud.rules.backtest import backtest
from pozytywka_spark.fraud.rules.read import read_rules
from pozytywka_spark.fraud.stage import ScanReport, scan
from pozytywka_spark.lake.api import Lake
from pozytywka_spark.reports.files import write_page

Show = Callable[[], None]
PAGE = "fraud.html"


def run_scan(spark: SparkSession, settings: Settings, lake: Lake, args: argparse.Namespace) -> Show:
    """Scan, and draw the page of what came of it."""
    months = month_range(args.months) if args.months else None
    report = scan(spark, settings, lake, months=months, full=args.full)
    page = None if report.unchanged else write_page(settings, PAGE, make_page(settings, lake))
    return partial(_show_scan, report, page)


def run_rules(spark: SparkSession, settings: Settings, lake: Lake, args: argparse.Namespace) -> Show:
    """What other rules would have found."""
    months = month_range(args.months) if args.months else None
    tried = backtest(lake, read_rules(settings, args.file), read_rules(settings), months)
    return partial(console.show_tried, tried)


def run_report(spark: SparkSession, settings: Settings, lake: Lake, args: argparse.Namespace) -> Show:
    """The page."""
    return partial(cli.say, f"page {write_page(settings, PAGE, make_page(settings, lake))}")


def list_rules(settings: Settings) -> None:
    """The rules in force and the signals there are; no lake is looked at."""
    console.show_rules(read_rules(settings))


def _show_scan(report: ScanReport, page: object) -> None:
    console.show_scan(report)
    if page is not None:
        cli.say(f"page {page}")
