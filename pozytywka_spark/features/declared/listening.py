"""Plays, skips and likes; time really listened; hours of the day and the week."""

from __future__ import annotations

import polars as pl

from pozytywka_spark.features.declared.arithmetic import count_if, total, total_of_values
from pozytywka_spark.features.declared.declaration import NEVER, NO_KNOWN_PLAYS, NO_PLAYS, Feature
from pozytywka_spark.features.declared.event_codes import is_kind, is_like, is_play
from pozytywka_spark.features.declared.values import Measure
from pozytywka_spark.features.times import time_of_day, time_of_week
from pozytywka_spark.months import DAY_MICROS, HOUR_MICROS, MICROS, MINUTE_MICROS
from pozytywka_spark.names import SKIP

plays = Measure(name="plays", aggregate=lambda: count_if(is_play()), arithmetic="count of PLAY")
skips = Measure(name="skips", aggregate=lambda: count_if(is_kind(SKIP)), arithmetic="count of SKIP")
likes = Measure(name="likes", aggregate=lambda: count_if(is_like()), arithmetic="count of LIKE")
liked_plays = Measure(
    name="liked_plays",
    aggregate=lambda: total(pl.col("liked_plays")),
    level="genre",
    arithmetic="count of PLAY of a track with a LIKE of the user at or before it",
)
listened = Measure(
    name="listened_us",
    aggregate=lambda: total_of_values(pl.col("listened")),
    level="gap",
    arithmetic="sum over PLAY of min(duration, time to the session's next event but LIKE, to the cut-off)",
)
listened_duration_ms = Measure(
    name="listened_duration_ms",
    aggregate=lambda: total_of_values(pl.when(pl.col("listened").is_not_null()).then(pl.col("duration_ms"))),
    level="gap",
    arithmetic="sum of duration_ms over PLAY whose listened time is known",
)
timed_skips = Measure(
    name="timed_skips",
    aggregate=lambda: pl.col("since_play").count(),
    level="gap",
    arithmetic="count of SKIP right after its PLAY",
)
skip_delay = Measure(
    name="skip_delay_us",
    aggregate=lambda: total_of_values(pl.col("since_play")),
    level="gap",
    arithmetic="sum of the time from PLAY to the SKIP right after it",
)
night_plays = Measure(
    name="night_plays",
    aggregate=lambda: count_if(is_play() & ~_by_day()),
    arithmetic="count of PLAY outside [06:00, 22:00) UTC",
)
weekend_plays = Measure(
    name="weekend_plays",
    aggregate=lambda: count_if(is_play() & (time_of_week(pl.col("at")) >= 5 * DAY_MICROS)),
    arithmetic="count of PLAY on Saturday or Sunday UTC",
)


def _by_day() -> pl.Expr:
    return time_of_day(pl.col("at")).is_between(6 * HOUR_MICROS, 22 * HOUR_MICROS, closed="left")


FEATURES: tuple[Feature, ...] = (
    Feature(
        name="number_of_tracks",
        meaning="plays started",
        unit="events",
        kind="count",
        null=NEVER,
        value=plays,
    ),
    Feature(
        name="number_of_skips",
        meaning="plays skipped",
        unit="events",
        kind="count",
        null=NEVER,
        value=skips,
    ),
    Feature(
        name="number_of_likes",
        meaning="likes given",
        unit="events",
        kind="count",
        null=NEVER,
        value=likes,
    ),
    Feature(
        name="number_of_liked_tracks_listened",
        meaning="plays of tracks liked at or before the play",
        unit="events",
        kind="count",
        null=NEVER,
        value=liked_plays,
    ),
    Feature(
        name="listened_minutes",
        meaning="time plays lasted: to the session's next event but for likes, at most the track's duration",
        unit="min",
        kind="duration",
        null=NEVER,
        value=listened / MINUTE_MICROS,
        source="events, tracks",
    ),
    Feature(
        name="listened_share",
        meaning="share of the tracks' duration that was really listened to",
        unit="0..1",
        kind="share",
        null=NO_KNOWN_PLAYS,
        value=listened / listened_duration_ms / 1000,
        source="events, tracks",
    ),
    Feature(
        name="skip_rate",
        meaning="skips per play",
        unit="1",
        kind="ratio",
        null=NO_PLAYS,
        value=skips / plays,
    ),
    Feature(
        name="like_rate",
        meaning="likes per play",
        unit="1",
        kind="ratio",
        null=NO_PLAYS,
        value=likes / plays,
    ),
    Feature(
        name="liked_play_share",
        meaning="share of plays that are of tracks liked by then",
        unit="0..1",
        kind="share",
        null=NO_PLAYS,
        value=liked_plays / plays,
    ),
    Feature(
        name="average_seconds_to_skip",
        meaning="mean time from a play to its skip",
        unit="s",
        kind="duration",
        null="null: no skip right after its play",
        value=skip_delay / timed_skips / MICROS,
    ),
    Feature(
        name="night_share",
        meaning="share of plays from 22:00 to 06:00 UTC",
        unit="0..1",
        kind="share",
        null=NO_PLAYS,
        value=night_plays / plays,
    ),
    Feature(
        name="weekend_share",
        meaning="share of plays on Saturday and Sunday (UTC)",
        unit="0..1",
        kind="share",
        null=NO_PLAYS,
        value=weekend_plays / plays,
    ),
)
