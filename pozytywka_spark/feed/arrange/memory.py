"""What a user passed over lately: it stood high on a page of the last 3 days, was seen, and wasn't played.

Seen is what was delivered as seen; where nothing was delivered for a user and day, the first 10 places of
a day on which they had a session. The same rule says for second chances what was never seen.
"""

from __future__ import annotations

from datetime import date, timedelta

import polars as pl

DAYS = 3
HIGH = 10  # places from the top

FEED = pl.Schema(
    {"user_id": pl.Int64(), "feed_date": pl.Date(), "position": pl.Int32(), "track_id": pl.String()}
)
SEEN = pl.Schema({"user_id": pl.Int64(), "track_id": pl.String(), "day": pl.Date()})
EVENTS = pl.Schema(
    {"user_id": pl.Int64(), "track_id": pl.String(), "day": pl.Date(), "event_type": pl.String()}
)


def seen_places(feed: pl.DataFrame, seen: pl.DataFrame, events: pl.DataFrame) -> pl.DataFrame:
    """The rows of `feed` (FEED's columns and any more) that their user saw on the page's day.

    `seen`: SEEN's columns; `events`: EVENTS', of all kinds, for an event is a session.
    """
    on = ["user_id", "track_id", "feed_date"]
    shown = seen.rename({"day": "feed_date"})
    said = shown.select("user_id", "feed_date").unique().with_columns(said=pl.lit(value=True))
    present = (
        events.select("user_id", pl.col("day").alias("feed_date"))
        .unique()
        .with_columns(present=pl.lit(value=True))
    )
    joined = (
        feed.join(shown.select(on).unique().with_columns(shown=pl.lit(value=True)), on=on, how="left")
        .join(said, on=["user_id", "feed_date"], how="left")
        .join(present, on=["user_id", "feed_date"], how="left")
    )
    by_rule = pl.col("said").is_null() & pl.col("present").is_not_null() & (pl.col("position") <= HIGH)
    return joined.filter(pl.col("shown").is_not_null() | by_rule).select(feed.columns)


def times_passed(feed: pl.DataFrame, seen: pl.DataFrame, events: pl.DataFrame, day: date) -> pl.DataFrame:
    """Grain: user and track passed over: `user_id`, `track_id`, `times` (1 to 3).

    As of the cut-off `day`: pages, what was seen and events of that day or later say nothing.
    """
    first = day - timedelta(days=DAYS)
    of_days = feed.filter(
        pl.col("feed_date").is_between(first, day, closed="left") & (pl.col("position") <= HIGH)
    )
    before = pl.col("day").is_between(first, day, closed="left")
    places = seen_places(of_days, seen.filter(before), events.filter(before))
    last_played = (
        events.filter(before & (pl.col("event_type") == "PLAY"))
        .group_by("user_id", "track_id")
        .agg(pl.col("day").max().alias("played"))
    )
    passed = places.join(last_played, on=["user_id", "track_id"], how="left").filter(
        pl.col("played").is_null() | (pl.col("played") < pl.col("feed_date"))
    )
    return (
        passed.group_by("user_id", "track_id")
        .agg(pl.col("feed_date").n_unique().cast(pl.Int32).alias("times"))
        .sort("user_id", "track_id")
    )
