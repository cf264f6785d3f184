"""Which events make rows, and what each event is given before months are summed."""

from __future__ import annotations

from pyspark.sql import Column, DataFrame
from pyspark.sql import functions as F

from pozytywka_spark.features.columns import is_event, is_play
from pozytywka_spark.features.dimensions import TRACK_MASK, USER_MASK
from pozytywka_spark.features.genres import matching_genres
from pozytywka_spark.schemas import BUY_PREMIUM, LIKE, month_of

EVENT_COLUMNS = ("user_id", "month", "event_time", "event_type", "session_id", "track_id")


def cut_off_of(month: Column) -> Column:
    """The cut-off of a month's rows: midnight (UTC) of the first of the next month, which is outside."""
    return F.add_months(month, 1).cast("timestamp")


def first_purchases(events: DataFrame) -> DataFrame:
    """Grain: user who ever bought. `purchased_at` is the first BUY_PREMIUM."""
    return (
        events.where(is_event(BUY_PREMIUM)).groupBy("user_id").agg(F.min("event_time").alias("purchased_at"))
    )


def data_end(events: DataFrame) -> DataFrame:
    """One row: `data_end`, the time of the last event of anyone; what comes after it is unknown."""
    return events.agg(F.max("event_time").alias("data_end"))


def filter_free(events: DataFrame, purchases: DataFrame) -> DataFrame:
    """Events of months at whose cut-off the user had not bought, as `EVENT_COLUMNS`.

    A purchase at exactly the cut-off lies after it, for windows are half-open: that month has a row.
    """
    month = month_of(F.col("event_time"))
    joined = events.withColumn("month", month).join(F.broadcast(purchases), "user_id", "left")
    unsold = F.col("purchased_at").isNull() | (F.col("purchased_at") >= cut_off_of(F.col("month")))
    return joined.where(F.col("user_id").isNotNull() & unsold).select(*EVENT_COLUMNS)


def first_likes(events: DataFrame) -> DataFrame:
    """Grain: user and track. The first LIKE: a like is for life, and a second one adds nothing."""
    likes = events.where(is_event(LIKE) & F.col("track_id").isNotNull())
    first = likes.groupBy("user_id", "track_id").agg(F.min("event_time").alias("liked_at"))
    return first.withColumn("month", month_of(F.col("liked_at")))


def with_play_attributes(
    events: DataFrame, tracks: DataFrame, users: DataFrame, likes: DataFrame, words: int
) -> DataFrame:
    """Each event with its track's attributes if it is a PLAY, else null, `favourite_matches`, `liked`.

    `liked`: the user's first like of the track is at or before the play.
    """
    played = F.when(is_play(), F.col("track_id"))
    joined = (
        events.withColumn("played_id", played)
        .join(F.broadcast(tracks.withColumnRenamed("track_id", "played_id")), "played_id", "left")
        .join(users, "user_id", "left")
        .join(
            likes.select("user_id", F.col("track_id").alias("played_id"), "liked_at"),
            ["user_id", "played_id"],
            "left",
        )
    )
    return joined.withColumns(
        {
            "favourite_matches": matching_genres(TRACK_MASK, USER_MASK, words).cast("bigint"),
            "liked": F.col("liked_at") <= F.col("event_time"),
        }
    )
