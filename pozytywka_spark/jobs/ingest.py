"""Take raw deliveries into the silver tables: exactly once, repaired where certain, quarantined where not."""

from __future__ import annotations

import argparse
from collections.abc import Sequence
from typing import TYPE_CHECKING

from pozytywka_spark import cli
from pozytywka_spark.config import Settings

if TYPE_CHECKING:
    from pozytywka_spark.ingest.stage import IngestReport


def main(argv: Sequence[str] | None = None) -> int:
    """Run the job."""
    parser = cli.job_parser("ingest", __doc__ or "")
    parser.add_argument(
        "--replay",
        action="store_true",
        help="try quarantined rows again under today's rules, read no delivery",
    )
    parser.add_argument(
        "--fail-on",
        choices=("error", "warn"),
        help="exit with code 1 and the list if there are findings that bad or worse",
    )
    return cli.run(parser, argv, work)


def work(args: argparse.Namespace, settings: Settings) -> int:
    """Session, lake, ingest or replay, summary."""
    from pozytywka_spark.ingest.console import show_ingest
    from pozytywka_spark.ingest.stage import ingest, replay
    from pozytywka_spark.lake import open_lake
    from pozytywka_spark.lake.recorded import record_settings
    from pozytywka_spark.spark.session_on_demand import session_on_demand

    spark = session_on_demand(settings, "ingest", verbose=args.verbose)
    lake = open_lake(settings, spark)
    with cli.step("replay of the quarantine" if args.replay else f"ingest {settings.raw_path}"):
        report = replay(settings, lake) if args.replay else ingest(spark, settings, lake)
    record_settings(settings)
    show_ingest(report)
    return fail(report, args.fail_on) if args.fail_on else 0


def fail(report: IngestReport, severity: str) -> int:
    """1 and the list of findings of `severity` or worse, else 0."""
    findings = report.at_least(severity)
    for finding in findings:
        cli.complain(
            f"{finding.severity}: {finding.entity}: {finding.check}: {finding.rows:,} of {finding.total:,}"
        )
    return 1 if findings else 0
