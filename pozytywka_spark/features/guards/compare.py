"""Features that were written beside those of another world: what differs in any bit, and where first."""

from __future__ import annotations

import math
from collections.abc import Sequence
from datetime import date
from typing import NamedTuple

import polars as pl

KEYS = ("month", "user_id")
_AGAIN = " again"  # no feature's name has a space


class Difference(NamedTuple):
    """A feature, and the first row (by month and user) in which it differs."""

    feature: str
    month: date
    user_id: int


def differences(written: pl.DataFrame, again: pl.DataFrame, features: Sequence[str]) -> list[Difference]:
    """The features that differ anywhere, in the order given.

    Both frames have `KEYS`, once each, in any order, and a Float64 a feature. Null equals null, NaN equals
    NaN, zero isn't minus zero. A row that only one side has differs in all of them.
    """
    left, right = (rows.select(KEYS).with_row_index("place") for rows in (written, again))
    both = left.join(right, on=KEYS, suffix=_AGAIN).sort(KEYS)
    sides = ((left, right), (right, left))
    alone = pl.concat(one.join(other, on=KEYS, how="anti").select(KEYS) for one, other in sides)
    pairs = pl.concat(
        [
            _in_order(written.select(features), both.get_column("place")),
            _in_order(again.select(pl.col(features).name.suffix(_AGAIN)), both.get_column(f"place{_AGAIN}")),
        ],
        how="horizontal",
    )
    places = pairs.select(
        _bits(name).ne_missing(_bits(name + _AGAIN)).arg_true().first() for name in features
    )
    first_alone = alone.sort(KEYS).head(1).rows()
    differing = []
    for name in features:
        place = places.item(0, name)
        rows = first_alone if place is None else [*both.select(KEYS)[int(place)].rows(), *first_alone]
        differing += [Difference(name, month, user) for month, user in sorted(rows)[:1]]
    return differing


def _in_order(rows: pl.DataFrame, places: pl.Series) -> pl.DataFrame:
    """The rows at these places; where that is all of them as they are, none is moved."""
    as_they_are = len(places) == rows.height and bool((places == pl.Series(range(rows.height))).all())
    return rows if as_they_are else rows.select(pl.all().gather(places))


def _bits(name: str) -> pl.Expr:
    return pl.col(name).fill_nan(math.nan).reinterpret(dtype=pl.UInt64)
