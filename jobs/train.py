"""Train the models on the features, measure them, register the best: features and labels -> MLflow."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Sequence

from pozytywka_spark import cli
from pozytywka_spark.config import Settings
from pozytywka_spark.lake import open_lake
from pozytywka_spark.session import build_session
from pozytywka_spark.training.report import show
from pozytywka_spark.training.stage import train

NAME = cli.job_name(__file__)


def main(argv: Sequence[str] | None = None) -> int:
    """Train; 0 when a model of these inputs is registered."""
    parser = cli.job_parser(NAME, __doc__ or "")
    parser.add_argument(
        "--force", action="store_true", help="train again even if these inputs were trained before"
    )
    return cli.run(parser, argv, work)


def work(args: argparse.Namespace, settings: Settings) -> None:
    """Read, train, tell."""
    spark = build_session(settings, NAME, verbose=args.verbose)
    with cli.step("train"):
        report = train(spark, settings, open_lake(settings, spark), force=args.force)
    show(report)


if __name__ == "__main__":
    sys.exit(main())
