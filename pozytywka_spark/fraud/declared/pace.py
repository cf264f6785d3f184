"""How much, how fast and at which hours."""

from __future__ import annotations

import polars as pl

from pozytywka_spark.features.declared.arithmetic import count_if, ratio, real
from pozytywka_spark.features.declared.event_codes import is_play
from pozytywka_spark.fraud.declared.declaration import NEVER, NO_PLAYS, Measure, Signal

_SECOND, _HOUR = 1_000.0, 3_600_000.0  # milliseconds
NIGHT_ENDS = 6

plays = Measure(name="n_plays", level="event", value=lambda: count_if(is_play()), arithmetic="count of PLAY")
sessions = Measure(
    name="n_sessions",
    level="event",
    value=lambda: pl.col("session_id").n_unique(),
    arithmetic="number of different session_id",
)
night_plays = Measure(
    name="n_night_plays",
    level="event",
    value=lambda: count_if(is_play() & (pl.col("hour") < NIGHT_ENDS)),
    arithmetic="count of PLAY from 0:00 to before 6:00 UTC",
)
gaps = Measure(
    name="n_gaps",
    level="event",
    value=lambda: pl.col("gap_ms").count(),
    arithmetic="count of PLAY but the day's first",
)
gap_sum = Measure(
    name="gap_sum_ms",
    level="event",
    value=lambda: pl.col("gap_ms").sum(),
    arithmetic="sum over PLAY of milliseconds since the day's PLAY before it",
)
gap_squares = Measure(
    name="gap_squares",
    level="event",
    value=lambda: (pl.col("gap_ms") * pl.col("gap_ms")).sum(),
    arithmetic="sum of squares over PLAY of milliseconds since the day's PLAY before it",
)
gap_median = Measure(
    name="gap_median_half_ms",
    level="event",
    value=lambda: (pl.col("gap_ms").median() * 2).cast(pl.Int64),
    arithmetic="median over PLAY of milliseconds since the day's PLAY before it, in halves of one",
)
longest_pause = Measure(
    name="longest_pause_ms",
    level="event",
    value=lambda: pl.col("pause_ms").max(),
    arithmetic="most milliseconds between two events of the day that follow each other",
)
busiest_hour = Measure(
    name="busiest_hour",
    level="hour",
    value=lambda: pl.col("plays").max(),
    arithmetic="most PLAY within one hour of the clock, UTC",
)
hours = Measure(
    name="n_hours",
    level="hour",
    value=lambda: pl.len(),
    arithmetic="hours of the clock, UTC, with a PLAY",
)


def _deviation() -> pl.Expr:
    mean = ratio(pl.col("gap_sum_ms"), pl.col("n_gaps"))
    square = ratio(pl.col("gap_squares"), pl.col("n_gaps"))
    spread = (square - mean * mean).clip(lower_bound=0.0).sqrt()
    return pl.when((pl.col("n_gaps") > 1) & (mean > 0)).then(spread / mean)


SIGNALS: tuple[Signal, ...] = (
    Signal(
        name="plays",
        meaning="tracks begun",
        unit="events",
        null=NEVER,
        value=lambda: real(pl.col("n_plays")),
        arithmetic="n_plays",
        measures=(plays,),
    ),
    Signal(
        name="sessions",
        meaning="sessions with an event",
        unit="sessions",
        null=NEVER,
        value=lambda: real(pl.col("n_sessions")),
        arithmetic="n_sessions",
        measures=(sessions,),
    ),
    Signal(
        name="busiest_hour_plays",
        meaning="most plays within one hour of the clock (UTC)",
        unit="events",
        null=NEVER,
        value=lambda: real(pl.col("busiest_hour").fill_null(0)),
        arithmetic="busiest_hour, 0 without plays",
        measures=(busiest_hour,),
    ),
    Signal(
        name="active_hours",
        meaning="hours of the clock (UTC) with a play",
        unit="hours",
        null=NEVER,
        value=lambda: real(pl.col("n_hours").fill_null(0)),
        arithmetic="n_hours, 0 without plays",
        measures=(hours,),
    ),
    Signal(
        name="night_share",
        meaning="share of plays from midnight to before six (UTC)",
        unit="1",
        null=NO_PLAYS,
        value=lambda: ratio(pl.col("n_night_plays"), pl.col("n_plays")),
        arithmetic="n_night_plays / n_plays",
        measures=(night_plays, plays),
    ),
    Signal(
        name="median_gap_seconds",
        meaning="median time from a play to the next",
        unit="s",
        null="null: fewer than two plays",
        value=lambda: real(pl.col("gap_median_half_ms")) / (2 * _SECOND),
        arithmetic="gap_median_half_ms / 2000",
        measures=(gap_median,),
    ),
    Signal(
        name="gap_deviation",
        meaning="standard deviation of the times between plays by their mean: near 0 for a machine's beat",
        unit="1",
        null="null: fewer than three plays, or all at one instant",
        value=_deviation,
        arithmetic="sqrt(gap_squares / n_gaps - (gap_sum_ms / n_gaps)^2) / (gap_sum_ms / n_gaps)",
        measures=(gaps, gap_sum, gap_squares),
    ),
    Signal(
        name="longest_pause_hours",
        meaning="longest time of the day between two events",
        unit="h",
        null="null: one event",
        # Polars divides by a number through its reciprocal, but for a single row: the same bits either way
        value=lambda: real(pl.col("longest_pause_ms")) * (1 / _HOUR),
        arithmetic="longest_pause_ms / 3600000",
        measures=(longest_pause,),
    ),
)
