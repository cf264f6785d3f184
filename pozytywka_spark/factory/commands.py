"""The commands of the factory job: parsed flags in, what to show and the exit code out."""

from __future__ import annotations

import argparse
from collections.abc import Callable
from functools import partial

from pozytywka_spark import cli
from pozytywka_spark.config import Settings
from pozytywka_spark.factory import console
from pozytywka_spark.factory.build import Asked, build
from pozytywka_spark.factory.decide import decide
from pozytywka_spark.factory.decide_file import decide_file
from pozytywka_spark.factory.promote import promote, promote_of_table, stop
from pozytywka_spark.factory.report import report
from pozytywka_spark.factory.table_watch import TableAsked
from pozytywka_spark.lake.api import Lake

Outcome = tuple[Callable[[], None], int]
TRIALS = 10
STAYS = 3


def run_build(settings: Settings, lake: Lake, args: argparse.Namespace) -> Outcome:
    """Build."""
    trials = (args.trials or TRIALS) if args.tune else 0
    done = build(settings, lake, Asked(args.group, args.at, trials, args.file, args.score))
    return partial(console.show_build, done), 0


def run_decide(settings: Settings, lake: Lake, args: argparse.Namespace) -> Outcome:
    """Decide."""
    if args.file:
        done = decide_file(settings, lake, args.file, args.out, score_column=args.score, until=args.until)
    else:
        done = decide(settings, lake, args.until)
    return partial(console.show_decided, done), 0


def run_promote(settings: Settings, lake: Lake, args: argparse.Namespace) -> Outcome:
    """Promote."""
    if args.file:
        asked = TableAsked(args.file, args.score)
        change = promote_of_table(settings, lake, args.group, args.side, args.at, asked)
    else:
        change = promote(settings, lake, args.group, args.side, args.at)
    return partial(console.show_change, change), 0 if change.is_done else STAYS


def run_stop(settings: Settings, lake: Lake, args: argparse.Namespace) -> Outcome:
    """Stop."""
    change = stop(settings, lake, args.group, args.side, args.at, args.source)
    return partial(console.show_change, change), 0


def run_report(settings: Settings, lake: Lake, args: argparse.Namespace) -> Outcome:
    """The page."""
    return partial(cli.say, f"page     {report(settings, lake, args.at)}"), 0
