"""The commands of the feed job: parsed flags in, what to show and the exit code out."""

from __future__ import annotations

import argparse
from collections.abc import Callable
from functools import partial

from pozytywka_spark import cli
from pozytywka_spark.config import Settings
from pozytywka_spark.feed import console, gate
from pozytywka_spark.feed.evaluate import evaluate
from pozytywka_spark.feed.explain import explain
from pozytywka_spark.feed.report import report
from pozytywka_spark.feed.said import KINDS, SEEN, SURVEYS
from pozytywka_spark.feed.stage import rank
from pozytywka_spark.feed.take_in import take_in
from pozytywka_spark.feed.training import train
from pozytywka_spark.lake.api import Lake
from pozytywka_spark.moderation.reading import read_rows

Outcome = tuple[Callable[[], None], int]
STAYS = 3


def run_train(settings: Settings, lake: Lake, args: argparse.Namespace) -> Outcome:
    """A version, and what the gate says."""
    done = train(settings, lake, args.at)
    stays = done.decision.champion != done.version
    return partial(console.show_train, done), STAYS if stays else 0


def run_evaluate(settings: Settings, lake: Lake, args: argparse.Namespace) -> Outcome:
    """A day's feed by what came after."""
    return partial(console.show_evaluated, evaluate(settings, lake, args.at)), 0


def run_gate(settings: Settings, lake: Lake, args: argparse.Namespace) -> Outcome:
    """The gate again, or a step back."""
    if args.rollback:
        before, now = gate.roll_back(settings)
        return partial(cli.say, f"version {now} is the champion again, in place of version {before}"), 0
    decision = gate.run_gate(settings, lake, args.at)
    stays = decision.champion != decision.challenger
    return partial(console.show_decision, decision), STAYS if stays else 0


def run_rank(settings: Settings, lake: Lake, args: argparse.Namespace) -> Outcome:
    """Pages of a day."""
    done = rank(settings, lake, args.at, only_free=args.users == "free")
    return partial(console.show_rank, done), 0


def run_explain(settings: Settings, lake: Lake, args: argparse.Namespace) -> Outcome:
    """One page."""
    return partial(console.show_explained, explain(settings, lake, args.user, args.at)), 0


def run_take_in(settings: Settings, lake: Lake, args: argparse.Namespace) -> Outcome:
    """Surveys, or what was seen."""
    kind, path = (SURVEYS, args.surveys) if args.surveys is not None else (SEEN, args.seen)
    rows = read_rows(path, args.format, KINDS[kind].columns, f"--{kind}")
    return partial(console.show_taken_in, take_in(lake, kind, rows, path)), 0


def run_report(settings: Settings, lake: Lake, args: argparse.Namespace) -> Outcome:
    """The page."""
    return partial(cli.say, f"page     {report(settings, lake, args.at)}"), 0
