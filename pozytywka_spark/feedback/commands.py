"""The commands of the feedback job: parsed flags in, what to show and the exit code out."""

from __future__ import annotations

import argparse
from collections.abc import Callable
from functools import partial

from pyspark.sql import SparkSession

from pozytywka_spark import cli
from pozytywka_spark.config import Settings
from pozytywka_spark.feedback import console
from pozytywka_spark.lake.api import Lake

Outcome = tuple[Callable[[], None], int]
KEPT = 3


def run_train(spark: SparkSession, settings: Settings, lake: Lake, args: argparse.Namespace) -> Outcome:
    """A model, if there are labels that none has learnt from; exit code KEPT where the old one stays."""
    from pozytywka_spark.feedback.train import train

    report = train(spark, settings, lake)
    return partial(console.show_training, report), 0 if report.champion == report.version else KEPT


def run_score(spark: SparkSession, settings: Settings, lake: Lake, args: argparse.Namespace) -> Outcome:
    """Signals of what is new."""
    from pozytywka_spark.feedback.score import score

    return partial(console.show_scores, score(settings, lake)), 0


def run_report(spark: SparkSession, settings: Settings, lake: Lake, args: argparse.Namespace) -> Outcome:
    """The page."""
    from pozytywka_spark.feedback.report import write_report

    return partial(cli.say, f"page {write_report(settings, lake)}"), 0
