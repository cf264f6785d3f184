"""Look at what accounts did day by day, and open cases where rules, rings or odd days speak of fraud."""

from __future__ import annotations

import argparse
from collections.abc import Callable, Sequence

from pozytywka_spark import cli
from pozytywka_spark.config import Settings

NAME = cli.job_name(__file__)


def main(argv: Sequence[str] | None = None) -> int:
    """Run a command; 0 done, 1 failed, 2 wrong usage (a rule that isn't one among it)."""
    return cli.run(cli.command_parser(NAME, __doc__ or "", COMMANDS), argv, work)


def work(args: argparse.Namespace, settings: Settings) -> None:
    """One session, one command."""
    from pozytywka_spark.fraud import commands
    from pozytywka_spark.lake import open_lake
    from pozytywka_spark.spark.session_on_demand import session_on_demand

    if args.command == "rules" and not args.file:
        commands.list_rules(settings)
        return
    spark = session_on_demand(settings, NAME, verbose=args.verbose)
    lake = open_lake(settings, spark)
    with cli.step(f"fraud {args.command}"):
        show = getattr(commands, f"run_{args.command}")(spark, settings, lake, args)
    show()


def _scan(parser: argparse.ArgumentParser) -> None:
    which = parser.add_mutually_exclusive_group()
    _months(which, "scan these months again")
    which.add_argument(
        "--since-last-ingest",
        action="store_true",
        help="the months whose events, rules or settings have changed since they were scanned (the default)",
    )
    which.add_argument("--full", action="store_true", help="all months")


def _rules(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "--try",
        dest="file",
        metavar="FILE",
        help="what the rules of this file would find in the days scanned; nothing is written",
    )
    _months(parser, "among these months only")


def _months(parser: argparse._ActionsContainer, text: str) -> None:
    parser.add_argument("--months", metavar="YYYY-MM..YYYY-MM", help=text)


def _nothing(_: argparse.ArgumentParser) -> None:
    pass


COMMANDS: dict[str, tuple[str, Callable[[argparse.ArgumentParser], None]]] = {
    "scan": ("signals, rings and cases of what has changed", _scan),
    "rules": ("list the rules and signals; with --try, what others would have found", _rules),
    "report": ("the page: rules, signals, rings", _nothing),
}
