"""What the analysts had not: adverts met, time really listened, skipping, sessions, variety, tenure."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

from pyspark.sql import Column
from pyspark.sql import functions as F

from pozytywka_spark.features.analysts import (
    ADS,
    ARTISTS,
    LIKED_PLAYS,
    LIKES,
    NEVER,
    NO_PLAYS,
    PLAYS,
    SKIPS,
    known_of,
    total_of,
)
from pozytywka_spark.features.columns import fixed_point, ratio, real, total
from pozytywka_spark.features.dimensions import STORAGE_CLASSES
from pozytywka_spark.features.entry import Feature, Kind, Measure, ratio_in_words
from pozytywka_spark.features.kinds import is_kind, is_play
from pozytywka_spark.features.months import (
    DAY_MICROS,
    MICROS,
    cut_off_micros,
    since_month_began,
    time_of_day,
    time_of_week,
)
from pozytywka_spark.schemas import ADVERTISEMENT  # fmt: skip

HOUR = 3600 * MICROS
HOUR_MICROS = float(HOUR)
# Engines' logarithms differ in the last bit (Java's and C's already at ln 3). With 11 digits kept they agree
# up to 180,000 plays of one genre in a month, one every 15 seconds: tried for every number.
LOG_DIGITS = 11

AD_RUN = Measure(
    "longest_ad_run",
    lambda: F.max("advert_run"),
    level="gap",
    arithmetic="most ADVERTISEMENT in a row of a session, PLAY or SKIP between them end a run",
)
LATE_ADS = Measure(
    "ads_last_7_days",
    lambda: F.count_if(is_kind(ADVERTISEMENT) & (F.unix_micros("event_time") >= _cut_off() - 7 * DAY_MICROS)),
    arithmetic="count of ADVERTISEMENT in [cut-off - 7 days, cut-off)",
)
LISTENED = Measure(
    "listened_us",
    lambda: total(F.col("listened")),
    level="gap",
    arithmetic="sum over PLAY of min(duration, time to the session's next event but LIKE, to the cut-off)",
)
LISTENED_KNOWN = Measure(
    "listened_duration_ms",
    lambda: total(F.when(F.col("listened").isNotNull(), F.col("duration_ms"))),
    level="gap",
    arithmetic="sum of duration_ms over PLAY whose listened time is known",
)
TIMED_SKIPS = Measure(
    "timed_skips", lambda: F.count("since_play"), level="gap", arithmetic="count of SKIP right after its PLAY"
)
SKIP_DELAY = Measure(
    "skip_delay_us",
    lambda: total(F.col("since_play")),
    level="gap",
    arithmetic="sum of the time from PLAY to the SKIP right after it",
)
SESSIONS = Measure(
    "sessions",
    lambda: F.count("length"),
    level="session",
    arithmetic="count of sessions with an event of the month",
)
SESSION_TIME = Measure(
    "session_us",
    lambda: total(F.col("length")),
    level="session",
    arithmetic="sum over sessions of last event - first event, within the month",
)
ACTIVE_DAYS = Measure(
    "active_days",
    lambda: F.bit_count(F.bit_or(F.call_function("shiftleft", F.lit(1), _day_of_month().cast("int")))),
    arithmetic="count of different UTC days with an event",
)
FIRST_EVENT = Measure(
    "first_event_us", lambda: F.min(F.unix_micros("event_time")), arithmetic="least event time"
)
LAST_EVENT = Measure(
    "last_event_us", lambda: F.max(F.unix_micros("event_time")), arithmetic="greatest event time"
)
NIGHT_PLAYS = Measure(
    "night_plays",
    lambda: F.count_if(is_play() & ~time_of_day(F.col("event_time")).between(6 * HOUR, 22 * HOUR - 1)),
    arithmetic="count of PLAY outside [06:00, 22:00) UTC",
)
WEEKEND_PLAYS = Measure(
    "weekend_plays",
    lambda: F.count_if(is_play() & (time_of_week(F.col("event_time")) >= 5 * DAY_MICROS)),
    arithmetic="count of PLAY on Saturday or Sunday UTC",
)
TRACKS = Measure(
    "different_tracks",
    lambda: total(F.col("tracks")),
    level="genre",
    arithmetic="count of different tracks of PLAY",
)
NEW_ARTISTS = Measure(
    "new_artists",
    lambda: F.count(F.lit(1)),
    level="debut",
    arithmetic="count of artists of PLAY that the user played in no earlier month",
)
GENRE_PLAYS = Measure(
    "genre_plays",
    lambda: total(F.when(F.col("genre").isNotNull(), F.col("plays"))),
    level="genre",
    arithmetic="count of PLAY whose artist lists a genre",
)
GENRE_LOGS = Measure(
    "genre_play_logs",
    lambda: total(
        F.when(
            F.col("genre").isNotNull(),
            F.col("plays") * _log(F.col("plays")),
        )
    ),
    level="genre",
    arithmetic="sum over first-listed genres of n * ln n, n its PLAY, ln n in 10^-11",
)
DEBUT = Measure(
    "debut_us",
    lambda: F.unix_micros("first_event_at"),
    level="user",
    arithmetic="time of the first event ever of the user",
)
PRIOR_PLAYS, PRIOR_KNOWN = (
    replace(measure, level="popularity") for measure in (total_of("prior_plays"), known_of("prior_plays"))
)


def _cut_off() -> Column:
    return cut_off_micros(F.col("month"))


def _day_of_month() -> Column:
    """From 0."""
    return F.floor(since_month_began(F.col("event_time"), F.col("month")) / DAY_MICROS)


def _feature(
    name: str,
    meaning: str,
    unit: str,
    kind: Kind,
    null: str,
    measures: tuple[Measure, ...],
    expression: Callable[[], Column],
    *,
    source: str = "events",
    arithmetic: str,
    snapshot: bool = False,
    actionable: bool = False,
) -> Feature:
    return Feature(
        name,
        meaning,
        unit,
        kind,
        null,
        source,
        measures,
        expression,
        snapshot=snapshot,
        actionable=actionable,
        arithmetic=arithmetic,
    )


def _ratio(
    name: str,
    meaning: str,
    unit: str,
    kind: Kind,
    null: str,
    over: Measure,
    under: Measure,
    *,
    scale: float = 1.0,
    source: str = "events",
    snapshot: bool = False,
    actionable: bool = False,
) -> Feature:
    return _feature(
        name,
        meaning,
        unit,
        kind,
        null,
        (over, under),
        lambda: ratio(over.column(), under.column(), scale),
        source=source,
        arithmetic=ratio_in_words(over.name, under.name, scale),
        snapshot=snapshot,
        actionable=actionable,
    )


def _between_sessions() -> Column:
    """Time between the first and the last event that lies in no session; 0 where sessions overlap."""
    outside = LAST_EVENT.column() - FIRST_EVENT.column() - SESSION_TIME.column()
    return F.greatest(outside, F.lit(0))


def _log(count: Column) -> Column:
    """The natural logarithm of a whole number, in fixed point."""
    return fixed_point(F.log(count.cast("double")), LOG_DIGITS)


def _entropy() -> Column:
    """(N ln N - sum n ln n) / N, which is -sum p ln p with p = n/N; in whole numbers up to the division."""
    plays = GENRE_PLAYS.column()
    # a rounded logarithm may come out a hair on the wrong side
    whole = F.greatest(plays * _log(F.greatest(plays, F.lit(1))) - GENRE_LOGS.column(), F.lit(0))
    return ratio(whole, plays, 10.0**LOG_DIGITS)


def _entropy_or_null() -> Column:
    return F.when(GENRE_PLAYS.column() > 0, _entropy())


ADVERTS: tuple[Feature, ...] = (
    _ratio("advertisements_per_play", "adverts per play", "1", "ratio", "null: no plays", ADS, PLAYS,
           actionable=True),
    _feature("advertisements_per_hour_listened", "adverts per hour really listened", "1/h", "ratio",
             "null: nothing listened to", (ADS, LISTENED),
             lambda: ratio(ADS.column() * F.lit(HOUR_MICROS), LISTENED.column()), actionable=True,
             arithmetic="ads * 3600000000 / listened_us"),
    _feature("longest_advertisement_run",
             "most adverts in a row within a session, no play or skip between them", "events", "count", NEVER,
             (AD_RUN,), lambda: real(AD_RUN.column()), actionable=True,
             arithmetic="longest_ad_run"),
    _feature("advertisements_last_7_days", "adverts heard in [cut-off - 7 days, cut-off)", "events", "count",
             NEVER, (LATE_ADS,), lambda: real(LATE_ADS.column()), actionable=True,
             arithmetic="ads_last_7_days"),
)  # fmt: skip

LISTENING: tuple[Feature, ...] = (
    _feature("listened_minutes",
             "time plays lasted: to the session's next event but for likes, at most the track's duration",
             "min", "duration", NEVER, (LISTENED,),
             lambda: real(LISTENED.column()) / F.lit(60.0 * MICROS), source="events, tracks",
             arithmetic="listened_us / 60000000"),
    _ratio("listened_share", "share of the tracks' duration that was really listened to", "0..1", "share",
           NO_PLAYS, LISTENED, LISTENED_KNOWN, scale=1000.0, source="events, tracks"),
    _ratio("skip_rate", "skips per play", "1", "ratio", "null: no plays", SKIPS, PLAYS),
    _ratio("like_rate", "likes per play", "1", "ratio", "null: no plays", LIKES, PLAYS),
    _ratio("liked_play_share", "share of plays that are of tracks liked by then", "0..1", "share",
           "null: no plays", LIKED_PLAYS, PLAYS),
    _ratio("average_seconds_to_skip", "mean time from a play to its skip", "s", "duration",
           "null: no skip right after its play", SKIP_DELAY, TIMED_SKIPS, scale=float(MICROS)),
    _ratio("night_share", "share of plays from 22:00 to 06:00 UTC", "0..1", "share", "null: no plays",
           NIGHT_PLAYS, PLAYS),
    _ratio("weekend_share", "share of plays on Saturday and Sunday (UTC)", "0..1", "share", "null: no plays",
           WEEKEND_PLAYS, PLAYS),
)  # fmt: skip

SESSION_LIFE: tuple[Feature, ...] = (
    _feature("number_of_sessions", "sessions with an event in the month", "sessions", "count", NEVER,
             (SESSIONS,), lambda: real(SESSIONS.column()),
             arithmetic="sessions"),
    _feature("active_days", "days (UTC) with an event", "days", "count", NEVER, (ACTIVE_DAYS,),
             lambda: real(ACTIVE_DAYS.column()),
             arithmetic="active_days"),
    _ratio("average_session_minutes", "mean time from a session's first to its last event in the month",
           "min", "duration", NEVER, SESSION_TIME, SESSIONS, scale=60.0 * MICROS),
    _feature("average_hours_between_sessions", "mean time from a session's end to the next one's start", "h",
             "duration", "null: one session only", (FIRST_EVENT, LAST_EVENT, SESSION_TIME, SESSIONS),
             lambda: ratio(_between_sessions(), SESSIONS.column() - 1, HOUR_MICROS),
             arithmetic="max(last_event_us - first_event_us - session_us, 0) / (sessions - 1) / 3600000000"),
    _feature("days_since_last_event", "time from the last event to the cut-off", "days", "duration", NEVER,
             (LAST_EVENT,),
             lambda: real(_cut_off() - LAST_EVENT.column()) / F.lit(float(DAY_MICROS)),
             arithmetic="(cut-off - last_event_us) / 86400000000"),
    _feature("tenure_days", "time from the user's first event ever to the cut-off", "days", "duration", NEVER,
             (DEBUT,), lambda: real(_cut_off() - DEBUT.column()) / F.lit(float(DAY_MICROS)),
             arithmetic="(cut-off - debut_us) / 86400000000"),
    _feature("month_of_year", "calendar month of the window", "1..12", "calendar", NEVER, (),
             lambda: real(F.month("month")),
             arithmetic="calendar month, 1 to 12"),
)  # fmt: skip

VARIETY: tuple[Feature, ...] = (
    _feature("repeat_plays", "plays of tracks already played in the month", "events", "count", NEVER,
             (PLAYS, TRACKS), lambda: real(PLAYS.column() - TRACKS.column()),
             arithmetic="plays - different_tracks"),
    _feature("new_artists", "artists played that the user had played in no earlier month", "artists", "count",
             NEVER, (NEW_ARTISTS,), lambda: real(NEW_ARTISTS.column()), source="events, tracks",
             arithmetic="new_artists"),
    _ratio("new_artist_share", "share of the month's artists that are new to the user", "0..1", "share",
           NO_PLAYS, NEW_ARTISTS, ARTISTS, source="events, tracks"),
    _feature("genre_entropy", "entropy of plays over genres, each play of the first its artist lists", "nats",
             "average", "null: no play of an artist with a genre", (GENRE_PLAYS, GENRE_LOGS),
             _entropy_or_null, source="events, artists",
             arithmetic="max(N * ln N - genre_play_logs, 0) / N / 10^11, N = genre_plays, ln N in 10^-11"),
    _ratio("average_prior_plays", "mean over plays of how often anyone had played the track before the month",
           "plays", "average", NO_PLAYS, PRIOR_PLAYS, PRIOR_KNOWN, source="events"),
    *(
        _ratio(f"{name}_storage_share", f"share of plays of tracks stored as {name.upper()}", "0..1", "share",
               NO_PLAYS, total_of(name), known_of(name), source="track_storage", snapshot=True)
        for name in STORAGE_CLASSES
    ),
)  # fmt: skip

BEHAVIOUR: tuple[Feature, ...] = (*ADVERTS, *LISTENING, *SESSION_LIFE, *VARIETY)
