"""What is predicted: whether a user who had not bought by the cut-off buys soon after, or ever."""

from __future__ import annotations

from datetime import date, timedelta

from pyspark.sql import DataFrame
from pyspark.sql import functions as F

from pozytywka_spark.config import Label
from pozytywka_spark.dataspan import DataSpan
from pozytywka_spark.features.months import cut_off_of
from pozytywka_spark.timesplit import next_month


def as_labels(rows: DataFrame, purchases: DataFrame, span: DataSpan, label: Label) -> DataFrame:
    """Grain: user and month, as `rows`. `purchases` as of `first_purchases`.

    The label is 1 if the first purchase lies in `[cut_off, horizon_end)`, and null until the row is
    mature, that is until the data's end is at or past `horizon_end`: an early purchase would show in
    an immature row, a late one would not, and training on such rows would learn the calendar.
    The data's end is the only moment up to which deliveries prove to be complete. A purchase at or after it
    is not known yet, be it of a stray clock or of a day cut short: `buys_ever` is censored by the end. A
    purchase before the data's start is one all the same: its user has no rows, for when he bought nobody
    knows. `complete` is true where the data cover the whole month.
    """
    cut_off = cut_off_of(F.col("month"))
    timed = rows.select("user_id", "month", cut_off.alias("cut_off")).withColumn(
        "horizon_end", F.col("cut_off") + F.lit(timedelta(days=label.horizon_days))
    )
    joined = timed.join(F.broadcast(purchases), "user_id", "left")
    mature = F.lit(span.end) >= F.col("horizon_end")
    bought = F.coalesce(F.col("purchased_at") < F.lit(span.end), F.lit(False))
    begun = F.col("month") >= F.lit(_first_whole(span))
    complete = begun & (F.lit(span.end) >= F.col("cut_off"))
    in_horizon = bought & (F.col("purchased_at") < F.col("horizon_end"))
    return joined.select(
        "user_id",
        "month",
        "cut_off",
        "horizon_end",
        mature.alias("mature"),
        F.when(mature, in_horizon.cast("int")).alias(label.horizon_column),
        bought.cast("int").alias("buys_ever"),
        complete.alias("complete"),
    )


def _first_whole(span: DataSpan) -> date:
    """The first month that the data don't begin too late for."""
    return next_month(span.first) if span.is_begun_late(span.first) else span.first


def label_counts(labels: DataFrame, label: Label) -> DataFrame:
    """Grain: month. Rows, mature rows, positives within the horizon and ever, whether the data cover the
    month, in order of months."""
    return (
        labels.groupBy("month")
        .agg(
            F.count(F.lit(1)).alias("rows"),
            F.count_if("mature").alias("mature"),
            F.coalesce(F.sum(label.horizon_column), F.lit(0)).alias("positives"),
            F.sum("buys_ever").alias("buys_ever"),
            F.bool_and("complete").alias("complete"),
        )
        .orderBy("month")
    )
