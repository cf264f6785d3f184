"""Sessions and the time between them, days of activity, tenure, the season."""

from __future__ import annotations

import polars as pl

from pozytywka_spark.features.declared.arithmetic import total_of_values
from pozytywka_spark.features.declared.declaration import NEVER, Feature
from pozytywka_spark.features.declared.values import Formula, Measure
from pozytywka_spark.features.times import day_of
from pozytywka_spark.months import DAY_MICROS, HOUR_MICROS, MINUTE_MICROS

sessions = Measure(
    name="sessions",
    aggregate=lambda: pl.col("length").count(),
    level="session",
    arithmetic="count of sessions with an event of the month",
)
session_time = Measure(
    name="session_us",
    aggregate=lambda: total_of_values(pl.col("length")),
    level="session",
    arithmetic="sum over sessions of last event - first event, within the month",
)
active_days = Measure(
    name="active_days",
    aggregate=lambda: day_of(pl.col("at")).n_unique(),
    arithmetic="count of different UTC days with an event",
)
first_event = Measure(
    name="first_event_us",
    aggregate=lambda: pl.col("at").min(),
    arithmetic="least event time",
)
last_event = Measure(
    name="last_event_us",
    aggregate=lambda: pl.col("at").max(),
    arithmetic="greatest event time",
)
debut = Measure(
    name="debut_us",
    aggregate=lambda: pl.col("first_event_at"),
    level="user",
    arithmetic="time of the first event ever of the user",
)
cut_off = Formula(arithmetic="cut-off", measures=(), expression=lambda: pl.col("cut_off"))
# time between the first and the last event that lies in no session; 0 where sessions overlap
time_between_sessions = Formula(
    arithmetic="max(last_event_us - first_event_us - session_us, 0)",
    measures=(first_event, last_event, session_time),
    expression=lambda: (last_event - first_event - session_time).expression().clip(lower_bound=0),
)

FEATURES: tuple[Feature, ...] = (
    Feature(
        name="number_of_sessions",
        meaning="sessions with an event in the month",
        unit="sessions",
        kind="count",
        null=NEVER,
        value=sessions,
    ),
    Feature(
        name="active_days",
        meaning="days (UTC) with an event",
        unit="days",
        kind="count",
        null=NEVER,
        value=active_days,
    ),
    Feature(
        name="average_session_minutes",
        meaning="mean time from a session's first to its last event in the month",
        unit="min",
        kind="duration",
        null=NEVER,
        value=session_time / sessions / MINUTE_MICROS,
    ),
    Feature(
        name="average_hours_between_sessions",
        meaning="mean time from a session's end to the next one's start",
        unit="h",
        kind="duration",
        null="null: one session only",
        value=time_between_sessions / (sessions - 1) / HOUR_MICROS,
    ),
    Feature(
        name="days_since_last_event",
        meaning="time from the last event to the cut-off",
        unit="days",
        kind="duration",
        null=NEVER,
        value=(cut_off - last_event) / DAY_MICROS,
    ),
    Feature(
        name="tenure_days",
        meaning="time from the user's first event ever to the cut-off",
        unit="days",
        kind="duration",
        null=NEVER,
        value=(cut_off - debut) / DAY_MICROS,
    ),
    Feature(
        name="month_of_year",
        meaning="calendar month of the window",
        unit="1..12",
        kind="calendar",
        null=NEVER,
        value=Formula(
            arithmetic="calendar month, 1 to 12", measures=(), expression=lambda: pl.col("month").dt.month()
        ),
    ),
)
