"""The month's base table: every measure of the catalogue per user and month."""

from __future__ import annotations

from collections.abc import Sequence

from pyspark.sql import Column, DataFrame
from pyspark.sql import functions as F

from pozytywka_spark.features.entry import Feature, Level, Measure

KEYS = ("user_id", "month")


def as_user_month(attributed: DataFrame, measures: Sequence[Measure]) -> DataFrame:
    """Grain: user and month. `attributed` are events with their attributes; a bigint per measure."""
    events = attributed.groupBy(*KEYS).agg(*_aggregates(measures, "event"))
    artists = (
        attributed.where(F.col("artist_id").isNotNull())
        .groupBy(*KEYS, "artist_id")
        .count()
        .groupBy(*KEYS)
        .agg(*_aggregates(measures, "artist"))
    )
    joined = events.join(artists, list(KEYS), "left")
    zero = F.lit(0).cast("bigint")
    return joined.select(
        *KEYS,
        *(
            F.coalesce(measure.name, zero).alias(measure.name) if measure.level == "artist" else measure.name
            for measure in measures
        ),
    )


def as_features(user_month: DataFrame, features: Sequence[Feature]) -> DataFrame:
    """Grain: user and month. A double per feature, computed from the user's rows up to the month."""
    return user_month.select(
        *KEYS, *(feature.expression().cast("double").alias(feature.name) for feature in features)
    )


def _aggregates(measures: Sequence[Measure], level: Level) -> list[Column]:
    return [
        measure.aggregate().cast("bigint").alias(measure.name)
        for measure in measures
        if measure.level == level
    ]
