"""Adverts met: per play, per hour of listening, in a row, shortly before the cut-off."""

from __future__ import annotations

import polars as pl

from pozytywka_spark.features.declared.arithmetic import count_if
from pozytywka_spark.features.declared.declaration import NEVER, NO_PLAYS, Feature
from pozytywka_spark.features.declared.event_codes import is_kind
from pozytywka_spark.features.declared.listening import listened, plays
from pozytywka_spark.features.declared.values import Measure
from pozytywka_spark.months import DAY_MICROS, HOUR_MICROS
from pozytywka_spark.names import ADVERTISEMENT

adverts = Measure(
    name="ads",
    aggregate=lambda: count_if(is_kind(ADVERTISEMENT)),
    arithmetic="count of ADVERTISEMENT",
)
longest_run = Measure(
    name="longest_ad_run",
    aggregate=lambda: pl.col("advert_run").max(),
    level="gap",
    arithmetic="most ADVERTISEMENT in a row of a session, PLAY or SKIP between them end a run",
)
late_adverts = Measure(
    name="ads_last_7_days",
    aggregate=lambda: count_if(is_kind(ADVERTISEMENT) & (pl.col("at") >= pl.col("cut_off") - 7 * DAY_MICROS)),
    arithmetic="count of ADVERTISEMENT in [cut-off - 7 days, cut-off)",
)

FEATURES: tuple[Feature, ...] = (
    Feature(
        name="number_of_advertisements",
        meaning="adverts heard",
        unit="events",
        kind="count",
        null=NEVER,
        value=adverts,
        actionable=True,
    ),
    Feature(
        name="advertisements_per_play",
        meaning="adverts per play",
        unit="1",
        kind="ratio",
        null=NO_PLAYS,
        value=adverts / plays,
        actionable=True,
    ),
    Feature(
        name="advertisements_per_hour_listened",
        meaning="adverts per hour really listened",
        unit="1/h",
        kind="ratio",
        null="null: nothing listened to",
        value=adverts * float(HOUR_MICROS) / listened,
        actionable=True,
    ),
    Feature(
        name="longest_advertisement_run",
        meaning="most adverts in a row within a session, no play or skip between them",
        unit="events",
        kind="count",
        null=NEVER,
        value=longest_run,
        actionable=True,
    ),
    Feature(
        name="advertisements_last_7_days",
        meaning="adverts heard in [cut-off - 7 days, cut-off)",
        unit="events",
        kind="count",
        null=NEVER,
        value=late_adverts,
        actionable=True,
    ),
)
