"""Take raw deliveries into the silver tables: exactly once, repaired where certain, quarantined where not."""

from __future__ import annotations

import argparse
from collections.abc import Sequence
from typing import TYPE_CHECKING

from pozytywka_spark import cli
from pozytywka_spark.config import Settings
from pozytywka_spark.errors import UsageError

if TYPE_CHECKING:
    from pyspark.sql import SparkSession

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
        "--check",
        action="store_true",
        help="judge the delivery as ingest would, beside what the lake holds, and write nothing: prints what "
        "ingest would, exit code 1 if any of it would be refused",
    )
    parser.add_argument(
        "--contract",
        action="store_true",
        help="print what a delivery must be, in the Open Data Contract Standard (YAML); reads nothing",
    )
    parser.add_argument(
        "--fail-on",
        choices=("error", "warn"),
        help="exit with code 1 and the list if there are findings that bad or worse",
    )
    return cli.run(parser, argv, work)


def work(args: argparse.Namespace, settings: Settings) -> int:
    """Session, lake, ingest or replay or check, summary; or the contract."""
    chosen = [flag for flag in ("check", "contract", "replay") if getattr(args, flag)]
    if len(chosen) > 1:
        raise UsageError(
            " and ".join(f"--{flag}" for flag in chosen) + " don't go together: take one of them"
        )
    if args.contract:
        from pozytywka_spark.ingest.contract_document import contract_text

        cli.OUT.out(contract_text(settings), end="", highlight=False)
        return 0
    from pozytywka_spark.ingest.console import show_ingest
    from pozytywka_spark.ingest.stage import ingest, replay
    from pozytywka_spark.lake import open_lake
    from pozytywka_spark.lake.recorded import record_settings
    from pozytywka_spark.spark.session_on_demand import session_on_demand

    spark = session_on_demand(settings, "ingest", verbose=args.verbose)
    if args.check:
        return check(spark, args, settings)
    lake = open_lake(settings, spark)
    with cli.step("replay of the quarantine" if args.replay else f"ingest {settings.raw_path}"):
        report = replay(settings, lake) if args.replay else ingest(spark, settings, lake)
    record_settings(settings)
    show_ingest(report)
    return fail(report, args.fail_on) if args.fail_on else 0


def check(spark: SparkSession, args: argparse.Namespace, settings: Settings) -> int:
    """Judge the delivery; what would be refused raises, as it does when it is taken in."""
    from pozytywka_spark.ingest.console import show_ingest
    from pozytywka_spark.ingest.trial import check_delivery

    with cli.step(f"check of {settings.raw_path}"):
        report = check_delivery(spark, settings)
    show_ingest(report)
    cli.say(f"only checked: nothing was written to {settings.lake.root}")
    return fail(report, args.fail_on) if args.fail_on else 0


def fail(report: IngestReport, severity: str) -> int:
    """1 and the list of findings of `severity` or worse, else 0."""
    findings = report.at_least(severity)
    for finding in findings:
        cli.complain(
            f"{finding.severity}: {finding.entity}: {finding.check}: {finding.rows:,} of {finding.total:,}"
        )
    return 1 if findings else 0
