"""What an event's neighbours in its session say: all windows share one partitioning and one sort."""

from __future__ import annotations

from pyspark.sql import DataFrame, Window, WindowSpec
from pyspark.sql import functions as F

from pozytywka_spark.features.kinds import is_kind, is_play
from pozytywka_spark.schemas import ADVERTISEMENT, SKIP


def with_neighbours(events: DataFrame) -> DataFrame:
    """Each event with what the session's other events of the same month say of it.

    `events` has user_id, month, session_id, at (microseconds), kind and track, and no LIKE: a
    like comes while a track plays and ends nothing. Added columns, times in microseconds:
    - `until_next`: to the session's next event; null for the last one
    - `since_play`: on a SKIP that follows its PLAY, the time since it
    - `advert_run`: on an ADVERTISEMENT, how many stand in a row up to it

    A session that crosses a cut-off is cut there: its events on each side belong to different months
    and never see each other, so nothing after a cut-off can reach the month before it.
    """
    at, advert = F.col("at"), is_kind(ADVERTISEMENT)
    follows_play = is_kind(SKIP) & F.lag(is_play()).over(_ordered())
    placed = events.select(
        *events.columns,
        (F.lead(at).over(_ordered()) - at).alias("until_next"),
        F.when(follows_play, at - F.lag(at).over(_ordered())).alias("since_play"),
        F.row_number().over(_ordered()).alias("place"),
    )
    last_other = F.last(F.when(~advert, F.col("place")), ignorenulls=True).over(
        _ordered().rowsBetween(Window.unboundedPreceding, Window.currentRow)
    )
    run = F.when(advert, F.col("place") - F.coalesce(last_other, F.lit(0))).cast("bigint")
    return placed.select(*events.columns, "until_next", "since_play", run.alias("advert_run"))


def session_spans(events: DataFrame) -> DataFrame:
    """Grain: user, month and session. `length` from its first to its last event of the month, likes too."""
    at = F.unix_micros("event_time")
    return events.groupBy("user_id", "month", "session_id").agg((F.max(at) - F.min(at)).alias("length"))


def _ordered() -> WindowSpec:
    """A session's events in order. Rows that tie in all of it are alike in all that is computed."""
    return Window.partitionBy("user_id", "month", "session_id").orderBy("at", "kind", "track")
