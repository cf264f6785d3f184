"""Build users' months, features and labels from the silver tables."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Sequence

from pozytywka_spark.cli import job_parser, run, show_table, step
from pozytywka_spark.config import Settings
from pozytywka_spark.features.stage import build_features
from pozytywka_spark.lake import open_lake
from pozytywka_spark.session import build_session


def main(argv: Sequence[str] | None = None) -> int:
    """Run the job; its exit code."""
    return run(job_parser("features", str(__doc__)), argv, _work)


def _work(args: argparse.Namespace, settings: Settings) -> None:
    spark = build_session(settings, "features", verbose=args.verbose)
    with step("features"):
        report = build_features(spark, settings, open_lake(settings, spark))
    show_table("labels by month", report.labels)


if __name__ == "__main__":
    sys.exit(main())
