"""Everybody's home feed of a day: train, rank, explain, evaluate, take in what people saw and said."""

from __future__ import annotations

import argparse
from collections.abc import Callable, Sequence

from pozytywka_spark import cli
from pozytywka_spark.config import Settings
from pozytywka_spark.errors import UsageError

NAME = cli.job_name(__file__)


def main(argv: Sequence[str] | None = None) -> int:
    """Run a command; 0 done, 1 failed, 2 wrong usage, 3 the champion stays."""
    return cli.run(cli.command_parser(NAME, __doc__ or "", COMMANDS), argv, work)


def work(args: argparse.Namespace, settings: Settings) -> int:
    """One session, one command."""
    from pozytywka_spark.feed import commands
    from pozytywka_spark.lake import open_lake
    from pozytywka_spark.spark.session_on_demand import session_on_demand

    if args.command == "take-in" and (args.surveys is None) == (args.seen is None):
        raise UsageError("take-in takes --surveys PATH or --seen PATH, one of them")
    lake = open_lake(settings, session_on_demand(settings, NAME, verbose=args.verbose))
    with cli.step(f"feed {args.command}"):
        run = getattr(commands, f"run_{args.command.replace('-', '_')}")
        show, code = run(settings, lake, args)
    show()
    return int(code)


def _at(parser: argparse.ArgumentParser, text: str, *, required: bool = True) -> None:
    parser.add_argument("--at", type=cli.day, required=required, metavar="DAY", help=text)


def _train(parser: argparse.ArgumentParser) -> None:
    _at(parser, "from events before this day's midnight (UTC), the last 28 days of them as what is foretold")


def _rank(parser: argparse.ArgumentParser) -> None:
    _at(parser, "pages as of this day's midnight (UTC)")
    parser.add_argument(
        "--users", choices=["all", "free"], default="all", help="free: who hadn't bought premium by then"
    )


def _evaluate(parser: argparse.ArgumentParser) -> None:
    _at(parser, "the day's feed, by the 28 days after it, which must be over")


def _explain(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--user", required=True, type=int, metavar="ID", help="whose page")
    _at(parser, "of which day")


def _take_in(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--surveys", metavar="FILE", help="user_id, track_id, asked_at, answer from 1 to 5")
    parser.add_argument("--seen", metavar="FILE", help="user_id, track_id, seen_at, position (may be empty)")
    parser.add_argument("--format", choices=["csv", "json", "parquet"], help="if the name doesn't tell")


def _gate(parser: argparse.ArgumentParser) -> None:
    _at(
        parser,
        "on the 28 days after this one; default: the last 28 days before that of the challenger's training",
        required=False,
    )
    parser.add_argument(
        "--rollback", action="store_true", help="give the champion's place back to the one before it"
    )


def _report(parser: argparse.ArgumentParser) -> None:
    _at(parser, "the page of this day's feed; default: the last one", required=False)


COMMANDS: dict[str, tuple[str, Callable[[argparse.ArgumentParser], None]]] = {
    "train": (
        "train heads, light model and weights; the gate decides on the champion; exit 3: the old one stays",
        _train,
    ),
    "rank": ("everybody's page of a day; the same inputs leave it alone", _rank),
    "evaluate": ("how good a day's feed was, beside simpler rankings", _evaluate),
    "explain": ("one user's page stage by stage: what came, what went and why", _explain),
    "take-in": ("take in what people said of tracks, or what they were shown", _take_in),
    "gate": ("weigh the challenger against the champion again; exit 3: the champion stays", _gate),
    "report": ("the page: funnel, weights, rules, coverage, three pages side by side", _report),
}
