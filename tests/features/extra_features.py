"""Entries of somebody's own, as `features.extra` takes them."""

from __future__ import annotations

import polars as pl

from pozytywka_spark.features.declared.analysts import PLAYS
from pozytywka_spark.features.declared.arithmetic import count_if, ratio, real
from pozytywka_spark.features.declared.declaration import Feature, Measure
from pozytywka_spark.features.declared.event_codes import is_play
from pozytywka_spark.features.times import time_of_day
from pozytywka_spark.months import HOUR_MICROS

EARLY_PLAYS = Measure(
    "early_plays",
    lambda: count_if(is_play() & (time_of_day(pl.col("at")) < 9 * HOUR_MICROS)),
    arithmetic="count of PLAY before 09:00 UTC",
)
FEATURES = (
    Feature(
        "early_plays", "plays before 09:00 UTC", "events", "count", "never null", "events", (EARLY_PLAYS,),
        lambda: real(EARLY_PLAYS.column()), arithmetic="early_plays",
    ),
    Feature(
        "early_share_last_3_months", "share of plays before 09:00 UTC in the last 3 months", "0..1", "share",
        "null: no plays in 3 months", "events", (EARLY_PLAYS, PLAYS),
        lambda: ratio(EARLY_PLAYS.over(3), PLAYS.over(3)), months=3,
        arithmetic="early_plays_over_3 / plays_over_3",
    ),
)  # fmt: skip
