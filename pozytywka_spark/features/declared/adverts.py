"""Adverts met: per play, per hour of listening, in a row, shortly before the cut-off."""

from __future__ import annotations

import polars as pl

from pozytywka_spark.features.declared.analysts import ADS, PLAYS
from pozytywka_spark.features.declared.arithmetic import count_if, ratio
from pozytywka_spark.features.declared.declaration import Feature, Measure
from pozytywka_spark.features.declared.declare import feature, measure_itself, ratio_of
from pozytywka_spark.features.declared.event_codes import is_kind
from pozytywka_spark.features.declared.listening import LISTENED
from pozytywka_spark.months import DAY_MICROS, HOUR_MICROS
from pozytywka_spark.names import ADVERTISEMENT

AD_RUN = Measure(
    "longest_ad_run",
    lambda: pl.col("advert_run").max(),
    level="gap",
    arithmetic="most ADVERTISEMENT in a row of a session, PLAY or SKIP between them end a run",
)
LATE_ADS = Measure(
    "ads_last_7_days",
    lambda: count_if(is_kind(ADVERTISEMENT) & (pl.col("at") >= pl.col("cut_off") - 7 * DAY_MICROS)),
    arithmetic="count of ADVERTISEMENT in [cut-off - 7 days, cut-off)",
)

ADVERTS: tuple[Feature, ...] = (
    ratio_of("advertisements_per_play", "adverts per play", "1", "ratio", "null: no plays", ADS, PLAYS,
             actionable=True),
    feature("advertisements_per_hour_listened", "adverts per hour really listened", "1/h", "ratio",
            "null: nothing listened to", (ADS, LISTENED),
            lambda: ratio(ADS.column() * float(HOUR_MICROS), LISTENED.column()), actionable=True,
            arithmetic="ads * 3600000000 / listened_us"),
    measure_itself("longest_advertisement_run",
                   "most adverts in a row within a session, no play or skip between them", AD_RUN,
                   actionable=True),
    measure_itself("advertisements_last_7_days", "adverts heard in [cut-off - 7 days, cut-off)", LATE_ADS,
                   actionable=True),
)  # fmt: skip
