"""Twenty-eight ways to let the future into a feature, each an aggregate of events around a cut-off."""

from __future__ import annotations

import polars as pl

from pozytywka_spark.features.times import cut_off_of, day_of, start_of
from pozytywka_spark.months import DAY_MICROS, HOUR_MICROS

LEAKS_FROM_OTHERS = (
    "popularity_of_all_time",
    "mean_fitted_on_all_months",
    "end_of_the_data",
    "rank_among_all",
)
_KEYS = ("user_id", "month")


def leaky_columns() -> dict[str, pl.Expr]:
    """Aggregates over all events of the row's user.

    `at` is the event's time, `cut` the cut-off, `begin` the month's start, `next` the next month's end, and
    `last` the month's before.
    """
    at, cut, begin = pl.col("at"), pl.col("cut"), pl.col("begin")
    kind = pl.col("event_type")
    play, skip, ad, buy = (kind == each for each in ("PLAY", "SKIP", "ADVERTISEMENT", "BUY_PREMIUM"))
    week = 7 * DAY_MICROS
    after = at.filter(at >= cut)
    return {
        "count_over_all_time": pl.len(),
        "label_joined_as_feature": (buy & (at >= cut) & (at < cut + 30 * DAY_MICROS)).sum(),
        "closed_end_boundary": ((at >= begin) & (at <= cut)).sum(),
        "boundary_by_date": ((at >= begin) & (day_of(at) <= day_of(cut))).sum(),
        "boundary_in_local_time": ((at >= begin) & (at < cut + HOUR_MICROS)).sum(),
        "likes_after_the_play": (play & (at < cut) & pl.col("ever_liked")).sum(),
        "session_crossing_the_cut_off": pl.col("session_end").filter(at < cut).max(),
        "trailing_window_with_next_month": (play & (at >= pl.col("last")) & (at < pl.col("next"))).sum(),
        "window_around_the_cut_off": ((at >= cut - week) & (at < cut + week)).sum(),
        "next_months_plays": (play & (at >= cut) & (at < pl.col("next"))).sum(),
        "time_to_purchase": at.filter(buy).min(),
        "premium_flag": buy.any(),
        "days_until_next_event": after.min(),
        "last_event_ever": at.max(),
        "lifetime_advert_share": ad.mean(),
        "lifetime_skip_rate": skip.sum() / play.sum(),
        "months_active_ever": pl.col("event_month").n_unique(),
        "last_session_id": pl.col("session_id").max(),
        "different_tracks_ever": pl.col("track_id").drop_nulls().n_unique(),
        "adverts_after_the_cut_off": (ad & (at >= cut)).sum(),
        "filled_back_from_the_next_event": kind.filter(at >= cut).sort_by(after).first() == "PLAY",
        "share_of_lifetime_plays": (play & (at < cut)).sum() / play.sum(),
        "years_last_quarter": (pl.col("event_month").dt.quarter() == pl.col("month").dt.quarter()).sum(),
        "adverts_stop_soon": at.filter(ad).max(),
        # what others will do
        "popularity_of_all_time": pl.col("plays_ever").filter(play & (at < cut)).sum(),
        "mean_fitted_on_all_months": (at < cut).sum() / pl.col("mean_events").first(),
        "end_of_the_data": pl.col("data_end").max(),
        "rank_among_all": pl.col("busiest").max() - (at < cut).sum(),
    }


def with_leaks(rows: pl.DataFrame, own: pl.DataFrame, everyones: pl.DataFrame) -> pl.DataFrame:
    """Grain: user and month, as `rows`; every leak as a double.

    Events have user_id, event_time, event_type, session_id, track_id: `own` of the rows' users, `everyones`
    of all.
    """
    own, everyones = _timed(own), _timed(everyones)
    likes = own.filter(pl.col("event_type") == "LIKE").select("user_id", "track_id").unique()
    sessions = own.group_by("session_id").agg(session_end=pl.col("at").max())
    popular = everyones.filter(pl.col("event_type") == "PLAY").group_by("track_id").len("plays_ever")
    per_user = everyones.group_by("user_id").agg(n=pl.len().cast(pl.Int64), last=pl.col("at").max())
    world = per_user.select(
        mean_events=pl.col("n").mean(), data_end=pl.col("last").max(), busiest=pl.col("n").max()
    )
    joined = (
        rows.select(
            *_KEYS,
            begin=start_of(pl.col("month")),
            cut=cut_off_of(pl.col("month")),
            next=cut_off_of(pl.col("month").dt.offset_by("1mo")),
            last=start_of(pl.col("month").dt.offset_by("-1mo")),
        )
        .join(own, on="user_id")
        .join(likes.with_columns(ever_liked=True), on=["user_id", "track_id"], how="left")
        .join(sessions, on="session_id", how="left")
        .join(popular, on="track_id", how="left")
        .join(world, how="cross")
        .with_columns(pl.col("ever_liked").fill_null(value=False))
    )
    leaks = [leak.cast(pl.Float64).alias(name) for name, leak in leaky_columns().items()]
    return joined.group_by(_KEYS).agg(leaks).sort(_KEYS)


def _timed(events: pl.DataFrame) -> pl.DataFrame:
    time = pl.col("event_time")
    return events.with_columns(at=time.dt.epoch("us"), event_month=time.dt.date().dt.month_start())
