"""Check Java, packages, memory, cores, disk, clock, lake and MLflow; say what to do about each finding."""

from __future__ import annotations

import argparse
from collections.abc import Sequence

from pozytywka_spark import cli
from pozytywka_spark.config import Settings

NAME = cli.job_name(__file__)


def main(argv: Sequence[str] | None = None) -> int:
    """Exit code 0 when jobs can run, warnings or not; 1 when something will make them fail."""
    parser = cli.job_parser(NAME, __doc__ or "")
    parser.add_argument("--quick", action="store_true", help="start no Spark session")
    return cli.run(parser, argv, work)


def work(args: argparse.Namespace, settings: Settings) -> int:
    """Examine, tell, and say in the exit code whether there is trouble."""
    from pozytywka_spark.doctor.stage import examine
    from pozytywka_spark.spark.session import build_session

    with cli.step("examination"):
        start = None if args.quick else lambda: build_session(settings, NAME, verbose=args.verbose)
        findings = examine(settings, start)
    for finding in findings:
        cli.say(f"{finding.state:8} {finding.check:24} {finding.found}")
        if finding.advice:
            cli.say(f"{'':8} → {finding.advice}")
    troubles = sum(finding.state == "trouble" for finding in findings)
    cli.say(f"in trouble: {troubles}" if troubles else "jobs can run")
    return 1 if troubles else 0
