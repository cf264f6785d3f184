"""What earlier feeds say of a slice of users: what they were shown, saw and passed over."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, timedelta

import numpy as np
import polars as pl

from pozytywka_spark.feed.arrange.memory import EVENTS, seen_places, times_passed
from pozytywka_spark.feed.inventory.sources import Shown
from pozytywka_spark.feed.listening import DAY_US
from pozytywka_spark.feed.pairs import Array
from pozytywka_spark.feed.prepare_work import SHOWN_DAYS, Batch
from pozytywka_spark.feed.ranking import Own

FEED = ("user_id", "feed_date", "position", "track_id")
SEEN = ("user_id", "track_id", "day")


@dataclass(frozen=True)
class Earlier:
    """Of a slice: user rows and tracks that were shown, and those passed over with how often."""

    shown: Shown
    passed_user: Array
    passed_track: Array
    passed_times: Array

    def of_users(self, first: int, last: int, tracks: int) -> Own:
        """Of the users [first, last), counted from `first`."""
        shown = self.shown
        mine = (shown.user >= first) & (shown.user < last)
        passed = (self.passed_user >= first) & (self.passed_user < last)
        key = (self.passed_user[passed] - first) * tracks + self.passed_track[passed]
        order = np.argsort(key)
        return Own(
            Shown(shown.user[mine] - first, shown.track[mine], shown.feed_us[mine], shown.seen[mine]),
            key[order],
            self.passed_times[passed][order],
        )


def earlier_of(batch: Batch, feed: pl.DataFrame, seen: pl.DataFrame, track_id: Array, day: date) -> Earlier:
    """`feed`: FEED's columns of the days before `day`; `seen`: SEEN's; of these or more users."""
    listeners = batch.listeners
    first = day - timedelta(days=SHOWN_DAYS)
    users = pl.DataFrame({"user_id": listeners.user_id}).with_row_index("user")
    index = pl.DataFrame({"track_id": track_id}, schema={"track_id": pl.String}).with_row_index("track")
    shown = feed.filter(pl.col("feed_date").is_between(first, day, closed="left")).join(
        users, on="user_id", how="inner"
    )
    events = _events(batch, track_id, day)
    saw = seen_places(shown, seen, events).select("user_id", "track_id", "feed_date", seen=pl.lit(value=True))
    places = (
        shown.join(saw, on=["user_id", "track_id", "feed_date"], how="left")
        .join(index, on="track_id", how="inner")
        .sort("user", "track", "feed_date")
    )
    passed = (
        times_passed(shown.select(FEED), seen, events, day)
        .join(users, on="user_id", how="inner")
        .join(index, on="track_id", how="inner")
        .sort("user", "track")
    )
    return Earlier(
        Shown(
            places.get_column("user").to_numpy().astype(np.int64),
            places.get_column("track").to_numpy().astype(np.int64),
            places.get_column("feed_date").to_physical().cast(pl.Int64).to_numpy() * DAY_US,
            places.get_column("seen").fill_null(value=False).to_numpy(),
        ),
        passed.get_column("user").to_numpy().astype(np.int64),
        passed.get_column("track").to_numpy().astype(np.int64),
        passed.get_column("times").to_numpy().astype(np.int64),
    )


def _events(batch: Batch, track_id: Array, day: date) -> pl.DataFrame:
    """Sessions' days and plays of the last days, as `memory` asks for them."""
    listening = batch.listeners.listening
    since = (day - date(1970, 1, 1) - timedelta(days=SHOWN_DAYS)).days * DAY_US
    late = listening.play_us >= since
    plays = pl.DataFrame(
        {
            "user_id": batch.listeners.user_id[listening.play_user[late]],
            "track_id": pl.Series(track_id[listening.play_track[late]], dtype=pl.String),
            "day": pl.from_epoch(pl.Series(listening.play_us[late], dtype=pl.Int64), "us").dt.date(),
        }
    ).with_columns(event_type=pl.lit("PLAY"))
    sessions = batch.present.select(
        "user_id", pl.lit(None, pl.String).alias("track_id"), "day", pl.lit("", pl.String).alias("event_type")
    )
    return pl.concat([plays.select(EVENTS.names()), sessions])
