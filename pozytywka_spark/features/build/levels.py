"""A measure's expression over the rows of its level, for every user's month."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

import polars as pl
from polars.exceptions import InvalidOperationError

from pozytywka_spark.errors import DataError
from pozytywka_spark.features.build.overflow import beyond_64_bits, overflow_error
from pozytywka_spark.features.build.user_months import KEYS, UserMonths

if TYPE_CHECKING:
    from pozytywka_spark.features.build.plan import Named


def aggregated(rows: pl.DataFrame, measures: Sequence[Named], where: UserMonths) -> pl.DataFrame:
    """Grain and order: as `where.keys`, a column a measure, 0 where the level has no row of a user's month.

    `rows` has `row` and the level's columns; `user_id`, `month` and `cut_off` are added if a measure reads
    them. Raises `DataError` naming user and month if a measure leaves 64 bits.
    """
    made = [each.made.alias(each.name) for each in measures]
    asked = {name for each in made for name in each.meta.root_names()}
    timed = [name for name in (*KEYS, "cut_off") if name in asked]
    if timed:
        rows = rows.with_columns(where.timed.select(timed)[rows.get_column("row").to_numpy()])
    try:
        summed = rows.group_by("row").agg(made)
    except InvalidOperationError as error:
        raise _explained(rows, measures, where) or error from error
    numbers = pl.DataFrame({"row": pl.int_range(where.keys.height, eager=True)})
    return numbers.join(summed, on="row", how="left", maintain_order="left").drop("row").fill_null(0)


def _explained(rows: pl.DataFrame, measures: Sequence[Named], where: UserMonths) -> DataError | None:
    """Which measure of whom is too large; None if none is, for then the expression itself is wrong."""
    too_large = beyond_64_bits(rows, measures, "row")
    if too_large is None:
        return None
    name, row = too_large
    return overflow_error(name, *where.keys.row(row))
