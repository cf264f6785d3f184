"""The commands of the bandits job: parsed flags in, what to show and the exit code out."""

from __future__ import annotations

import argparse
from collections.abc import Callable
from functools import partial

from pozytywka_spark import cli
from pozytywka_spark.bandits import console
from pozytywka_spark.config import Settings
from pozytywka_spark.lake.api import Lake

Outcome = tuple[Callable[[], None], int]
KEPT = 3


def run_take_in(settings: Settings, lake: Lake, args: argparse.Namespace) -> Outcome:
    """A log."""
    from pozytywka_spark.bandits.take_in import take_in

    return partial(console.show_taken, take_in(settings, lake, args.path)), 0


def run_sum(settings: Settings, lake: Lake, args: argparse.Namespace) -> Outcome:
    """Daily sums."""
    from pozytywka_spark.bandits.sum_days import sum_days

    return partial(console.show_summed, sum_days(settings, lake, full=args.full)), 0


def run_learn(settings: Settings, lake: Lake, args: argparse.Namespace) -> Outcome:
    """A challenger."""
    from pozytywka_spark.bandits.learn import learn
    from pozytywka_spark.bandits.slots import slot_of
    from pozytywka_spark.bandits.sum_days import sum_days

    slot_of(settings, args.slot)
    sum_days(settings, lake)
    return partial(console.show_learnt, learn(settings, lake, args.slot)), 0


def run_evaluate(settings: Settings, lake: Lake, args: argparse.Namespace) -> Outcome:
    """A policy's value."""
    from pozytywka_spark.bandits.value import evaluate

    found = evaluate(settings, lake, args.slot, args.policy, args.days)
    return partial(console.show_evaluation, args.slot, found), 0


def run_gate(settings: Settings, lake: Lake, args: argparse.Namespace) -> Outcome:
    """Challenger against champion, or the way back."""
    from pozytywka_spark.bandits.value import gate, roll_back

    if args.rollback:
        return partial(console.show_rollback, args.slot, *roll_back(settings, args.slot)), 0
    gated = gate(settings, lake, args.slot)
    return partial(console.show_gated, gated), KEPT if gated.kept else 0


def run_export(settings: Settings, lake: Lake, args: argparse.Namespace) -> Outcome:
    """A policy as a file."""
    from pozytywka_spark.bandits.policies import export_policy
    from pozytywka_spark.bandits.slots import slot_of

    slot_of(settings, args.slot)
    found = export_policy(settings, args.slot, args.policy, args.out)
    return partial(cli.say, f"policy {found.name} of slot {args.slot}: {args.out}"), 0


def run_plan(settings: Settings, lake: Lake, args: argparse.Namespace) -> Outcome:
    """A day's decisions."""
    from pozytywka_spark.bandits.plan import export_plan, plan

    planned = plan(settings, lake, args.slot, args.day)
    lines = export_plan(lake, args.slot, args.day, args.out) if args.out else None
    return partial(console.show_planned, planned, args.out, lines), 0


def run_season(settings: Settings, lake: Lake, args: argparse.Namespace) -> Outcome:
    """Which genre rises when."""
    from pozytywka_spark.bandits.season import season

    return partial(console.show_season, season(settings, lake, args.slot)), 0


def run_daily(settings: Settings, lake: Lake, args: argparse.Namespace) -> Outcome:
    """A day's whole work."""
    from pozytywka_spark.bandits.daily import daily

    return partial(console.show_day, daily(settings, lake, args.day, args.path)), 0


def run_report(settings: Settings, lake: Lake, args: argparse.Namespace) -> Outcome:
    """The page."""
    from pozytywka_spark.bandits.report import report

    return partial(cli.say, f"page     {report(settings, lake, args.slot)}"), 0
