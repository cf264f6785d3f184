"""Which events make rows."""

from __future__ import annotations

from pyspark.sql import DataFrame
from pyspark.sql import functions as F

from pozytywka_spark.features.kinds import kind_of
from pozytywka_spark.features.months import cut_off_of
from pozytywka_spark.schemas import BUY_PREMIUM


def first_purchases(events: DataFrame) -> DataFrame:
    """Grain: user who ever bought. `purchased_at` is the first BUY_PREMIUM."""
    bought = events.where(F.col("event_type") == BUY_PREMIUM)
    return bought.groupBy("user_id").agg(F.min("event_time").alias("purchased_at"))


def filter_free(events: DataFrame, purchases: DataFrame) -> DataFrame:
    """Events of months at whose cut-off the user had not bought: user_id, month, event_time, kind,
    session_id, track_id.

    A purchase at exactly the cut-off lies after it, for windows are half-open: that month has a row.
    `purchases` is broadcast: a line per buyer, some tens of megabytes for a million of them.
    """
    slim = events.where(F.col("user_id").isNotNull()).select(
        "user_id",
        F.col("event_month").alias("month"),
        "event_time",
        kind_of(F.col("event_type")).alias("kind"),
        "session_id",
        "track_id",
    )
    unsold = F.col("purchased_at").isNull() | (F.col("purchased_at") >= cut_off_of(F.col("month")))
    joined = slim.join(F.broadcast(purchases), "user_id", "left").where(unsold)
    return joined.select(*slim.columns)
