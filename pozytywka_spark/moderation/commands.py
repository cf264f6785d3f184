"""The commands of the moderation job: parsed flags in, what to show out."""

from __future__ import annotations

import argparse
from collections.abc import Callable
from datetime import datetime
from functools import partial

from pozytywka_spark import cli
from pozytywka_spark.config import Settings
from pozytywka_spark.lake.api import Lake
from pozytywka_spark.lake.event_days import INGEST, recorded_span, span_of_events
from pozytywka_spark.moderation import account, console, report, run, stage
from pozytywka_spark.moderation.page import PAGE, render
from pozytywka_spark.moderation.queue import write_queue
from pozytywka_spark.moderation.reading import read_rows
from pozytywka_spark.moderation.rows import micros
from pozytywka_spark.reports.files import write_page

Show = Callable[[], None]


def run_queue(settings: Settings, lake: Lake, args: argparse.Namespace) -> Show:
    """The cases to judge."""
    count = write_queue(lake, args.out, None if args.at is None else micros(args.at), args.reviewer)
    return partial(cli.say, f"{count:,} open cases in {args.out}")


def run_verdicts(settings: Settings, lake: Lake, args: argparse.Namespace) -> Show:
    """Answers."""
    done = stage.take_answers(lake, read_rows(args.file, args.format, stage.ANSWER_COLUMNS))
    return partial(console.show_intake, done, "verdicts")


def run_run(settings: Settings, lake: Lake, args: argparse.Namespace) -> Show:
    """What is due."""
    return partial(console.show_run, release_due(settings, lake, args.until))


def run_appeals(settings: Settings, lake: Lake, args: argparse.Namespace) -> Show:
    """Appeals."""
    done = stage.take_appeals(lake, read_rows(args.file, args.format, stage.APPEAL_COLUMNS))
    return partial(console.show_intake, done, "appeals")


def run_status(settings: Settings, lake: Lake, args: argparse.Namespace) -> Show:
    """One account."""
    return partial(console.show_status, account.status_of(lake, args.user, _time(settings, lake, args.at)))


def run_export(settings: Settings, lake: Lake, args: argparse.Namespace) -> Show:
    """Who is blocked."""
    count = account.export(lake, _time(settings, lake, args.at), args.out)
    return partial(cli.say, f"{count:,} accounts are blocked: {args.out}")


def run_report(settings: Settings, lake: Lake, args: argparse.Namespace) -> Show:
    """The page."""
    state = report.report_of(lake, _time(settings, lake, args.at))
    path = write_page(settings, PAGE, render(state))
    return partial(console.show_report, state, str(path))


def release_due(settings: Settings, lake: Lake, until: datetime | None = None) -> run.RunReport:
    """Try again the answers that wait aside, then release what is due up to and with `until`.

    Without it up to the data's end; raises as `run.run`.
    """
    stage.take_answers(lake, ())
    return run.run(settings, lake, _time(settings, lake, until), asked=until is not None)


def _time(settings: Settings, lake: Lake, asked: datetime | None) -> int:
    """The time that was asked for, else the data's end, in microseconds."""
    if asked is not None:
        return micros(asked)
    span = recorded_span(lake, settings.data, INGEST) or span_of_events(lake, settings.data)
    return micros(span.end)
