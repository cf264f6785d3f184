"""The previous and next event of each event in its session, by looking one row up and down."""

from __future__ import annotations

import polars as pl

from pozytywka_spark.features.declared.event_codes import is_kind, is_like, is_play
from pozytywka_spark.names import ADVERTISEMENT, SKIP

_LONGEST_MS = 1 << 43  # longer than any month, and its microseconds still fit


def with_neighbours(events: pl.DataFrame, cut_off: int) -> pl.DataFrame:
    """Events but likes with what their session's other events of the month say of them.

    `events` of one month in the order of `month_events.ORDER`, with `duration_ms` on plays. A like comes
    while a track plays and ends nothing. Added columns, times in microseconds:
    - `until_next`: to the session's next event; null for the last one
    - `since_play`: on a SKIP that follows its PLAY, the time since it
    - `advert_run`: on an ADVERTISEMENT, how many stand in a row up to it
    - `listened`: on a PLAY, until the next event, at most the track's duration, never past the cut-off; null
      if neither the next event nor the duration is known

    A session that crosses a cut-off is cut there: its events on each side belong to different months
    and never see each other, so nothing after a cut-off can reach the month before it.
    """
    at, advert, place = pl.col("at"), is_kind(ADVERTISEMENT), pl.int_range(pl.len())
    begins = begins_session()
    # of a session that begins with adverts the place before them is the last of something else
    other = pl.when(~advert).then(place).when(begins).then(place - 1).forward_fill()
    after_play = is_kind(SKIP) & is_play().shift(1) & ~begins
    placed = events.filter(~is_like()).with_columns(
        pl.when(~begins.shift(-1, fill_value=True)).then(at.shift(-1) - at).alias("until_next"),
        pl.when(after_play).then(at - at.shift(1)).alias("since_play"),
        pl.when(advert).then(place - other).alias("advert_run"),
    )
    duration = pl.col("duration_ms").clip(upper_bound=_LONGEST_MS) * 1000
    bounded = is_play() & (pl.col("until_next").is_not_null() | duration.is_not_null())
    listened = pl.min_horizontal(duration, "until_next", cut_off - at)
    return placed.with_columns(pl.when(bounded).then(listened).alias("listened"))


def session_spans(events: pl.DataFrame) -> pl.DataFrame:
    """Grain: user and session. `length` from its first to its last event of the month, likes too.

    `events` as of `with_neighbours`.
    """
    placed = events.select("user_id", "session_id", "at", begins=begins_session())
    firsts = placed.filter("begins").select("user_id", "session_id", first="at")
    lasts = placed.filter(pl.col("begins").shift(-1, fill_value=True)).get_column("at")
    return firsts.select("user_id", "session_id", (lasts - pl.col("first")).alias("length"))


def begins_session() -> pl.Expr:
    """Whether the row is its session's first, in ordered events."""
    user, session = pl.col("user_id"), pl.col("session_id")
    another = (user != user.shift(1)) | session.ne_missing(session.shift(1))
    return another.fill_null(value=True)
