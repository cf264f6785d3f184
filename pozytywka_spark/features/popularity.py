"""Popularity as it was: plays of a track by anyone in the months before, never the delivered snapshot."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date

from pyspark.sql import Column, DataFrame
from pyspark.sql import functions as F

from pozytywka_spark.features.columns import total
from pozytywka_spark.features.months import month_number, number_of
from pozytywka_spark.schemas import PLAY


def track_plays(events: DataFrame) -> DataFrame:
    """Grain: track and month. Plays by anyone, premium users too."""
    played = (F.col("event_type") == PLAY) & F.col("track_id").isNotNull()
    plays = events.where(played).select("track_id", F.col("event_month").alias("month"))
    counted = plays.groupBy("track_id", "month").agg(F.count(F.lit(1)).alias("plays"))
    return counted.select("track_id", "plays", "month")


def prior_plays(plays: DataFrame, months: Sequence[date]) -> DataFrame:
    """Grain: track. `prior_plays`: an array of the track's plays before each of `months`, in their order.

    An array rides along with the track's other attributes, where a row per track and month would cost
    each play a second join.
    """
    before = [total(F.when(F.col("month") < F.lit(month), F.col("plays"))) for month in months]
    return plays.groupBy("track_id").agg(F.array(*before).alias("prior_plays"))


def prior_plays_at(month: Column, months: Sequence[date]) -> Column:
    """The element of `prior_plays` that belongs to `month`; 0 for a track that nobody had played."""
    numbers = [number_of(each) for each in months]
    if numbers == list(range(numbers[0], numbers[0] + len(numbers))):
        place = month_number(month) - numbers[0]
    else:
        place = F.array_position(F.array(*(F.lit(number) for number in numbers)), month_number(month)) - 1
    return F.coalesce(F.get(F.col("prior_plays"), place.cast("int")), F.lit(0).cast("bigint"))
