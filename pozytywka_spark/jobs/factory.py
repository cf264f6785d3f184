"""Build models a group of cases, keep what is proven, decide, promote, stop."""

from __future__ import annotations

import argparse
from collections.abc import Callable, Sequence

from pozytywka_spark import cli
from pozytywka_spark.config import Settings
from pozytywka_spark.errors import UsageError

NAME = cli.job_name(__file__)


def main(argv: Sequence[str] | None = None) -> int:
    """Run a command; 0 done, 1 failed, 2 wrong usage, 3 a side that isn't proven again stays in shadow."""
    return cli.run(cli.command_parser(NAME, __doc__ or "", COMMANDS), argv, work)


def work(args: argparse.Namespace, settings: Settings) -> int:
    """One session, one command."""
    from pozytywka_spark.factory import commands
    from pozytywka_spark.lake import open_lake
    from pozytywka_spark.spark.session_on_demand import session_on_demand

    if args.command == "build" and args.trials and not args.tune:
        raise UsageError("--trials says how long to tune: give --tune too")
    if args.command in ("build", "decide", "promote") and args.score and not args.file:
        raise UsageError("--score names a column of a table: give --from FILE too")
    if args.command == "decide" and (args.file is None) != (args.out is None):
        raise UsageError("decide --from FILE writes to --out FILE: give both or neither")
    lake = open_lake(settings, session_on_demand(settings, NAME, verbose=args.verbose))
    with cli.step(f"factory {args.command}"):
        show, code = getattr(commands, f"run_{args.command}")(settings, lake, args)
    show()
    return int(code)


def _time(parser: argparse.ArgumentParser, flag: str, text: str) -> None:
    parser.add_argument(flag, type=cli.moment, metavar="TIME", help=f"{text}; default: the data's end")


_LABELLED = "a table with case_id, group, user_id, cut_off, verdict; its other columns are features"


def _file(parser: argparse.ArgumentParser, text: str = _LABELLED) -> None:
    parser.add_argument(
        "--from",
        dest="file",
        metavar="FILE",
        help=text,
    )
    parser.add_argument(
        "--score", default="", metavar="COLUMN", help="take this column as the score, train nothing"
    )


def _build(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--group", help="this group only")
    _time(parser, "--at", "with verdicts by then")
    parser.add_argument("--tune", action="store_true", help="search for parameters by cross-validation")
    parser.add_argument("--trials", type=int, default=0, metavar="N", help="so many of them; default 10")
    _file(parser)


def _decide(parser: argparse.ArgumentParser) -> None:
    _time(parser, "--until", "cases opened before")
    _file(parser)
    parser.add_argument("--out", metavar="FILE", help="where the decisions of --from go, in its order")


def _side(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--group", required=True)
    parser.add_argument("--side", required=True, choices=["refuse", "approve"])
    _time(parser, "--at", "from when it holds")


def _promote(parser: argparse.ArgumentParser) -> None:
    _side(parser)
    _file(
        parser, "for a side built of a table: another with verdicts of later cases, its columns the build's"
    )


def _stop(parser: argparse.ArgumentParser) -> None:
    _side(parser)
    parser.add_argument(
        "--source",
        default="lake",
        choices=["lake", "table"],
        help="whose side: built of the lake's cases or of a table; default: lake",
    )


def _report(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--at", type=cli.moment, metavar="TIME", help="with verdicts by then; default: all")


COMMANDS: dict[str, tuple[str, Callable[[argparse.ArgumentParser], None]]] = {
    "build": ("train and test a model a group; keep the sides that are proven, in shadow", _build),
    "decide": ("decide the cases opened since", _decide),
    "promote": ("take a side live if fresh shadow cases prove it again; exit 3 if they don't", _promote),
    "stop": ("stop a side at once", _stop),
    "report": ("the page: bounds, reasons, shadow against people, audits", _report),
}
