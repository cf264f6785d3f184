"""Compact the lake's tables and delete old files, but none that a registered model was trained on."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Sequence

from pozytywka_spark import cli
from pozytywka_spark.config import Settings
from pozytywka_spark.lake import open_lake
from pozytywka_spark.session import build_session
from pozytywka_spark.training.pins import as_rows, maintain

NAME = cli.job_name(__file__)


def main(argv: Sequence[str] | None = None) -> int:
    """Maintain; 0 when every table is tidy. lake.retention_hours says what is old."""
    parser = cli.job_parser(NAME, __doc__ or "")
    parser.add_argument("--no-compact", action="store_true", help="only delete old files")
    return cli.run(parser, argv, work)


def work(args: argparse.Namespace, settings: Settings) -> None:
    """Compact, delete, tell."""
    spark = build_session(settings, NAME, verbose=args.verbose)
    with cli.step("maintain"):
        found = maintain(settings, open_lake(settings, spark), compact=not args.no_compact)
    cli.show_table(f"tables in {settings.lake.root}", as_rows(found))


if __name__ == "__main__":
    sys.exit(main())
