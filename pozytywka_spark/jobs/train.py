"""Train the models on the features, measure them, register the best: features and labels -> MLflow."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Sequence

from pozytywka_spark import cli
from pozytywka_spark.config import Settings

NAME = cli.job_name(__file__)


def main(argv: Sequence[str] | None = None) -> int:
    """Train; 0 when a model of these inputs is registered."""
    parser = cli.job_parser(NAME, __doc__ or "")
    parser.add_argument(
        "--force", action="store_true", help="train again even if these inputs were trained before"
    )
    parser.add_argument("--tune", action="store_true", help="search for parameters before the final fit")
    parser.add_argument("--trials", type=int, metavar="N", help="with --tune: tuning.trials, in all")
    parser.add_argument("--minutes", type=float, metavar="M", help="with --tune: tuning.minutes, this time")
    return cli.run(parser, with_tuning(parser, argv), work)


def with_tuning(parser: argparse.ArgumentParser, argv: Sequence[str] | None) -> list[str]:
    """The flags of tuning as the settings they stand for, so that they are checked and logged as such."""
    given = list(sys.argv[1:] if argv is None else argv)
    args = parser.parse_args(given)
    asked = {"trials": args.trials, "minutes": args.minutes}
    if not args.tune:
        if any(value is not None for value in asked.values()):
            parser.error("--trials and --minutes are budgets of --tune: add it")
        return given
    if args.minutes is not None and args.trials is None:
        asked["trials"] = "null"  # minutes alone: as many trials as they hold
    overrides = {"enabled": "true", **{name: value for name, value in asked.items() if value is not None}}
    return [
        *given,
        *(part for name, value in overrides.items() for part in ("--set", f"tuning.{name}={value}")),
    ]


def work(args: argparse.Namespace, settings: Settings) -> None:
    """Read, train, tell."""
    from pozytywka_spark.lake import open_lake
    from pozytywka_spark.spark.session_on_demand import session_on_demand
    from pozytywka_spark.training.console import show_training
    from pozytywka_spark.training.stage import train

    spark = session_on_demand(settings, NAME, verbose=args.verbose)
    with cli.step("train"):
        report = train(spark, settings, open_lake(settings, spark), force=args.force)
    show_training(report)
