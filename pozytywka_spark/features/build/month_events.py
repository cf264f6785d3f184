"""A month's events in small numbers and one order, plays with what is known of their track."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date

import polars as pl

from pozytywka_spark.features.build.dimensions import TRACK_MASK, USER_MASK, Dimensions
from pozytywka_spark.features.declared.event_codes import is_play, kind_of
from pozytywka_spark.features.declared.levels import ATTRIBUTES
from pozytywka_spark.months import cut_off_micros

COLUMNS = ("user_id", "event_time", "event_type", "session_id", "track_id")  # what is read of events
# of a month's events; rows that tie in all of it are alike in all that is measured
ORDER = ("user_id", "session_id", "at", "kind", "track")
MATCHES = "favourite_matches"


def number_events(events: pl.DataFrame, tracks: pl.DataFrame) -> pl.DataFrame:
    """`COLUMNS` as user_id, at (microseconds), kind, session_id, `track`, and `stray`, the id that is no
    track's of the dimension `tracks`."""
    numbered = events.join(tracks.select("track_id", "track"), on="track_id", how="left")
    return numbered.select(
        "user_id",
        pl.col("event_time").dt.epoch("us").alias("at"),
        kind_of(pl.col("event_type")).alias("kind"),
        "session_id",
        "track",
        pl.when(pl.col("track").is_null()).then("track_id").alias("stray"),
    )


def sold_by(bought: pl.DataFrame, month: date) -> pl.Series:
    """Users who have bought before the month's cut-off; a purchase at exactly the cut-off is later.

    `bought`: user_id and purchased_at (microseconds), any number of purchases a user.
    """
    early = bought.filter((pl.col("purchased_at") < cut_off_micros(month)) & pl.col("user_id").is_not_null())
    return early.get_column("user_id").unique().sort()


def without(rows: pl.DataFrame, users: pl.Series) -> pl.DataFrame:
    """The rows of known users but these."""
    return rows.filter(pl.col("user_id").is_not_null() & ~pl.col("user_id").is_in(users.implode()))


def with_attributes(events: pl.DataFrame, dimensions: Dimensions, names: Sequence[str]) -> pl.DataFrame:
    """With the named attributes of the track on plays, null on all others, and, if named, `MATCHES`: how many
    genres of the artist are favourites of the user, 0 on all others."""
    tracks, attributes = dimensions.tracks, [name for name in ATTRIBUTES if name in names]
    masks = [name for name in tracks.columns if name.startswith(TRACK_MASK)] if MATCHES in names else []
    if not attributes and not masks:
        return events
    is_known = events.get_column("track").is_not_null() & events.select(is_play()).to_series()
    # a track's number is its place among the dimension's rows; looked up without nulls, which takes a third
    # of the time: what the rows that aren't known get is taken away again
    places = events.get_column("track").fill_null(0)
    attributes_of_tracks = tracks.select(pl.col(*attributes, *masks).gather(places, null_on_oob=True))
    joined = events.hstack(attributes_of_tracks.select(pl.when(is_known).then(pl.all())))
    return _with_matches(joined, dimensions.users, masks) if masks else joined


def _with_matches(events: pl.DataFrame, users: pl.DataFrame, masks: Sequence[str]) -> pl.DataFrame:
    fond = [name.replace(TRACK_MASK, USER_MASK) for name in masks]
    joined = events.join(users, on="user_id", how="left", maintain_order="left")
    shared = [
        (pl.col(one) & pl.col(other)).bitwise_count_ones() for one, other in zip(masks, fond, strict=True)
    ]
    matches = pl.sum_horizontal(shared).cast(pl.Int64).alias(MATCHES)
    return joined.with_columns(matches).drop(*masks, *fond)
