"""Train a logged run again from its pinned tables and settings, and say what differs."""

from __future__ import annotations

import argparse
from collections.abc import Sequence

from pozytywka_spark import cli
from pozytywka_spark.config import Settings

NAME = cli.job_name(__file__)


def main(argv: Sequence[str] | None = None) -> int:
    """Reproduce; 0 when model and metrics are the same, 1 when something differs."""
    parser = cli.job_parser(NAME, __doc__ or "")
    parser.add_argument("run_id", metavar="RUN_ID", help="as the train job prints it")
    return cli.run(parser, argv, work)


def work(args: argparse.Namespace, settings: Settings) -> int:
    """Read, train, compare, tell."""
    from pozytywka_spark.lake import open_lake
    from pozytywka_spark.spark.session_on_demand import session_on_demand
    from pozytywka_spark.training.console import show_reproduction
    from pozytywka_spark.training.reproduce import reproduce

    spark = session_on_demand(settings, NAME, verbose=args.verbose)
    with cli.step("reproduce"):
        reproduction = reproduce(spark, settings, open_lake(settings, spark), args.run_id)
    return show_reproduction(reproduction)
