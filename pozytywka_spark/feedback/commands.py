"""The commands of the feedback job: parsed flags in, what to show out."""

from __future__ import annotations

import argparse
from collections.abc import Callable
from functools import partial

from pyspark.sql import SparkSession

from pozytywka_spark import cli
from pozytywka_spark.config import Settings
from pozytywka_spark.feedback import console
from pozytywka_spark.lake.api import Lake

Shown = Callable[[], None]


def run_train(spark: SparkSession, settings: Settings, lake: Lake, args: argparse.Namespace) -> Shown:
    """A model, if there are labels that none has learnt from."""
    from pozytywka_spark.feedback.train import train

    return partial(console.show_training, train(spark, settings, lake))


def run_score(spark: SparkSession, settings: Settings, lake: Lake, args: argparse.Namespace) -> Shown:
    """Signals of what is new."""
    from pozytywka_spark.feedback.score import score

    return partial(console.show_scores, score(settings, lake))


def run_report(spark: SparkSession, settings: Settings, lake: Lake, args: argparse.Namespace) -> Shown:
    """The page."""
    from pozytywka_spark.feedback.report import write_report

    return partial(cli.say, f"page {write_report(settings, lake)}")
