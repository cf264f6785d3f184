"""Entries of somebody's own, as `features.extra` takes them."""

from __future__ import annotations

import polars as pl

from pozytywka_spark.features.declared.arithmetic import count_if
from pozytywka_spark.features.declared.declaration import Feature
from pozytywka_spark.features.declared.event_codes import is_play
from pozytywka_spark.features.declared.listening import plays
from pozytywka_spark.features.declared.values import Measure
from pozytywka_spark.features.times import time_of_day
from pozytywka_spark.months import HOUR_MICROS

early_plays = Measure(
    name="early_plays",
    aggregate=lambda: count_if(is_play() & (time_of_day(pl.col("at")) < 9 * HOUR_MICROS)),
    arithmetic="count of PLAY before 09:00 UTC",
)
FEATURES = (
    Feature(
        name="early_plays",
        meaning="plays before 09:00 UTC",
        unit="events",
        kind="count",
        null="never null",
        value=early_plays,
    ),
    Feature(
        name="early_share_last_3_months",
        meaning="share of plays before 09:00 UTC in the last 3 months",
        unit="0..1",
        kind="share",
        null="null: no plays in 3 months",
        value=early_plays.over(3) / plays.over(3),
    ),
)
