"""Time really listened, skipping and liking, hours of the day and the week."""

from __future__ import annotations

import polars as pl

from pozytywka_spark.features.declared.analysts import LIKED_PLAYS, LIKES, PLAYS, SKIPS
from pozytywka_spark.features.declared.arithmetic import count_if, divided, real, total_of_values
from pozytywka_spark.features.declared.declaration import Feature, Measure
from pozytywka_spark.features.declared.declare import NEVER, NO_PLAYS, feature, ratio_of
from pozytywka_spark.features.declared.event_codes import is_play
from pozytywka_spark.features.times import time_of_day, time_of_week
from pozytywka_spark.months import DAY_MICROS, HOUR_MICROS, MICROS

LISTENED = Measure(
    "listened_us",
    lambda: total_of_values(pl.col("listened")),
    level="gap",
    arithmetic="sum over PLAY of min(duration, time to the session's next event but LIKE, to the cut-off)",
)
LISTENED_KNOWN = Measure(
    "listened_duration_ms",
    lambda: total_of_values(pl.when(pl.col("listened").is_not_null()).then(pl.col("duration_ms"))),
    level="gap",
    arithmetic="sum of duration_ms over PLAY whose listened time is known",
)
TIMED_SKIPS = Measure(
    "timed_skips",
    lambda: pl.col("since_play").count(),
    level="gap",
    arithmetic="count of SKIP right after its PLAY",
)
SKIP_DELAY = Measure(
    "skip_delay_us",
    lambda: total_of_values(pl.col("since_play")),
    level="gap",
    arithmetic="sum of the time from PLAY to the SKIP right after it",
)
NIGHT_PLAYS = Measure(
    "night_plays",
    lambda: count_if(is_play() & ~_by_day()),
    arithmetic="count of PLAY outside [06:00, 22:00) UTC",
)
WEEKEND_PLAYS = Measure(
    "weekend_plays",
    lambda: count_if(is_play() & (time_of_week(pl.col("at")) >= 5 * DAY_MICROS)),
    arithmetic="count of PLAY on Saturday or Sunday UTC",
)


def _by_day() -> pl.Expr:
    return time_of_day(pl.col("at")).is_between(6 * HOUR_MICROS, 22 * HOUR_MICROS, closed="left")


LISTENING: tuple[Feature, ...] = (
    feature("listened_minutes",
            "time plays lasted: to the session's next event but for likes, at most the track's duration",
            "min", "duration", NEVER, (LISTENED,),
            lambda: divided(real(LISTENED.column()), 60.0 * MICROS), source="events, tracks",
            arithmetic="listened_us / 60000000"),
    ratio_of("listened_share", "share of the tracks' duration that was really listened to", "0..1", "share",
             NO_PLAYS, LISTENED, LISTENED_KNOWN, scale=1000.0, source="events, tracks"),
    ratio_of("skip_rate", "skips per play", "1", "ratio", "null: no plays", SKIPS, PLAYS),
    ratio_of("like_rate", "likes per play", "1", "ratio", "null: no plays", LIKES, PLAYS),
    ratio_of("liked_play_share", "share of plays that are of tracks liked by then", "0..1", "share",
             "null: no plays", LIKED_PLAYS, PLAYS),
    ratio_of("average_seconds_to_skip", "mean time from a play to its skip", "s", "duration",
             "null: no skip right after its play", SKIP_DELAY, TIMED_SKIPS, scale=float(MICROS)),
    ratio_of("night_share", "share of plays from 22:00 to 06:00 UTC", "0..1", "share", "null: no plays",
             NIGHT_PLAYS, PLAYS),
    ratio_of("weekend_share", "share of plays on Saturday and Sunday (UTC)", "0..1", "share",
             "null: no plays", WEEKEND_PLAYS, PLAYS),
)  # fmt: skip
