"""Compact tables, delete old texts and the old files that no model needs; re-bucket or upgrade events."""

from __future__ import annotations

import argparse
from collections.abc import Sequence
from typing import TYPE_CHECKING

from pozytywka_spark import cli
from pozytywka_spark.config import Settings
from pozytywka_spark.errors import UsageError

if TYPE_CHECKING:
    from pozytywka_spark.lake import Lake

NAME = cli.job_name(__file__)


def main(argv: Sequence[str] | None = None) -> int:
    """Maintain; 0 when every table is tidy. lake.retention_hours says what is old."""
    parser = cli.job_parser(NAME, __doc__ or "")
    parser.add_argument("--no-compact", action="store_true", help="only delete old files")
    layout = parser.add_mutually_exclusive_group()
    layout.add_argument(
        "--buckets",
        type=int,
        metavar="N",
        help="only lay events out in N buckets of users within each month, 1 while months are small",
    )
    layout.add_argument(
        "--upgrade", action="store_true", help="only bring a lake of the last release up to date, in place"
    )
    return cli.run(parser, argv, work)


def work(args: argparse.Namespace, settings: Settings) -> None:
    """Upgrade, re-bucket, or compact and delete; tell."""
    from pozytywka_spark.lake import open_any_lake, open_lake
    from pozytywka_spark.lake.layout import MAX_BUCKETS

    if args.buckets is not None and not 1 <= args.buckets <= MAX_BUCKETS:
        raise UsageError(f"--buckets {args.buckets}: expected 1 to {MAX_BUCKETS}")
    from pozytywka_spark.ingest.masking.retention import tidy_texts
    from pozytywka_spark.ingest.relayout import advice
    from pozytywka_spark.spark.session_on_demand import session_on_demand
    from pozytywka_spark.tracking.retention import as_rows, maintain

    spark = session_on_demand(settings, NAME, verbose=args.verbose)
    if args.upgrade:
        _upgrade(settings, open_any_lake(settings, spark))
        return
    lake = open_lake(settings, spark)
    if args.buckets is not None:
        _rebucket(settings, lake, args.buckets)
        return
    with cli.step("maintain"):
        tidy_texts(settings, lake)
        versions = maintain(settings, lake, compact=not args.no_compact)
    cli.show_table(f"tables in {settings.lake.root}", as_rows(versions))
    hint = advice(settings, lake)
    if hint is not None:
        cli.say(f"note: {hint}")


def _upgrade(settings: Settings, lake: Lake) -> None:
    from pozytywka_spark.ingest.relayout import upgrade

    with cli.step("upgrade"):
        done = upgrade(settings, lake)
    for line in done:
        cli.say(f"  {line}")
    cli.say("the lake is up to date" if done else "nothing to do: the lake has this release's layout")


def _rebucket(settings: Settings, lake: Lake, buckets: int) -> None:
    from pozytywka_spark.ingest.relayout import rebucket

    with cli.step(f"events in buckets of users: {buckets}"):
        done = rebucket(settings, lake, buckets)
    if done.before == done.after:
        cli.say(f"nothing to do: buckets of users before and after: {done.after}")
    else:
        cli.say(f"{done.rows:,} events, buckets of users: {done.before} before, {done.after} now")
