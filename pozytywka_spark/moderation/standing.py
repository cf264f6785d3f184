"""What held at a time, from what was recorded by then: fouls and blocks as their latest rows say."""

from __future__ import annotations

import polars as pl

_KEYS = ["user_id", "case_id"]


def latest(rows: pl.DataFrame, at: int) -> pl.DataFrame:
    """Of each account and case the row (of `fouls` or `blocks`) recorded last up to and with `at`."""
    known = rows.filter(pl.col("recorded_at") <= at)
    return known.sort("recorded_at").unique(_KEYS, keep="last").sort("user_id", "recorded_at", "case_id")


def blocked(blocks: pl.DataFrame, at: int, settled: int) -> pl.DataFrame:
    """Grain account that is blocked at `at`: `user_id`, `blocked_until`, the end of its longest block.

    `blocks`: rows of the table, times in microseconds. A block holds from its start to before its end.
    Rows recorded beyond `settled`, the last finished run, are of one that broke off.
    """
    held = latest(blocks, min(at, settled)).filter((pl.col("starts_at") <= at) & (at < pl.col("ends_at")))
    return held.group_by("user_id").agg(blocked_until=pl.col("ends_at").max()).sort("user_id")
