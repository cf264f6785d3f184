"""A month of some users' events to whole numbers: measures by user, plays and first likes by user and track.

It sees this month only. Plays and likes by track are the base of popularity, genres and likes for life.
Events are put into one order, by user, session and time, in which whatever an aggregate or a neighbour needs
lies side by side.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date

import polars as pl

from pozytywka_spark.features.build.aggregate import aggregate_users, read_by
from pozytywka_spark.features.build.dimensions import Dimensions
from pozytywka_spark.features.build.month_events import (
    in_order,
    number_events,
    session_spans,
    sold_by,
    with_attributes,
    with_neighbours,
    without,
)
from pozytywka_spark.features.build.parcels import LIKED_ROWS, LISTENED_ROWS, MEASURED_ROWS, PLAYED_ROWS
from pozytywka_spark.features.build.plan import CataloguePlan, Named
from pozytywka_spark.features.declared.event_codes import is_like, is_play
from pozytywka_spark.months import cut_off_micros

_TRACKS = 1 << 32  # more than there are


@dataclass(frozen=True)
class MonthMade:
    """What a month comes to, as `staged` says: `measured` with the plan's measures of events, gaps and
    sessions in the plan's order; `played` counts everyone's plays, the others free users'."""

    measured: pl.DataFrame
    listened: pl.DataFrame
    liked: pl.DataFrame
    played: pl.DataFrame

    def but(self, users: pl.Series) -> MonthMade:
        """Without what is these users' own."""
        return MonthMade(
            without(self.measured, users),
            without(self.listened, users),
            without(self.liked, users),
            self.played,
        )


def measure_month(
    events: pl.DataFrame, bought: pl.DataFrame, dimensions: Dimensions, plan: CataloguePlan, month: date
) -> MonthMade:
    """What `events` of one month come to (`month_events.COLUMNS`, all that their users did in it).

    `bought`: user_id and purchased_at (microseconds) of all known purchases, of whichever month.
    Raises `DataError` naming user and month if a sum leaves 64 bits.
    """
    numbered = number_events(events, dimensions.tracks)
    return measure_numbered(numbered, sold_by(bought, month), dimensions, plan, month)


def measure_numbered(
    numbered: pl.DataFrame, sold: pl.Series, dimensions: Dimensions, plan: CataloguePlan, month: date
) -> MonthMade:
    """As `measure_month`, of `number_events` and the users who had bought by the cut-off."""
    in_sessions = bool(plan.at("gap", "session"))
    free = without(numbered, sold)
    free = in_order(free) if in_sessions else free.sort("user_id")
    listened, liked = plays_and_likes(free, dimensions, month)
    return MonthMade(
        _measured(free, dimensions, plan, month), listened, liked, plays_by_anyone(numbered, month)
    )


def _measured(free: pl.DataFrame, dimensions: Dimensions, plan: CataloguePlan, month: date) -> pl.DataFrame:
    """Each level by itself, and only if a measure asks for it; the events make the rows."""
    of_events, of_gaps, of_sessions = plan.at("event"), plan.at("gap"), plan.at("session")
    asked = {*read_by(of_events), *({"duration_ms"} if of_gaps else ())}
    events = with_attributes(free.drop("stray"), dimensions, sorted(asked))
    timed = events.with_columns(month=pl.lit(month), cut_off=pl.lit(cut_off_micros(month), pl.Int64))
    first = Named("first_event_at", pl.col("at").min().cast(pl.Int64))
    rows = aggregate_users(timed, [first, *of_events], month, dimensions.largest)
    if of_gaps:
        columns = ("user_id", "month", "cut_off", "session_id", "at", "kind", "duration_ms")
        gaps = with_neighbours(timed.select(columns), cut_off_micros(month))
        rows = _beside(rows, aggregate_users(gaps, of_gaps, month))
    if of_sessions:
        sessions = session_spans(timed).with_columns(
            month=pl.lit(month), cut_off=pl.lit(cut_off_micros(month), pl.Int64)
        )
        rows = _beside(rows, aggregate_users(sessions, of_sessions, month))
    names = [measure.name for measure in plan.at("event", "gap", "session")]
    return rows.with_columns(month=pl.lit(month)).select(*MEASURED_ROWS, *names)


def _beside(rows: pl.DataFrame, more: pl.DataFrame) -> pl.DataFrame:
    """With another level's measures; 0 for a user that it doesn't know."""
    joined = rows.join(more, on="user_id", how="left", maintain_order="left")
    return joined.with_columns(pl.col(more.columns[1:]).fill_null(0))


def plays_and_likes(
    events: pl.DataFrame, dimensions: Dimensions, month: date
) -> tuple[pl.DataFrame, pl.DataFrame]:
    """`parcels.LISTENED_ROWS` and `parcels.LIKED_ROWS` of a month's events, each user's beside each other.

    Both in the order of users and of tracks' places, strays last: so the third pass finds them in its order,
    and they take half the bytes.
    """
    with_track = _of_tracks(events.drop_nulls("track"), dimensions)
    others = _of_strays(events.filter(pl.col("track").is_null()))
    return (
        _shaped([with_track[0], others[0]], month, LISTENED_ROWS),
        _shaped([with_track[1], others[1]], month, LIKED_ROWS),
    )


def plays_by_anyone(events: pl.DataFrame, month: date) -> pl.DataFrame:
    """`parcels.PLAYED_ROWS` of a month's events: plays that name a track."""
    plays = events.filter(is_play())
    counted = plays.drop_nulls("track").group_by("track").len("plays").sort("track")
    strays = plays.drop_nulls("stray").group_by("stray").len("plays").sort("stray")
    return _shaped([counted, strays], month, PLAYED_ROWS)


def _of_tracks(events: pl.DataFrame, dimensions: Dimensions) -> tuple[pl.DataFrame, pl.DataFrame]:
    """Of events with a track: user and track's place are made one number, which halves the time."""
    places = dimensions.tracks.get_column("place").gather(events.get_column("track"))
    key = pl.col("user_id").rle_id().cast(pl.UInt64) * _TRACKS + places
    keyed = events.select("at", "kind", key=key)
    plays = keyed.filter(is_play())
    liked = keyed.filter(is_like()).group_by("key").agg(liked_at=pl.col("at").min()).sort("key")
    # each play of a sorted run: a number and how often it is there
    counted = plays.get_column("key").sort().rle().struct.unnest().rename({"value": "key", "len": "plays"})
    since = plays.join(liked, on="key").filter(pl.col("liked_at") <= pl.col("at"))
    listened = counted.join(
        since.group_by("key").len("liked_plays"), on="key", how="left", maintain_order="left"
    ).with_columns(pl.col("liked_plays").fill_null(0))
    users = events.get_column("user_id").rle().struct.field("value")

    def apart(rows: pl.DataFrame) -> pl.DataFrame:
        keys = rows.get_column("key")
        return rows.with_columns(
            user_id=users.gather(keys // _TRACKS), track=dimensions.track_at.gather(keys % _TRACKS)
        )

    return apart(listened), apart(liked)


def _of_strays(events: pl.DataFrame) -> tuple[pl.DataFrame, pl.DataFrame]:
    """Of events without one: of strays, and plays that name no track, of which nobody can like any."""
    plays, keys = events.filter(is_play()), ["user_id", "stray"]
    likes = events.filter(is_like()).drop_nulls("stray")
    liked = likes.group_by(keys).agg(liked_at=pl.col("at").min()).sort(keys)
    since = (pl.col("liked_at") <= pl.col("at")).sum()
    joined = plays.join(liked, on=keys, how="left")
    return joined.group_by(keys).agg(plays=pl.len(), liked_plays=since).sort(keys), liked


def _shaped(rows: Sequence[pl.DataFrame], month: date, schema: pl.Schema) -> pl.DataFrame:
    both = pl.concat(rows, how="diagonal_relaxed")
    return both.with_columns(month=pl.lit(month)).select(*schema).cast(schema)
