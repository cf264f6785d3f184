"""Signals that look past their day's end, each in its own way: for the guard to find."""

from __future__ import annotations

import polars as pl

from pozytywka_spark.fraud.declared import pace
from pozytywka_spark.fraud.declared.declaration import Signal

_NEXT_DAY = Signal(
    name="plays_of_the_next_day",
    meaning="plays of the account's next day",
    unit="events",
    null="null: no later day",
    value=lambda: pl.col("n_plays").shift(-1).over("user_id").cast(pl.Float64),
    arithmetic="n_plays of the account's next day",
    measures=(pace.plays,),
)
_ALL_EVER = Signal(
    name="plays_ever",
    meaning="plays of the account, whenever",
    unit="events",
    null="never null",
    value=lambda: pl.col("n_plays").sum().over("user_id").cast(pl.Float64),
    arithmetic="sum of n_plays over all days",
    measures=(pace.plays,),
)
_STATE = tuple(
    Signal(
        name=name,
        meaning=name,
        unit="1",
        null="never null",
        value=lambda: pl.col("n_plays").cast(pl.Float64),
        arithmetic="n_plays",
        measures=(pace.plays,),
    )
    for name in ("account_age_days", "plays_so_far")
)
NEXT_DAY = (*_STATE, _NEXT_DAY)
ALL_EVER = (*_STATE, _ALL_EVER)
HONEST = _STATE
