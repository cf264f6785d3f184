"""Learn from logged decisions which message or artist to show whom; judge it before it serves."""

from __future__ import annotations

import argparse
from collections.abc import Callable, Sequence
from datetime import date

from pozytywka_spark import cli
from pozytywka_spark.config import Settings

NAME = cli.job_name(__file__)


def main(argv: Sequence[str] | None = None) -> int:
    """Run a command; 0 done, 1 failed or refused, 2 wrong usage, 3 the champion stays."""
    return cli.run(cli.command_parser(NAME, __doc__ or "", COMMANDS), argv, work)


def work(args: argparse.Namespace, settings: Settings) -> int:
    """One session, one command."""
    from pozytywka_spark.bandits import commands
    from pozytywka_spark.lake import open_lake
    from pozytywka_spark.spark.session_on_demand import session_on_demand

    lake = open_lake(settings, session_on_demand(settings, NAME, verbose=args.verbose))
    with cli.step(f"bandits {args.command}"):
        show, code = getattr(commands, f"run_{args.command.replace('-', '_')}")(settings, lake, args)
    show()
    return int(code)


def _days(text: str) -> tuple[date, date]:
    first, dots, last = text.partition("..")
    days = cli.day(first), cli.day(last if dots else first)
    if days[0] > days[1]:
        raise argparse.ArgumentTypeError(f"{text!r}: the first day is after the last; expected A..B in order")
    return days


def _slot(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--slot", required=True, metavar="NAME", help="one of bandits.slots")


def _policy(parser: argparse.ArgumentParser, text: str) -> None:
    parser.add_argument("--policy", required=True, metavar="WHICH", help=text)


def _take_in(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "--from",
        dest="path",
        required=True,
        metavar="PATH",
        help="JSON Lines (gzipped too) or Parquet, a file or a folder",
    )


def _sum(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--full", action="store_true", help="all days, changed or not")


def _evaluate(parser: argparse.ArgumentParser) -> None:
    _slot(parser)
    _policy(parser, "a version's number, champion, challenger, uniform, or a file with a policy")
    parser.add_argument(
        "--days", type=_days, metavar="A..B", help="logged days; default: those since it learnt"
    )


def _gate(parser: argparse.ArgumentParser) -> None:
    _slot(parser)
    parser.add_argument(
        "--rollback", action="store_true", help="make the champion's predecessor champion again"
    )


def _export(parser: argparse.ArgumentParser) -> None:
    _slot(parser)
    _policy(parser, "champion, challenger or a version's number")
    parser.add_argument("--out", required=True, metavar="FILE", help="where the policy goes, as JSON")


def _plan(parser: argparse.ArgumentParser) -> None:
    _slot(parser)
    parser.add_argument("--day", required=True, type=cli.day, metavar="DAY", help="which day to decide")
    parser.add_argument("--out", metavar="FILE", help="the decisions as JSON Lines, too")


def _daily(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--day", required=True, type=cli.day, metavar="DAY", help="which day to decide")
    parser.add_argument("--from", dest="path", metavar="PATH", help="a log to take in first")


COMMANDS: dict[str, tuple[str, Callable[[argparse.ArgumentParser], None]]] = {
    "take-in": ("take in logged decisions; what can't be taken goes aside with a reason", _take_in),
    "sum": ("bring the daily sums up to date: only days that changed", _sum),
    "learn": ("learn a policy from the sums but for the latest days; it becomes the challenger", _slot),
    "evaluate": ("what a policy would have brought on logged days, or why the log can't say", _evaluate),
    "gate": ("promote the challenger unless it is worse; exit 3 if the champion stays", _gate),
    "export": ("write a policy as the JSON that alone decides", _export),
    "plan": ("decide a day for all free users", _plan),
    "season": ("which genre rises when, with intervals", _slot),
    "daily": ("take in, sum, learn, weigh, plan and write the page, slot by slot", _daily),
    "report": ("the page: scores, who sees what, seasons, exposure", _slot),
}
