"""The commands of the experiment job: parsed flags in, what to show out.

Each loads what it needs: scipy, matplotlib and XGBoost take seconds that an assignment can do without.
"""

from __future__ import annotations

import argparse
from collections.abc import Callable, Sequence
from functools import partial
from typing import TYPE_CHECKING

from pozytywka_spark import cli
from pozytywka_spark.config import Settings
from pozytywka_spark.errors import UsageError
from pozytywka_spark.experiments import console
from pozytywka_spark.experiments.assignment import definitions
from pozytywka_spark.experiments.assignment.assign import assign, count_users, end, grow_share
from pozytywka_spark.experiments.assignment.cut_offs import chosen_cut_off
from pozytywka_spark.lake.api import Lake

if TYPE_CHECKING:
    from pyspark.sql import SparkSession

Show = Callable[[], None]
TREATMENT = "treatment"


def run_assign(spark: SparkSession, settings: Settings, lake: Lake, args: argparse.Namespace) -> Show:
    """Start or enrol."""
    shares = shares_of(args.share, args.group)
    at, note = chosen_cut_off(lake, settings.data, args.at)
    done = assign(settings, lake, args.name, shares, at, layer=args.layer, traffic=args.traffic)
    return partial(_told, note, partial(console.show_assignment, done))


def run_grow(spark: SparkSession, settings: Settings, lake: Lake, args: argparse.Namespace) -> Show:
    """Raise shares."""
    shares = shares_of(args.share, args.group)
    if not shares:
        raise UsageError("experiment grow: say to what, with --share 30 or --group name=30")
    at, note = chosen_cut_off(lake, settings.data, args.at)
    done = grow_share(lake, args.name, shares, at, move_control=args.move_control)
    return partial(_told, note, partial(console.show_assignment, done))


def run_end(spark: SparkSession, settings: Settings, lake: Lake, args: argparse.Namespace) -> Show:
    """End."""
    at, note = chosen_cut_off(lake, settings.data, args.at)
    ended = end(lake, args.name, at)
    line = f"experiment {ended.name} ended at {ended.at}; its reading stops there"
    return partial(_told, note, partial(cli.say, line))


def run_import(spark: SparkSession, settings: Settings, lake: Lake, args: argparse.Namespace) -> Show:
    """Take over groups."""
    from pozytywka_spark.experiments.assignment import importing  # Spark reads the file

    file = importing.read_file(spark, args.file, args.format)
    at, note = chosen_cut_off(lake, settings.data, args.at)
    done = importing.import_groups(
        settings,
        lake,
        args.name,
        file,
        shares_of(args.share, args.group),
        at,
        columns=(args.user_column, args.group_column),
        renamed=dict(_pair(text, "--rename") for text in args.rename),
    )
    return partial(_told, note, partial(console.show_assignment, done))


def run_expose(spark: SparkSession, settings: Settings, lake: Lake, args: argparse.Namespace) -> Show:
    """Take in exposures."""
    from pozytywka_spark.experiments.assignment import importing  # Spark reads the file

    file = importing.read_file(spark, args.file, args.format)
    count = importing.import_exposures(lake, args.name, file, (args.user_column, args.time_column))
    return partial(cli.say, f"{count:,} new exposures of experiment {args.name}")


def run_list(spark: SparkSession, settings: Settings, lake: Lake, args: argparse.Namespace) -> Show:
    """All experiments."""
    users = count_users(lake)
    return partial(
        cli.show_table, "experiments", definitions.as_rows(definitions.read_experiments(lake), users)
    )


def run_plan(spark: SparkSession, settings: Settings, lake: Lake, args: argparse.Namespace) -> Show:
    """Power beforehand."""
    from pozytywka_spark.experiments.analysis.plan import plan

    at, note = chosen_cut_off(lake, settings.data, args.at)
    planned = plan(settings, lake, args.share, at, baseline=args.baseline, lift=args.lift)
    return partial(_told, note, partial(console.show_plan, planned))


def run_report(spark: SparkSession, settings: Settings, lake: Lake, args: argparse.Namespace) -> Show:
    """The reading."""
    from pozytywka_spark.experiments import stage

    return partial(console.show_report, stage.report(settings, lake, args.name))


def run_uplift(spark: SparkSession, settings: Settings, lake: Lake, args: argparse.Namespace) -> Show:
    """Who was persuaded."""
    from pozytywka_spark.experiments.uplift.console import show_uplift
    from pozytywka_spark.experiments.uplift.stage import uplift

    return partial(show_uplift, uplift(settings, lake, args.name, args.treatment))


def _told(note: str, show: Show) -> None:
    """What came of the command, after a word on the choice of its cut-off if there is one."""
    if note:
        cli.say(note)
    show()


def shares_of(share: float | None, groups: Sequence[str]) -> dict[str, float]:
    """Percent a treatment, from --share or --group. Raises `UsageError` if both or neither make sense."""
    if share is not None and groups:
        raise UsageError("--share is for one treatment, --group for several: give one of them")
    if share is not None:
        return {TREATMENT: share}
    by_group: dict[str, float] = {}
    for text in groups:
        name, value = _pair(text, "--group")
        definitions.check_name(name, "--group")
        try:
            by_group[name] = float(value)
        except ValueError:
            raise UsageError(f"--group {text}: expected NAME=PERCENT, such as fewer-adverts=20") from None
    return by_group


def _pair(text: str, flag: str) -> tuple[str, str]:
    name, separator, value = text.partition("=")
    if not separator or not name or not value:
        raise UsageError(f"{flag} {text}: expected two names with = between")
    return name, value
