"""Which genres belong together, and in which language artists sing; known genres stay where they are."""

from __future__ import annotations

import argparse
from collections.abc import Sequence

from pozytywka_spark import cli
from pozytywka_spark.config import Settings

NAME = cli.job_name(__file__)


def main(argv: Sequence[str] | None = None) -> int:
    """Group and assign; 0 done, 1 failed, 2 wrong usage."""
    parser = cli.job_parser(NAME, __doc__ or "")
    parser.add_argument(
        "--refit",
        action="store_true",
        help="group all genres anew, keeping the ids of groups that stay, and tell who moved",
    )
    parser.add_argument(
        "--overrides",
        dest="said",  # what --set is called inside
        metavar="FILE",
        help="CSV of genre, group (an id or a name; empty: take it back): put there for good, through refits",
    )
    parser.add_argument("--export", metavar="FILE", help="write all genres and their groups as CSV")
    parser.add_argument("--report", action="store_true", help="draw the page again, with today's plays")
    return cli.run(parser, argv, work)


def work(args: argparse.Namespace, settings: Settings) -> None:
    """Bring up to date, then what was asked for."""
    from pozytywka_spark.lake import open_lake
    from pozytywka_spark.spark.session_on_demand import session_on_demand
    from pozytywka_spark.topics import commands

    lake = open_lake(settings, session_on_demand(settings, NAME, verbose=args.verbose))
    with cli.step(NAME):
        show = commands.run(settings, lake, args)
    show()
