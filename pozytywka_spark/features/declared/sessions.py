"""Sessions and the time between them, days of activity, tenure, the season."""

from __future__ import annotations

import polars as pl

from pozytywka_spark.features.declared.arithmetic import divided, ratio, real, total_of_values
from pozytywka_spark.features.declared.declaration import Feature, Measure
from pozytywka_spark.features.declared.declare import NEVER, feature, measure_itself, ratio_of
from pozytywka_spark.features.times import day_of
from pozytywka_spark.months import DAY_MICROS, HOUR_MICROS, MICROS

SESSIONS = Measure(
    "sessions",
    lambda: pl.col("length").count(),
    level="session",
    arithmetic="count of sessions with an event of the month",
)
SESSION_TIME = Measure(
    "session_us",
    lambda: total_of_values(pl.col("length")),
    level="session",
    arithmetic="sum over sessions of last event - first event, within the month",
)
ACTIVE_DAYS = Measure(
    "active_days",
    lambda: day_of(pl.col("at")).n_unique(),
    arithmetic="count of different UTC days with an event",
)
FIRST_EVENT = Measure("first_event_us", lambda: pl.col("at").min(), arithmetic="least event time")
LAST_EVENT = Measure("last_event_us", lambda: pl.col("at").max(), arithmetic="greatest event time")
DEBUT = Measure(
    "debut_us",
    lambda: pl.col("first_event_at"),
    level="user",
    arithmetic="time of the first event ever of the user",
)


def _between_sessions() -> pl.Expr:
    """Time between the first and the last event that lies in no session; 0 where sessions overlap."""
    return (LAST_EVENT.column() - FIRST_EVENT.column() - SESSION_TIME.column()).clip(lower_bound=0)


def _days_to_cut_off(at: pl.Expr) -> pl.Expr:
    return divided(real(pl.col("cut_off") - at), float(DAY_MICROS))


SESSION_LIFE: tuple[Feature, ...] = (
    measure_itself("number_of_sessions", "sessions with an event in the month", SESSIONS, "sessions"),
    measure_itself("active_days", "days (UTC) with an event", ACTIVE_DAYS, "days"),
    ratio_of("average_session_minutes", "mean time from a session's first to its last event in the month",
             "min", "duration", NEVER, SESSION_TIME, SESSIONS, scale=60.0 * MICROS),
    feature("average_hours_between_sessions", "mean time from a session's end to the next one's start", "h",
            "duration", "null: one session only", (FIRST_EVENT, LAST_EVENT, SESSION_TIME, SESSIONS),
            lambda: ratio(_between_sessions(), SESSIONS.column() - 1, float(HOUR_MICROS)),
            arithmetic="max(last_event_us - first_event_us - session_us, 0) / (sessions - 1) / 3600000000"),
    feature("days_since_last_event", "time from the last event to the cut-off", "days", "duration", NEVER,
            (LAST_EVENT,), lambda: _days_to_cut_off(LAST_EVENT.column()),
            arithmetic="(cut-off - last_event_us) / 86400000000"),
    feature("tenure_days", "time from the user's first event ever to the cut-off", "days", "duration", NEVER,
            (DEBUT,), lambda: _days_to_cut_off(DEBUT.column()),
            arithmetic="(cut-off - debut_us) / 86400000000"),
    feature("month_of_year", "calendar month of the window", "1..12", "calendar", NEVER, (),
            lambda: real(pl.col("month").dt.month()),
            arithmetic="calendar month, 1 to 12"),
)  # fmt: skip
