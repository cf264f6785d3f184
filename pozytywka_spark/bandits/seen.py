"""Buckets of days since a user was last shown an arm: by them the sums are kept, and novelty is measured."""

from __future__ import annotations

from bisect import bisect_right

import polars as pl

NEVER = -1
EDGES = (0, 1, 2, 3, 4, 6, 9, 14, 21, 35)  # days from which on; fine where novelty changes fast


def bucket(days: float | None) -> int:
    """The lower edge of the bucket that holds the days, -1 for never.

    >>> bucket(None), bucket(0.4), bucket(5.9), bucket(400)
    (-1, 0, 4, 35)
    """
    return NEVER if days is None else EDGES[max(bisect_right(EDGES, days) - 1, 0)]


def seen_bucket(days: pl.Expr) -> pl.Expr:
    """`bucket` of each row's days, as a 32-bit whole number; null and NaN are never."""
    expression = pl.lit(EDGES[0])
    for edge in EDGES[1:]:
        expression = pl.when(days >= edge).then(pl.lit(edge)).otherwise(expression)
    never = days.is_null() | days.cast(pl.Float64).is_nan()
    return pl.when(never).then(pl.lit(NEVER)).otherwise(expression).cast(pl.Int32)
