"""Take raw deliveries into the silver tables: exactly once, repaired where certain, quarantined where not."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Sequence
from dataclasses import asdict

from pozytywka_spark import cli
from pozytywka_spark.config import Settings
from pozytywka_spark.ingest.stage import ingest
from pozytywka_spark.lake import open_lake
from pozytywka_spark.session import build_session


def main(argv: Sequence[str] | None = None) -> int:
    """Run the job."""
    return cli.run(cli.job_parser("ingest", __doc__ or ""), argv, work)


def work(args: argparse.Namespace, settings: Settings) -> int:
    """Session, lake, ingest, summary."""
    spark = build_session(settings, "ingest", verbose=args.verbose)
    with cli.step(f"ingest {settings.raw_path}"):
        report = ingest(spark, settings, open_lake(settings, spark))
    cli.show_table("Raw rows", [asdict(entity) for entity in report.entities])
    return 0


if __name__ == "__main__":
    sys.exit(main())
