"""The commands of the moderation job: parsed flags in, what to show out."""

from __future__ import annotations

import argparse
from collections.abc import Callable
from functools import partial

from pozytywka_spark import cli
from pozytywka_spark.config import Settings
from pozytywka_spark.lake.api import Lake
from pozytywka_spark.moderation import account, console, report, stage
from pozytywka_spark.moderation.page import PAGE, render
from pozytywka_spark.moderation.queue import write_queue
from pozytywka_spark.moderation.reading import read_rows
from pozytywka_spark.moderation.release import release_due, time_asked
from pozytywka_spark.months import as_micros
from pozytywka_spark.reports.files import write_page

Show = Callable[[], None]


def run_queue(settings: Settings, lake: Lake, args: argparse.Namespace) -> Show:
    """The cases to judge."""
    count = write_queue(lake, args.out, None if args.at is None else as_micros(args.at), args.reviewer)
    return partial(cli.say, f"{count:,} open cases in {args.out}")


def run_verdicts(settings: Settings, lake: Lake, args: argparse.Namespace) -> Show:
    """Answers, or chargebacks that are answers."""
    if args.chargebacks:
        charged = stage.take_chargebacks(lake, read_rows(args.file, args.format, stage.CHARGEBACK_COLUMNS))
        return partial(console.show_chargebacks, charged)
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
    return partial(
        console.show_status, account.status_of(lake, args.user, time_asked(settings, lake, args.at))
    )


def run_export(settings: Settings, lake: Lake, args: argparse.Namespace) -> Show:
    """Who is blocked."""
    count = account.export(lake, time_asked(settings, lake, args.at), args.out)
    return partial(cli.say, f"{count:,} accounts are blocked: {args.out}")


def run_report(settings: Settings, lake: Lake, args: argparse.Namespace) -> Show:
    """The page."""
    state = report.report_of(lake, time_asked(settings, lake, args.at))
    path = write_page(settings, PAGE, render(state))
    return partial(console.show_report, state, str(path))
