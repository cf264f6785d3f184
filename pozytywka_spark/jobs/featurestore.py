"""Serve features: one value now, traceable; a training set as of any moment; the store between them."""

from __future__ import annotations

import argparse
import json
from collections.abc import Callable, Sequence

from pozytywka_spark import cli
from pozytywka_spark.config import Settings
from pozytywka_spark.featurestore.dataset_flags import add_dataset_flags

NAME = cli.job_name(__file__)


def main(argv: Sequence[str] | None = None) -> int:
    """Run a command; 0 done, 1 failed, 2 wrong usage, 4 online isn't offline, or older than promised."""
    return cli.run(cli.command_parser(NAME, __doc__ or "", COMMANDS), argv, work)


def work(args: argparse.Namespace, settings: Settings) -> int:
    """One session, one command; with `--json` the last line is one of JSON."""
    from pozytywka_spark.featurestore import commands
    from pozytywka_spark.lake import open_lake
    from pozytywka_spark.spark.session_on_demand import session_on_demand

    run = getattr(commands, f"run_{args.command}")
    if args.command == "serve":  # whoever only reads the store needs neither Spark nor the lake
        outcome = run(settings, args)
    else:
        lake = open_lake(settings, session_on_demand(settings, NAME, verbose=args.verbose))
        with cli.step(f"featurestore {args.command}"):
            outcome = run(settings, lake, args)
    outcome.show()
    if args.json:
        cli.say(json.dumps(outcome.plain))
    return int(outcome.code)


def _json(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--json", action="store_true", help="end with one line of JSON")


def _views(parser: argparse.ArgumentParser, text: str) -> None:
    parser.add_argument("--view", action="append", default=[], metavar="NAME", help=f"{text}; repeatable")


def _list(parser: argparse.ArgumentParser) -> None:
    _json(parser)


def _materialize(parser: argparse.ArgumentParser) -> None:
    _views(parser, "only this view")
    parser.add_argument("--full", action="store_true", help="all keys, not only those that changed")
    _json(parser)


def _sweep(parser: argparse.ArgumentParser) -> None:
    _views(parser, "only this view")
    _json(parser)


def _dataset(parser: argparse.ArgumentParser) -> None:
    add_dataset_flags(parser)
    _json(parser)


def _verify(parser: argparse.ArgumentParser) -> None:
    _views(parser, "only this view")
    parser.add_argument("--sample", type=_count, metavar="N", help="about so many keys of each view")
    parser.add_argument(
        "--served",
        action="store_true",
        help="take in the logged answers and work them out again",
    )
    _json(parser)


def _status(parser: argparse.ArgumentParser) -> None:
    _views(parser, "only this view")
    _json(parser)


def _lineage(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--view", required=True, metavar="NAME", help="the view")
    parser.add_argument("--key", required=True, metavar="KEY", help="user, track or artist")
    parser.add_argument("--feature", required=True, metavar="NAME", help="the view's column")
    _json(parser)


def _serve(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--port", type=int, required=True, metavar="N", help="0: a free one, which is told")
    parser.add_argument(
        "--host",
        default="127.0.0.1",
        metavar="HOST",
        help="where to listen; default: this machine only",
    )
    _json(parser)


def _report(parser: argparse.ArgumentParser) -> None:
    _json(parser)


def _count(text: str) -> int:
    if not text.isdecimal() or int(text) == 0:
        raise argparse.ArgumentTypeError(f"{text!r}: expected a whole number from 1")
    return int(text)


COMMANDS: dict[str, tuple[str, Callable[[argparse.ArgumentParser], None]]] = {
    "views": ("views and services: who reads them, how fresh, how large", _list),
    "dataset": ("a training set: for each row of a spine the values that were known at its moment", _dataset),
    "materialize": ("write into the online store what changed in the lake", _materialize),
    "sweep": ("remove from the online store what has expired", _sweep),
    "serve": ("answer over HTTP: features and scores by key", _serve),
    "verify": ("hold the online store against the lake, bit for bit; exit 4 if they differ", _verify),
    "lineage": ("where a stored value comes from", _lineage),
    "report": ("the page: views, services, models that read them, lineage, freshness", _report),
    "status": ("how far the store is behind the lake; exit 4 if further than promised", _status),
}
