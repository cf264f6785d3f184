"""Compare a month's features and scores with those the champion learnt from; exit 4 on alerts."""

from __future__ import annotations

import argparse
from collections.abc import Sequence

from pozytywka_spark import cli
from pozytywka_spark.config import Settings

NAME = cli.job_name(__file__)


def main(argv: Sequence[str] | None = None) -> int:
    """Monitor; 0 quiet, 4 alerts."""
    parser = cli.job_parser(NAME, __doc__ or "")
    parser.add_argument("--month", type=cli.month, metavar="YYYY-MM", help="default: the last complete month")
    parser.add_argument(
        "--reference",
        metavar="YYYY-MM..YYYY-MM",
        help="months to compare with; default: the last ones that the champion was fitted on",
    )
    return cli.run(parser, argv, work)


def work(args: argparse.Namespace, settings: Settings) -> int:
    """Read, compare, tell."""
    from pozytywka_spark.features.build.staleness import month_range

    reference = month_range(args.reference, "--reference") if args.reference else None
    from pozytywka_spark.lake import open_lake
    from pozytywka_spark.monitoring.console import show_monitoring
    from pozytywka_spark.monitoring.stage import monitor
    from pozytywka_spark.reports.files import write_page
    from pozytywka_spark.spark.session_on_demand import session_on_demand

    spark = session_on_demand(settings, NAME, verbose=args.verbose)
    with cli.step("monitor"):
        report = monitor(spark, settings, open_lake(settings, spark), args.month, reference)
    code = show_monitoring(report)
    cli.say(f"page {write_page(settings, 'monitoring.html', report.page)}")
    return code
