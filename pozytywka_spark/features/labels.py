"""What is predicted: whether a user who had not bought by the cut-off buys soon after, or ever."""

from __future__ import annotations

from datetime import datetime, timedelta

from pyspark.sql import DataFrame
from pyspark.sql import functions as F

from pozytywka_spark.config import Label
from pozytywka_spark.features.months import cut_off_of


def as_labels(rows: DataFrame, purchases: DataFrame, data_end: datetime, label: Label) -> DataFrame:
    """Grain: user and month, as `rows`. `purchases` as of `first_purchases`.

    The label is 1 if the first purchase lies in `[cut_off, horizon_end)`, and null until the row is
    mature, that is until the data's end is at or past `horizon_end`: an early purchase would show in
    an immature row, a late one would not, and training on such rows would learn the calendar.
    The data's end is the time of the last event, the only moment up to which deliveries prove to be
    complete. `buys_ever` is censored by it.
    """
    cut_off = cut_off_of(F.col("month"))
    timed = rows.select("user_id", "month", cut_off.alias("cut_off")).withColumn(
        "horizon_end", F.col("cut_off") + F.lit(timedelta(days=label.horizon_days))
    )
    joined = timed.join(F.broadcast(purchases), "user_id", "left")
    mature = F.lit(data_end) >= F.col("horizon_end")
    bought = F.col("purchased_at").isNotNull()
    in_horizon = bought & (F.col("purchased_at") < F.col("horizon_end"))
    return joined.select(
        "user_id",
        "month",
        "cut_off",
        "horizon_end",
        mature.alias("mature"),
        F.when(mature, in_horizon.cast("int")).alias(label.horizon_column),
        bought.cast("int").alias("buys_ever"),
    )


def label_counts(labels: DataFrame, label: Label) -> DataFrame:
    """Grain: month. Rows, mature rows, positives within the horizon and ever, in order of months."""
    return (
        labels.groupBy("month")
        .agg(
            F.count(F.lit(1)).alias("rows"),
            F.count_if("mature").alias("mature"),
            F.coalesce(F.sum(label.horizon_column), F.lit(0)).alias("positives"),
            F.sum("buys_ever").alias("buys_ever"),
        )
        .orderBy("month")
    )
