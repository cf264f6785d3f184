"""What is asked of an event in Spark's own terms; what raw values mean is told by `rules`."""

from __future__ import annotations

from pyspark.sql import Column
from pyspark.sql import functions as F

from pozytywka_spark import schemas


def is_incomplete() -> Column:
    """Whether an event lacks its user, its type, or the track that its type calls for."""
    no_track = F.col("track_id").isNull() & F.col("event_type").isin(schemas.PLAY, schemas.SKIP, schemas.LIKE)
    return F.col("user_id").isNull() | F.col("event_type").isNull() | no_track


def event_time(raw: Column) -> Column:
    """An ISO timestamp with or without a fraction, as UTC; null if it isn't one.

    A time without a date would otherwise be taken as today's.
    """
    dated = (F.length(raw) >= 19) & (F.substring(raw, 5, 1) == "-")
    return F.when(dated, raw.try_cast("timestamp"))
