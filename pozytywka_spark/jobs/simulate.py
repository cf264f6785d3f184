"""Search what the platform could change for groups of users, what it would bring and cost."""

from __future__ import annotations

import argparse
from collections.abc import Sequence

from pozytywka_spark import cli
from pozytywka_spark.config import Settings
from pozytywka_spark.names import SUBGROUPS, TOP_GROUP, UNGROUPED

NAME = cli.job_name(__file__)


def main(argv: Sequence[str] | None = None) -> int:
    """Simulate; 0 when the fronts are in the lake."""
    parser = cli.job_parser(NAME, __doc__ or "")
    parser.add_argument(
        "--month", type=cli.month, metavar="YYYY-MM", help="default: the last complete scored month"
    )
    parser.add_argument(
        "--segment",
        choices=(UNGROUPED, *SUBGROUPS, TOP_GROUP),
        help="how users are grouped; default: simulation.segment",
    )
    return cli.run(parser, argv, work)


def work(args: argparse.Namespace, settings: Settings) -> None:
    """Read, search, tell."""
    from pozytywka_spark.lake import open_lake
    from pozytywka_spark.reports.files import write_page
    from pozytywka_spark.simulation.console import show_simulation
    from pozytywka_spark.simulation.stage import simulate
    from pozytywka_spark.spark.session_on_demand import session_on_demand

    spark = session_on_demand(settings, NAME, verbose=args.verbose)
    with cli.step("simulate"):
        report = simulate(spark, settings, open_lake(settings, spark), args.month, args.segment)
    show_simulation(report)
    cli.say(f"page {write_page(settings, f'simulation-{report.segment_by}.html', report.page)}")
