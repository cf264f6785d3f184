"""Weigh the challenger against the champion, promote it only if better; a decision of train stands."""

from __future__ import annotations

import argparse
from collections.abc import Sequence

from pozytywka_spark import cli
from pozytywka_spark.config import Settings

NAME = cli.job_name(__file__)


def main(argv: Sequence[str] | None = None) -> int:
    """Decide; 0 promoted (or rolled back), 3 the old champion was kept."""
    parser = cli.job_parser(NAME, __doc__ or "")
    parser.add_argument("--dry-run", action="store_true", help="decide and tell, change nothing")
    parser.add_argument(
        "--again", action="store_true", help="weigh anew what was decided on the same rows and settings"
    )
    parser.add_argument("--rollback", action="store_true", help="give the place back to the champion before")
    return cli.run(parser, argv, work)


def work(args: argparse.Namespace, settings: Settings) -> int:
    """Read, decide, tell."""
    from pozytywka_spark.lake import open_lake
    from pozytywka_spark.promotion.aliases import roll_back, run_gate
    from pozytywka_spark.spark.session_on_demand import session_on_demand
    from pozytywka_spark.training.console import show_gate, show_rollback

    if args.rollback:
        return show_rollback(*roll_back(settings))
    spark = session_on_demand(settings, NAME, verbose=args.verbose)
    with cli.step("gate"):
        settled = run_gate(settings, open_lake(settings, spark), dry_run=args.dry_run, again=args.again)
    return show_gate(settled, dry_run=args.dry_run)
