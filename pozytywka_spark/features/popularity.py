"""Popularity as it was: plays of a track by anyone in the months before, never the delivered snapshot."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date

from pyspark.sql import Column, DataFrame
from pyspark.sql import functions as F

from pozytywka_spark.features.columns import total
from pozytywka_spark.features.encoded import TRACK, has_track
from pozytywka_spark.features.kinds import is_play
from pozytywka_spark.features.months import month_number, number_of


def track_plays(events: DataFrame) -> DataFrame:
    """Grain: track and month. Plays by anyone in encoded `events`, premium users too."""
    plays = events.where(is_play() & has_track())
    return plays.groupBy(*TRACK, "month").agg(F.count(F.lit(1)).alias("plays"))


def prior_plays(plays: DataFrame, months: Sequence[date]) -> DataFrame:
    """Grain: track. `prior_plays`: an array of the track's plays before each of `months`, in their order.

    An array rides along with the track's other attributes, where a row per track and month would cost
    each play a second join. `plays` has `track`, and whatever tracks are not in the dimension don't matter.
    """
    before = [total(F.when(F.col("month") < F.lit(month), F.col("plays"))) for month in months]
    known = plays.where(F.col("track").isNotNull())
    return known.groupBy("track").agg(F.array(*before).alias("prior_plays"))


def prior_plays_at(month: Column, months: Sequence[date]) -> Column:
    """The element of `prior_plays` that belongs to `month`; 0 for a track that nobody had played."""
    numbers = [number_of(each) for each in months]
    if numbers == list(range(numbers[0], numbers[0] + len(numbers))):
        place = month_number(month) - numbers[0]
    else:
        place = F.array_position(F.array(*(F.lit(number) for number in numbers)), month_number(month)) - 1
    return F.coalesce(F.get(F.col("prior_plays"), place.cast("int")), F.lit(0).cast("bigint"))
