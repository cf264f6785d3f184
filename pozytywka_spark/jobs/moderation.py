"""Hand cases to people, take in what they say, block who goes on cheating, hear appeals."""

from __future__ import annotations

import argparse
from collections.abc import Callable, Sequence

from pozytywka_spark import cli
from pozytywka_spark.config import Settings

NAME = cli.job_name(__file__)


def main(argv: Sequence[str] | None = None) -> int:
    """Run a command; 0 done, 1 failed, 2 wrong usage."""
    return cli.run(cli.command_parser(NAME, __doc__ or "", COMMANDS), argv, work)


def work(args: argparse.Namespace, settings: Settings) -> None:
    """One session, one command."""
    from pozytywka_spark.lake import open_lake
    from pozytywka_spark.moderation import commands
    from pozytywka_spark.spark.session_on_demand import session_on_demand

    spark = session_on_demand(settings, NAME, verbose=args.verbose)
    lake = open_lake(settings, spark)
    with cli.step(f"moderation {args.command}"):
        show = getattr(commands, f"run_{args.command}")(settings, lake, args)
    show()


def _time(parser: argparse.ArgumentParser, flag: str, text: str) -> None:
    parser.add_argument(flag, type=cli.moment, metavar="TIME", help=text)


def _out(parser: argparse.ArgumentParser, text: str) -> None:
    parser.add_argument("--out", required=True, metavar="FILE", help=text)


def _file(parser: argparse.ArgumentParser, columns: str) -> None:
    parser.add_argument(
        "--from",
        required=True,
        dest="file",
        metavar="FILE",
        help=f"CSV, JSON Lines or Parquet with {columns}",
    )
    parser.add_argument("--format", choices=["csv", "json", "parquet"], help="if the name doesn't tell")


def _queue(parser: argparse.ArgumentParser) -> None:
    _out(parser, "JSON Lines, a case a line, most harm first")
    _time(parser, "--at", "only cases opened by then; default: all")
    parser.add_argument("--reviewer", metavar="NAME", help="leave out what they have answered")


def _verdicts(parser: argparse.ArgumentParser) -> None:
    _file(parser, "case_id, reviewer (chargeback for one), verdict (bad, ok, unsure), decided_at")
    parser.add_argument(
        "--chargebacks",
        action="store_true",
        help="FILE has chargebacks instead: user_id, bought_at, charged_back_at; "
        "each says bad of the account's cases of the day of the purchase",
    )


def _run(parser: argparse.ArgumentParser) -> None:
    _time(parser, "--until", "release what is due up to then; default: the data's end")


def _appeals(parser: argparse.ArgumentParser) -> None:
    _file(
        parser, "user_id, case_id, appealed_at, reviewer, verdict (upheld, rejected or none yet), decided_at"
    )


def _status(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--user", required=True, type=int, metavar="ID", help="whose")
    _time(parser, "--at", "what held then, from what was recorded by then; default: the data's end")


def _export(parser: argparse.ArgumentParser) -> None:
    _out(parser, "JSON Lines: user_id, blocked_until, message")
    _time(parser, "--at", "who is blocked then; default: the data's end")


def _report(parser: argparse.ArgumentParser) -> None:
    _time(parser, "--at", "as of then; default: the data's end")


COMMANDS: dict[str, tuple[str, Callable[[argparse.ArgumentParser], None]]] = {
    "queue": ("write the cases that people are to judge, blind", _queue),
    "verdicts": ("take in what people, and chargebacks, say of cases", _verdicts),
    "run": ("release what is due: fouls, blocks, discounted plays", _run),
    "appeals": ("take in appeals and what another person said of them", _appeals),
    "status": ("what held of an account at a time, and why", _status),
    "export": ("who is blocked until when, with a message for them", _export),
    "report": ("the page: queue, verdicts, fouls, blocks, appeals, precision", _report),
}
