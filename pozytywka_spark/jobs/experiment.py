"""Assign users for life, plan, read what difference it made, estimate who was persuaded."""

from __future__ import annotations

import argparse
import re
from collections.abc import Callable, Sequence
from datetime import date

from pozytywka_spark import cli
from pozytywka_spark.config import Settings

NAME = cli.job_name(__file__)


def main(argv: Sequence[str] | None = None) -> int:
    """Run a command; 0 done, 1 failed (a sample ratio mismatch among it), 2 wrong usage."""
    return cli.run(cli.command_parser(NAME, __doc__ or "", COMMANDS), argv, work)


def work(args: argparse.Namespace, settings: Settings) -> None:
    """One session, one command."""
    settings = _with_population(settings, getattr(args, "population", None))
    from pozytywka_spark.experiments import commands
    from pozytywka_spark.lake import open_lake
    from pozytywka_spark.spark.session_on_demand import session_on_demand

    spark = session_on_demand(settings, NAME, verbose=args.verbose)
    lake = open_lake(settings, spark)
    with cli.step(f"experiment {args.command}"):
        show = getattr(commands, f"run_{args.command}")(spark, settings, lake, args)
    show()


def _with_population(settings: Settings, population: str | None) -> Settings:
    if population is None:
        return settings
    chosen = settings.experiments.model_copy(update={"population": population})
    return settings.model_copy(update={"experiments": chosen})


def _name(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--name", required=True, help="the experiment's name")


def _at(parser: argparse.ArgumentParser, text: str = "cut-off, the first of a month") -> None:
    parser.add_argument(
        "--at",
        type=cut_off,
        metavar="YYYY-MM",
        help=f"{text}; default: the end of the last month that is over",
    )


def _shares(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--share", type=float, metavar="PERCENT", help="of the one treatment, 'treatment'")
    parser.add_argument(
        "--group", action="append", default=[], metavar="NAME=PERCENT", help="a treatment; repeatable"
    )


def _population(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "--population",
        choices=["active", "all", "scored", "selected"],
        help="who may enter: users of the month before (the default), all, scored, or selected by the policy",
    )


def _assign(parser: argparse.ArgumentParser) -> None:
    _name(parser)
    _shares(parser)
    _at(parser)
    _population(parser)
    parser.add_argument("--layer", default="", help="experiments of one layer never share a user")
    parser.add_argument(
        "--traffic", type=float, default=100.0, metavar="PERCENT", help="of the layer's users"
    )


def _grow(parser: argparse.ArgumentParser) -> None:
    _name(parser)
    _shares(parser)
    _at(parser)
    parser.add_argument(
        "--move-control", action="store_true", help="move control users too, not only newcomers"
    )


def _end(parser: argparse.ArgumentParser) -> None:
    _name(parser)
    _at(parser, "cut-off before which purchases count")


def _import(parser: argparse.ArgumentParser) -> None:
    _name(parser)
    _shares(parser)
    _at(parser)
    _file(parser)
    parser.add_argument("--group-column", default="group")
    parser.add_argument(
        "--rename", action="append", default=[], metavar="OLD=NEW", help="a group's name in the file and here"
    )


def _expose(parser: argparse.ArgumentParser) -> None:
    _name(parser)
    _file(parser)
    parser.add_argument("--time-column", default="exposed_at")


def _file(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "--from", required=True, dest="file", metavar="PATH", help="CSV, JSON Lines or Parquet"
    )
    parser.add_argument("--format", choices=["csv", "json", "parquet"], help="if the name doesn't tell")
    parser.add_argument("--user-column", default="user_id")


def _plan(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--share", type=float, default=50.0, metavar="PERCENT", help="treated; default 50")
    parser.add_argument(
        "--baseline", type=float, help="share of control that will buy; default: as in the past"
    )
    parser.add_argument("--lift", type=float, metavar="PERCENT", help="tell the users that such a lift needs")
    _at(parser)
    _population(parser)


def _uplift(parser: argparse.ArgumentParser) -> None:
    _name(parser)
    parser.add_argument("--treatment", help="which, if there are several; default: the first")


def _nothing(_: argparse.ArgumentParser) -> None:
    pass


COMMANDS: dict[str, tuple[str, Callable[[argparse.ArgumentParser], None]]] = {
    "assign": ("start an experiment, or enrol newcomers into a running one", _assign),
    "grow": ("raise a treatment's share", _grow),
    "end": ("end an experiment and free its slot", _end),
    "import": ("take over groups that were assigned elsewhere", _import),
    "expose": ("take in who met the treatment, and when", _expose),
    "list": ("list all experiments", _nothing),
    "plan": ("the smallest effect that the users at hand can show", _plan),
    "report": ("what difference it made: table, page, MLflow run", _name),
    "uplift": ("who was persuaded: Qini curve against targeting by score", _uplift),
}


def cut_off(text: str) -> date:
    """`2023-05` or `2023-05-01` as the first of May: months are the windows of everything here."""
    if not re.fullmatch(r"\d{4}-\d{2}(-01)?", text):
        raise argparse.ArgumentTypeError(f"{text!r}: expected the first of a month, such as 2023-05")
    try:
        return date.fromisoformat(f"{text[:7]}-01")
    except ValueError:
        raise argparse.ArgumentTypeError(f"{text!r}: expected a month such as 2023-05") from None
