"""Events in small numbers, each user's in one place: read once, whatever asks for them afterwards."""

from __future__ import annotations

from pyspark.sql import Column, DataFrame
from pyspark.sql import functions as F

from pozytywka_spark.features.kinds import kind_of

TRACK = ("track", "stray")


def encode_events(events: DataFrame, tracks: DataFrame) -> DataFrame:
    """Grain: event. user_id, month, event_time, kind, session_id, and the track as `TRACK` says.

    `tracks` is the track dimension. An identifier of 22 characters costs a shuffle, a sort or a hash
    several times what its number costs, and each is paid once here instead of in every aggregation.
    """
    slim = events.select(
        "user_id",
        F.col("event_month").alias("month"),
        "event_time",
        kind_of(F.col("event_type")).alias("kind"),
        "session_id",
        "track_id",
    )
    return number_tracks(slim, tracks)


def number_tracks(df: DataFrame, tracks: DataFrame) -> DataFrame:
    """`track_id` replaced by `track`, its number in the dimension, or `stray`, the id that is not in it."""
    numbered = df.join(F.broadcast(tracks.select("track_id", "track")), "track_id", "left")
    stray = F.when(F.col("track").isNull(), F.col("track_id")).alias("stray")
    return numbered.select(*(name for name in df.columns if name != "track_id"), "track", stray)


def name_tracks(df: DataFrame, tracks: DataFrame) -> DataFrame:
    """What `number_tracks` did, undone: `track_id` is the first column."""
    named = df.join(F.broadcast(tracks.select("track", "track_id")), "track", "left")
    others = (name for name in df.columns if name not in TRACK)
    return named.select(F.coalesce("track_id", "stray").alias("track_id"), *others)


def has_track() -> Column:
    """Whether the row names a track, known or not."""
    return F.col("track").isNotNull() | F.col("stray").isNotNull()


def by_user(df: DataFrame) -> DataFrame:
    """Each user's rows in one partition: whatever is grouped or joined by user then stays where it is.

    The number of partitions is named, for adaptive execution would merge them down to one per core,
    and a core's memory would have to hold its share of everything.
    """
    partitions = df.sparkSession.conf.get("spark.sql.shuffle.partitions")
    return df.repartition(int(partitions or 200), "user_id")
