"""Twenty-eight ways to let the future into a feature, each a column over a user's events around a cut-off."""

from __future__ import annotations

from pyspark.sql import Column, DataFrame
from pyspark.sql import functions as F

LEAKS_FROM_OTHERS = (
    "popularity_of_all_time",
    "mean_fitted_on_all_months",
    "end_of_the_data",
    "rank_among_all",
)


def leaky_columns() -> dict[str, Column]:
    """Aggregates over all events `t` of the row's user; `cut` is the cut-off, `begin` the month's start."""
    t, cut, begin = F.col("event_time"), F.col("cut"), F.col("begin")
    kind = F.col("event_type")
    day, hour = F.expr("interval 1 day"), F.expr("interval 1 hour")
    play, skip, ad, buy = (kind == k for k in ("PLAY", "SKIP", "ADVERTISEMENT", "BUY_PREMIUM"))
    month = F.expr("interval 1 month")
    return {
        "count_over_all_time": F.count(F.lit(1)),
        "label_joined_as_feature": F.count_if(buy & (t >= cut) & (t < cut + 30 * day)),
        "closed_end_boundary": F.count_if((t >= begin) & (t <= cut)),
        "boundary_by_date": F.count_if((t >= begin) & (F.to_date(t) <= F.to_date(cut))),
        "boundary_in_local_time": F.count_if((t >= begin) & (t < cut + hour)),
        "likes_after_the_play": F.count_if(play & (t < cut) & F.col("ever_liked")),
        "session_crossing_the_cut_off": F.max(F.when(t < cut, F.col("session_end"))).cast("double"),
        "trailing_window_with_next_month": F.count_if(play & (t >= begin - month) & (t < cut + month)),
        "window_around_the_cut_off": F.count_if((t >= cut - 7 * day) & (t < cut + 7 * day)),
        "next_months_plays": F.count_if(play & (t >= cut) & (t < cut + month)),
        "time_to_purchase": F.min(F.when(buy, t)).cast("double"),
        "premium_flag": F.max(buy.cast("int")),
        "days_until_next_event": F.min(F.when(t >= cut, t)).cast("double"),
        "last_event_ever": F.max(t).cast("double"),
        "lifetime_advert_share": F.avg(ad.cast("int")),
        "lifetime_skip_rate": F.sum(skip.cast("int")) / F.nullif(F.sum(play.cast("int")), F.lit(0)),
        "months_active_ever": F.count_distinct("event_month"),
        "last_session_id": F.max("session_id"),
        "different_tracks_ever": F.count_distinct("track_id"),
        "adverts_after_the_cut_off": F.count_if(ad & (t >= cut)),
        "filled_back_from_the_next_event": F.min_by("event_type", F.when(t >= cut, t)) == "PLAY",
        "share_of_lifetime_plays": F.count_if(play & (t < cut)) / F.nullif(F.count_if(play), F.lit(0)),
        "years_last_quarter": F.count_if(F.quarter(t) == F.quarter(begin)),
        "adverts_stop_soon": F.max(F.when(ad, t)).cast("double"),
        # what others will do
        "popularity_of_all_time": F.sum(F.when(play & (t < cut), F.col("plays_ever"))),
        "mean_fitted_on_all_months": F.count_if(t < cut) / F.first("mean_events"),
        "end_of_the_data": F.max("data_end").cast("double"),
        "rank_among_all": F.max("busiest") - F.count_if(t < cut),
    }


def with_leaks(rows: DataFrame, own: DataFrame, everyones: DataFrame) -> DataFrame:
    """Grain: user and month, as `rows`; every leak as a double."""
    likes = (
        own.where("event_type = 'LIKE'").select("user_id", "track_id", F.lit(True).alias("liked")).distinct()
    )
    sessions = own.groupBy("session_id").agg(F.max("event_time").alias("session_end"))
    popular = everyones.where("event_type = 'PLAY'").groupBy("track_id").agg(F.count("*").alias("plays_ever"))
    per_user = everyones.groupBy("user_id").agg(F.count("*").alias("n"), F.max("event_time").alias("last"))
    world = per_user.agg(
        F.avg("n").alias("mean_events"), F.max("last").alias("data_end"), F.max("n").alias("busiest")
    )
    joined = (
        rows.select("user_id", "month", F.col("month").cast("timestamp").alias("begin"))
        .withColumn("cut", F.add_months("month", 1).cast("timestamp"))
        .join(own, "user_id")
        .join(likes, ["user_id", "track_id"], "left")
        .join(sessions, "session_id", "left")
        .join(popular, "track_id", "left")
        .join(F.broadcast(world))
        .withColumn("ever_liked", F.coalesce("liked", F.lit(False)))
    )
    leaks = [column.cast("double").alias(name) for name, column in leaky_columns().items()]
    return joined.groupBy("user_id", "month").agg(*leaks)
