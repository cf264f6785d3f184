"""The flags of `featurestore dataset`. Loads nothing: a job's help is read without its libraries."""

from __future__ import annotations

import argparse

from pozytywka_spark.errors import UsageError


def add_dataset_flags(parser: argparse.ArgumentParser) -> None:
    """What to take from where, or a manifest that says it."""
    what = parser.add_mutually_exclusive_group(required=True)
    what.add_argument(
        "--view", action="append", default=[], metavar="VIEW", help="all columns of a view; repeatable"
    )
    what.add_argument("--service", metavar="SERVICE", help="the columns that a service reads")
    what.add_argument(
        "--again",
        metavar="MANIFEST",
        help="a data set's manifest or its folder: the same rows of the same table versions, the same bytes",
    )
    parser.add_argument(
        "--spine",
        metavar="FILE",
        help="CSV or Parquet, or a folder of one: key (user_id, track_id, artist_id), as_of, anything else",
    )
    parser.add_argument(
        "--out", required=True, metavar="FOLDER", help="where the data set goes: a new folder"
    )
    parser.add_argument(
        "--allow-snapshot",
        action="store_true",
        help="take today's values of a snapshot view for earlier moments too",
    )


def check_dataset_flags(args: argparse.Namespace) -> None:
    """Raise `UsageError` for flags that don't go together."""
    if args.again is None and args.spine is None:
        raise UsageError("dataset takes --spine FILE, the rows that values are wanted for")
