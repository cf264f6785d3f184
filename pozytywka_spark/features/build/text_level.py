"""What users wrote in the months up to a cut-off: the level `text`."""

from __future__ import annotations

import numpy as np
import polars as pl

from pozytywka_spark.features.build.user_months import GONE, UserMonths, month_numbers
from pozytywka_spark.features.declared.texts import MOST_MONTHS

LEVEL_ROWS = pl.Schema(
    {
        "row": pl.Int64,
        "at": pl.Int64,
        "months_ago": pl.Int64,
        "sentiment": pl.Int64,
        "price": pl.Int64,
        "adverts": pl.Int64,
    }
)


def text_level(texts: pl.DataFrame | None, where: UserMonths) -> pl.DataFrame:
    """Grain: user, month and text of the `MOST_MONTHS` months up to its end, that one included.

    A text counts in the month that it was written in and those after it, whether or not its user had an event
    in the first; in none before. `texts` as `parcels.TEXT_ROWS`, of any users and months.
    """
    if texts is None:
        return LEVEL_ROWS.to_frame()
    users = where.place_users(texts.get_column("user_id"))
    days = texts.select(pl.from_epoch("at", "us").dt.date()).to_series()
    months = month_numbers(days)
    seen = []
    for ago in range(MOST_MONTHS):
        rows = where.find_rows(users, months + ago)
        there = np.flatnonzero(rows != GONE)
        mine = texts[there].with_columns(row=pl.Series(rows[there]), months_ago=pl.lit(ago, pl.Int64))
        seen.append(mine.select(LEVEL_ROWS.names()).cast(LEVEL_ROWS))
    return pl.concat(seen)
