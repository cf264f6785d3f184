"""Foretell plays, users, adverts, revenue and costs with intervals; say what is out of order."""

from __future__ import annotations

import argparse
from collections.abc import Callable, Sequence

from pozytywka_spark import cli
from pozytywka_spark.config import Settings

NAME = cli.job_name(__file__)


def main(argv: Sequence[str] | None = None) -> int:
    """Run a command; 0 done, 1 failed, 2 wrong usage, 4 there are alarms."""
    return cli.run(cli.command_parser(NAME, __doc__ or "", COMMANDS), argv, work)


def work(args: argparse.Namespace, settings: Settings) -> int:
    """One session, one command; a table from elsewhere needs neither lake nor session."""
    from pozytywka_spark.errors import require

    require("forecasting")
    from pozytywka_spark.forecasting import commands

    if args.command == "table":
        with cli.step("forecast table"):
            show, code = commands.run_table(settings, args)
    else:
        from pozytywka_spark.lake import open_lake
        from pozytywka_spark.spark.session_on_demand import session_on_demand

        spark = session_on_demand(settings, NAME, verbose=args.verbose)
        lake = open_lake(settings, spark)
        with cli.step(f"forecast {args.command}"):
            show, code = getattr(commands, f"run_{args.command}")(spark, settings, lake, args)
    show()
    return int(code)


def _positive(text: str) -> int:
    try:
        number = int(text)
    except ValueError:
        number = 0
    if number < 1:
        raise argparse.ArgumentTypeError(f"{text!r}: expected a whole number from 1 on")
    return number


def _run(parser: argparse.ArgumentParser) -> None:
    _origin(parser)
    parser.add_argument(
        "--horizon", type=_positive, metavar="DAYS", help="days ahead; default: forecast.horizon_days"
    )


def _backtest(parser: argparse.ArgumentParser) -> None:
    _origin(parser)
    parser.add_argument(
        "--origins", type=_positive, metavar="N", help="earlier origins; default: forecast.origins"
    )


def _origin(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "--origin",
        type=cli.day,
        metavar="YYYY-MM-DD",
        help="first day that models don't see; default: the day after the last complete one",
    )


def _plan(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "--month", type=cli.month, required=True, metavar="YYYY-MM", help="this month or a later one"
    )


def _table(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--from", dest="path", required=True, metavar="FILE", help="CSV or Parquet")
    for name, text in (
        ("series", "which series a row belongs to"),
        ("time", "when: a day, or a time"),
        ("value", "the number to foretell"),
    ):
        parser.add_argument(f"--{name}", required=True, metavar="COLUMN", help=text)
    parser.add_argument("--freq", required=True, choices=["h", "D", "W", "MS"], help="one step of time")
    parser.add_argument("--season", type=_positive, required=True, metavar="N", help="steps of a season")
    parser.add_argument("--horizon", type=_positive, required=True, metavar="N", help="steps ahead")
    parser.add_argument(
        "--out",
        required=True,
        metavar="FOLDER",
        help="for forecasts and errors, as the file is: CSV or Parquet",
    )
    parser.add_argument(
        "--origin",
        metavar="TIME",
        help="first time that models don't see; default: after each series' last value",
    )


def _nothing(_: argparse.ArgumentParser) -> None:
    pass


COMMANDS: dict[str, tuple[str, Callable[[argparse.ArgumentParser], None]]] = {
    "run": ("bring the series up to date and forecast them all; nothing if that was done before", _run),
    "backtest": ("how far off forecasts of earlier days would have been; no forecast is written", _backtest),
    "check": (
        "compare complete days with what was foretold before them; exit 4 if one is out of order",
        _nothing,
    ),
    "plan": ("adverts, revenue, storage cost and premium users of a month, beside last year's", _plan),
    "table": ("forecast any table: series, time and value; no lake is needed", _table),
    "report": ("the page: forecasts, errors, coverage, alarms, plans", _nothing),
}
