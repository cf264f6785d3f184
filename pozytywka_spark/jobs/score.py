"""Score all free users of a month with the champion model: features and MLflow -> predictions."""

from __future__ import annotations

import argparse
from collections.abc import Sequence

from pozytywka_spark import cli
from pozytywka_spark.config import Settings

NAME = cli.job_name(__file__)


def main(argv: Sequence[str] | None = None) -> int:
    """Score; 0 when the month's predictions of the champion are in the lake."""
    parser = cli.job_parser(NAME, __doc__ or "")
    parser.add_argument("--month", type=cli.month, metavar="YYYY-MM", help="default: the last complete month")
    return cli.run(parser, argv, work)


def work(args: argparse.Namespace, settings: Settings) -> None:
    """Read, score, tell."""
    from pozytywka_spark.lake import open_lake
    from pozytywka_spark.scoring.console import show_scoring
    from pozytywka_spark.scoring.stage import score
    from pozytywka_spark.spark.session_on_demand import session_on_demand

    spark = session_on_demand(settings, NAME, verbose=args.verbose)
    with cli.step("score"):
        report = score(spark, settings, open_lake(settings, spark), args.month)
    show_scoring(report)
