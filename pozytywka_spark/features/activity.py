"""Which events make rows."""

from __future__ import annotations

from pyspark.sql import DataFrame
from pyspark.sql import functions as F

from pozytywka_spark.schemas import BUY_PREMIUM, month_of


def first_purchases(events: DataFrame) -> DataFrame:
    """Grain: user who ever bought. `purchased_at` is the first BUY_PREMIUM."""
    bought = events.where(F.col("event_type") == BUY_PREMIUM)
    return bought.groupBy("user_id").agg(F.min("event_time").alias("purchased_at"))


def filter_free(events: DataFrame, purchases: DataFrame) -> DataFrame:
    """Encoded events of known users in months at whose cut-off the user had not bought.

    A purchase at exactly the cut-off lies after it, for windows are half-open: that month has a row.
    `purchases` is broadcast: a line per buyer, some tens of megabytes for a million of them.
    """
    # bought at or after the month's cut-off, that is in a later month
    bought = purchases.select("user_id", month_of(F.col("purchased_at")).alias("bought_in"))
    unsold = F.col("bought_in").isNull() | (F.col("bought_in") > F.col("month"))
    known = events.where(F.col("user_id").isNotNull())
    return known.join(F.broadcast(bought), "user_id", "left").where(unsold).select(*events.columns)
