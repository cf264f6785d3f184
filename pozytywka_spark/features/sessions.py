"""What an event's neighbours in its session say: all windows share one partitioning and one sort."""

from __future__ import annotations

from pyspark.sql import Column, DataFrame, Window, WindowSpec
from pyspark.sql import functions as F

from pozytywka_spark.features.kinds import is_kind, is_like, is_play
from pozytywka_spark.schemas import ADVERTISEMENT, SKIP


def with_neighbours(free: DataFrame) -> DataFrame:
    """Each free event with what its session's other events of the same month say of it.

    Added columns, times in microseconds:
    - `until_next`: to the next event of the session that isn't a LIKE; null for the last one
    - `since_play`: on a SKIP that follows its PLAY, the time since it
    - `advert_run`: on an ADVERTISEMENT, how many stand in a row up to it
    - `session_length`: on the session's first row, from its first to its last event; null on others

    A session that crosses a cut-off is cut there: its events on each side belong to different months
    and never see each other, so nothing after a cut-off can reach the month before it.
    """
    placed = free.repartition("user_id").select(
        *free.columns,
        F.unix_micros("event_time").alias("at"),
        F.row_number().over(_ordered()).alias("place"),
    )
    at, advert = F.col("at"), is_kind(ADVERTISEMENT)
    last_other = F.last(F.when(~advert, F.col("place")), ignorenulls=True).over(
        _ordered().rowsBetween(Window.unboundedPreceding, Window.currentRow)
    )
    next_at = F.when(~F.lead(is_like()).over(_ordered()), F.lead(at).over(_ordered()))
    follows_play = is_kind(SKIP) & F.lag(is_play()).over(_ordered())
    return placed.select(
        *free.columns,
        F.when(~is_like(), next_at - at).alias("until_next"),
        F.when(follows_play, at - F.lag(at).over(_ordered())).alias("since_play"),
        F.when(advert, F.col("place") - F.coalesce(last_other, F.lit(0))).cast("bigint").alias("advert_run"),
        F.when(F.col("place") == 1, _span(at)).alias("session_length"),
    )


def _ordered() -> WindowSpec:
    """A session's events in order, likes after all others: a like comes while a track plays.

    Rows that tie in all these columns are alike in all that is computed, so the order is total.
    """
    return Window.partitionBy("user_id", "month", "session_id").orderBy(
        is_like(), "event_time", "kind", "track_id"
    )


def _span(at: Column) -> Column:
    """From the first to the last event of the session within the month."""
    whole = _ordered().rowsBetween(Window.unboundedPreceding, Window.unboundedFollowing)
    return F.max(at).over(whole) - F.min(at).over(whole)
