"""The time at which each user bought premium."""

from __future__ import annotations

from pyspark.sql import DataFrame
from pyspark.sql import functions as F

from pozytywka_spark.names import BUY_PREMIUM


def first_purchases(events: DataFrame) -> DataFrame:
    """Grain: user who ever bought. `purchased_at` is the first BUY_PREMIUM."""
    bought = events.where(F.col("event_type") == BUY_PREMIUM)
    return bought.groupBy("user_id").agg(F.min("event_time").alias("purchased_at"))
