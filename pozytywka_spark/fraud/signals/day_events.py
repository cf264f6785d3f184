"""Events in small numbers and one order, each beside the one before it on its account's day."""

from __future__ import annotations

import polars as pl

from pozytywka_spark.features.declared.event_codes import is_kind, is_play, kind_of
from pozytywka_spark.names import BUY_PREMIUM, SKIP

COLUMNS = ("user_id", "event_time", "event_type", "session_id", "track_id")  # what is read of events
# events that tie in all of it are alike in all that is measured
_ORDER = ("user_id", "at", "kind", "track", "session_id")
_HOUR_US, _DAY_US, _MS_US = 3_600_000_000, 86_400_000_000, 1_000
_NO_TRACK = -1


def day_events(events: pl.DataFrame, artists: pl.DataFrame) -> pl.DataFrame:
    """`COLUMNS` of events of known accounts, ordered, and numbered by account-day.

    `artists`: `track_id` and `artist_id`, a row a track. Columns: `user_id`, `day` (days since 1970, UTC),
    `row` (number of the account-day), `at` (microseconds), `kind` (of `event_codes`), `session_id`,
    `hour` (0 to 23, UTC), `track` and `artist` (numbers within this frame; a track whose artist isn't known
    has one of its own); of PLAY: `gap_ms` since the day's PLAY before it, `is_repeat` (of the same track as
    that), `is_before_purchase` (earlier than the day's first BUY_PREMIUM); of SKIP: `skip_ms` since the
    day's last PLAY, if that is of its track; `pause_ms` since the day's event before it.
    """
    numbered = _numbered(events.filter(pl.col("user_id").is_not_null()), artists).sort(_ORDER)
    rows = numbered.with_columns(
        day=(pl.col("at") // _DAY_US).cast(pl.Int32),
        hour=(pl.col("at") % _DAY_US // _HOUR_US).cast(pl.Int8),
    ).with_columns(row=pl.struct("user_id", "day").rle_id())
    return _beside_earlier(rows)


def _numbered(events: pl.DataFrame, artists: pl.DataFrame) -> pl.DataFrame:
    """Tracks and artists as numbers: of tracks the place of the id among the frame's in alphabetic order."""
    tracks = events.select(pl.col("track_id").unique().drop_nulls()).sort("track_id")
    tracks = tracks.join(artists, on="track_id", how="left", maintain_order="left").with_row_index("track")
    known = pl.col("artist_id").is_not_null()
    place, number = pl.col("track").cast(pl.Int64), pl.col("artist_id").rank("dense").cast(pl.Int64)
    # numbers of artists from 0 on, of tracks without one from -1 down
    tracks = tracks.select(
        "track_id",
        "track",
        pl.when(known).then(number).otherwise(-1 - place).alias("artist"),
    )
    joined = events.join(tracks, on="track_id", how="left")
    return joined.select(
        "user_id",
        pl.col("event_time").dt.epoch("us").alias("at"),
        kind_of(pl.col("event_type")).alias("kind"),
        "session_id",
        "track",
        "artist",
    )


def _beside_earlier(rows: pl.DataFrame) -> pl.DataFrame:
    last = {  # of the last PLAY before the row, on whatever day
        "last_at": pl.col("at"),
        "last_row": pl.col("row"),
        "last_track": pl.col("track").cast(pl.Int64).fill_null(_NO_TRACK),
    }
    before = rows.with_columns(
        pl.when(is_play()).then(value).forward_fill().shift().alias(name) for name, value in last.items()
    )
    follows_play = pl.col("last_row") == pl.col("row")
    same_track = pl.col("track").cast(pl.Int64) == pl.col("last_track")
    since_play = (pl.col("at") - pl.col("last_at")) // _MS_US
    same_day = pl.col("row") == pl.col("row").shift()
    bought_at = pl.when(is_kind(BUY_PREMIUM)).then("at").min().over("row")
    return before.with_columns(
        gap_ms=pl.when(is_play() & follows_play).then(since_play),
        is_repeat=(is_play() & follows_play & same_track).fill_null(value=False),
        skip_ms=pl.when(is_kind(SKIP) & follows_play & same_track).then(since_play),
        pause_ms=pl.when(same_day).then((pl.col("at") - pl.col("at").shift()) // _MS_US),
        is_before_purchase=(is_play() & (pl.col("at") < bought_at)).fill_null(value=False),
    ).drop(*last)
