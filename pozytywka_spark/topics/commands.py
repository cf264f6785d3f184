"""The topics job: parsed flags in, what to show out."""

from __future__ import annotations

import argparse
from collections.abc import Callable
from functools import partial
from pathlib import Path

from pozytywka_spark import cli
from pozytywka_spark.config import Settings
from pozytywka_spark.lake.api import Lake
from pozytywka_spark.reports.files import page_path, write_page
from pozytywka_spark.topics import console
from pozytywka_spark.topics.export import write_export
from pozytywka_spark.topics.overrides import read_overrides
from pozytywka_spark.topics.report import make_page
from pozytywka_spark.topics.stage import TopicsReport, make_topics

PAGE = "topics.html"


def run(settings: Settings, lake: Lake, args: argparse.Namespace) -> Callable[[], None]:
    """Bring groups up to date, draw the page of what came of it, write the export if asked to."""
    overrides = read_overrides(args.said) if args.said else None
    report = make_topics(settings, lake, refit=args.refit, overrides=overrides)
    stale = args.report or not report.unchanged or not page_path(settings, PAGE).exists()
    page = write_page(settings, PAGE, make_page(lake)) if stale else None
    exported = write_export(lake, Path(args.export)) if args.export else None
    return partial(_show, report, page, exported)


def _show(report: TopicsReport, page: Path | None, exported: int | None) -> None:
    console.show(report)
    if page is not None:
        cli.say(f"page {page}")
    if exported is not None:
        cli.say(f"{exported:,} genres exported")
