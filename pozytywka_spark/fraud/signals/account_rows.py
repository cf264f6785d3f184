"""Account-days beside their account's past: measures of it, and the signals made of all."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date

import numpy as np
import numpy.typing as npt
import polars as pl

from pozytywka_spark.fraud.declared.declaration import PAST_DAYS, Measure, Signal, measures_of

# What is known of accounts before the days at hand: `first_day` with an event, plays before
STATE = {"user_id": pl.Int64(), "first_day": pl.Date(), "plays_before": pl.Int64()}
PLAYS = "n_plays"
_REACH = 100_000  # days: more than lie between any two


def signal_rows(
    days: pl.DataFrame, state: pl.DataFrame | None, signals: Sequence[Signal], since: date
) -> pl.DataFrame:
    """Grain: account-day from `since` on. `user_id`, `day` and the signals, doubles; by account and day.

    `days`: whole accounts' rows of `measure_days`, of `since` and later and of the 28 days before (more are
    no harm where `state` doesn't count them); `state`: `STATE` as of the first of `days`, None if all days
    are there.
    """
    measures = measures_of(signals)
    rows = days.sort("user_id", "day")
    account = rows.get_column("user_id").rle_id().cast(pl.Int64).to_numpy()
    day = rows.get_column("day").cast(pl.Int32).cast(pl.Int64).to_numpy()
    with_past = rows.with_columns(
        *_ever(rows, account, state),
        *(_of_past(rows, each, account, day) for each in measures if each.level == "past"),
    )
    made = with_past.filter(pl.col("day") >= since)
    return made.select(
        "user_id", "day", *(signal.value().cast(pl.Float64).alias(signal.name) for signal in signals)
    )


def state_after(rows: pl.DataFrame) -> pl.DataFrame:
    """`STATE` of accounts from earlier rows of signals: user_id, day, account_age_days, plays_so_far."""
    last = rows.group_by("user_id").agg(
        pl.col("account_age_days", "day").sort_by("day").last(), pl.col("plays_so_far").max()
    )
    age = pl.duration(days=pl.col("account_age_days").cast(pl.Int64))
    return last.select(
        "user_id",
        (pl.col("day") - age).cast(pl.Date).alias("first_day"),
        pl.col("plays_so_far").cast(pl.Int64).alias("plays_before"),
    )


def _ever(rows: pl.DataFrame, account: npt.NDArray[np.int64], state: pl.DataFrame | None) -> list[pl.Series]:
    """`first_day` and `plays_before` of each row."""
    plays = rows.get_column(PLAYS).to_numpy()
    before = np.cumsum(plays) - plays
    starts = np.searchsorted(account, account)
    before = before - before[starts] if len(before) else before
    first = rows.get_column("day").gather(starts)
    if state is not None and state.height:
        known = rows.select("user_id").join(state, on="user_id", how="left", maintain_order="left")
        first = known.get_column("first_day").fill_null(first)
        before = before + known.get_column("plays_before").fill_null(0).to_numpy()
    return [first.alias("first_day"), pl.Series("plays_before", before, pl.Int64)]


def _of_past(
    rows: pl.DataFrame, measure: Measure, account: npt.NDArray[np.int64], day: npt.NDArray[np.int64]
) -> pl.Series:
    """The sum over the account's rows of `[day - 28 days, day)`."""
    values = rows.select(pl.repeat(0, pl.len(), dtype=pl.Int64) + measure.value()).to_series().to_numpy()
    so_far = np.concatenate([[0], np.cumsum(values)])
    key = account * _REACH + day
    begin, end = np.searchsorted(key, key - PAST_DAYS), np.searchsorted(key, key)
    return pl.Series(measure.name, so_far[end] - so_far[np.minimum(begin, end)], pl.Int64)
