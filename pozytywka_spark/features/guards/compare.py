"""Features that were written beside those of another world: what differs in any bit, and where first."""

from __future__ import annotations

from collections.abc import Sequence

import polars as pl

KEYS = ("month", "user_id")
DIFFERENCES = pl.Schema({"feature": pl.String, "month": pl.Date, "user_id": pl.Int64})


def differences(written: pl.DataFrame, again: pl.DataFrame, features: Sequence[str]) -> pl.DataFrame:
    """`DIFFERENCES`: of each feature that differs anywhere the first row (by month and user) where it does.

    Both have `KEYS`, once each, and a Float64 a feature. Null equals null, NaN the same NaN, and zero isn't
    minus zero. A row that only one side has differs in all of them.
    """
    left, right = (_ordered(rows, features) for rows in (written, again))
    alone = pl.concat(
        [
            left.join(right, on=KEYS, how="anti").select(KEYS),
            right.join(left, on=KEYS, how="anti").select(KEYS),
        ]
    )
    if alone.height:  # row beside row, once those that stand alone are put aside
        left = left.join(right, on=KEYS, how="semi", maintain_order="left")
        right = right.join(left, on=KEYS, how="semi", maintain_order="left")
    firsts = [_first(rows, name) for name in features for rows in [_differing(left, right, name), alone]]
    found = pl.concat([rows.cast(DIFFERENCES) for rows in firsts]) if firsts else DIFFERENCES.to_frame()
    return found.sort("month", "user_id").unique("feature", keep="first", maintain_order=True)


def _ordered(rows: pl.DataFrame, features: Sequence[str]) -> pl.DataFrame:
    return rows.select(*KEYS, *features).sort(KEYS)


def _differing(left: pl.DataFrame, right: pl.DataFrame, name: str) -> pl.DataFrame:
    """Keys of the rows that differ in a feature, of two frames with the same keys in the same order."""
    bits = [rows.get_column(name).reinterpret(dtype=pl.UInt64) for rows in (left, right)]
    return left.select(KEYS).filter(bits[0].ne_missing(bits[1]))


def _first(rows: pl.DataFrame, feature: str) -> pl.DataFrame:
    """Of keys in order (or a few in none), the first as `DIFFERENCES`."""
    return rows.sort(KEYS).head(1).select(pl.lit(feature).alias("feature"), *KEYS)
