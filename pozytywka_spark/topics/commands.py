"""The topics job: parsed flags in, what to show out."""

from __future__ import annotations

import argparse
from collections.abc import Callable
from functools import partial
from pathlib import Path

from pozytywka_spark import cli
from pozytywka_spark.config import Settings
from pozytywka_spark.lake.api import Lake
from pozytywka_spark.topics import console
from pozytywka_spark.topics.export import write_export
from pozytywka_spark.topics.overrides import read_overrides
from pozytywka_spark.topics.stage import TopicsReport, make_topics


def run(settings: Settings, lake: Lake, args: argparse.Namespace) -> Callable[[], None]:
    """Bring groups up to date, draw the page of what came of it, write the export if asked to."""
    overrides = read_overrides(args.said) if args.said else None
    report = make_topics(settings, lake, refit=args.refit, overrides=overrides)
    exported = write_export(lake, Path(args.export)) if args.export else None
    return partial(_show, report, exported)


def _show(report: TopicsReport, exported: int | None) -> None:
    console.show(report)
    if exported is not None:
        cli.say(f"{exported:,} genres exported")
