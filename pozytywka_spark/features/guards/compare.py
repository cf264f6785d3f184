"""Features that were written beside those of another world: what differs in any bit, and where first."""

from __future__ import annotations

import math
from collections.abc import Sequence

import polars as pl

KEYS = ("month", "user_id")
DIFFERENCES = pl.Schema({"feature": pl.String, "month": pl.Date, "user_id": pl.Int64})


def differences(written: pl.DataFrame, again: pl.DataFrame, features: Sequence[str]) -> pl.DataFrame:
    """`DIFFERENCES`: of each feature that differs anywhere the first row (by month and user) where it does.

    Both have `KEYS`, once each, in any order, and a Float64 a feature. Null equals null, NaN equals NaN, zero
    isn't minus zero. A row that only one side has differs in all of them.
    """
    left, right = (rows.select(KEYS).with_row_index("place") for rows in (written, again))
    both = left.join(right, on=KEYS).sort(KEYS)
    sides = ((left, right), (right, left))
    alone = [one.join(other, on=KEYS, how="anti").select(KEYS) for one, other in sides]
    first_alone = pl.concat(alone).sort(KEYS).head(1)
    found = [DIFFERENCES.to_frame()]
    for name in features:
        bits = [
            rows.get_column(name)
            .gather(both.get_column(place))
            .fill_nan(math.nan)
            .reinterpret(dtype=pl.UInt64)
            for rows, place in ((written, "place"), (again, "place_right"))
        ]
        first = both.select(KEYS).filter(bits[0].ne_missing(bits[1])).head(1)
        earliest = pl.concat([first, first_alone]).sort(KEYS).head(1)
        found.append(earliest.select(pl.lit(name).alias("feature"), *KEYS).cast(DIFFERENCES))
    return pl.concat(found)
