"""A month's events in small numbers and one order, and what is known of each beside itself.

Of a play: its track's attributes. Of any event but likes: what those before and behind it in its session say,
by looking one row up and down.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date

import numpy as np
import polars as pl

from pozytywka_spark.features.build.dimensions import TRACK_MASK, USER_MASK, Dimensions
from pozytywka_spark.features.declared.event_codes import is_kind, is_like, is_play, kind_of
from pozytywka_spark.features.declared.levels import ATTRIBUTES
from pozytywka_spark.months import cut_off_micros
from pozytywka_spark.names import ADVERTISEMENT, SKIP

COLUMNS = ("user_id", "event_time", "event_type", "session_id", "track_id")  # what is read of events
CODED = ("event_type", "track_id")  # of which are few different ones
# of a month's events; rows that tie in all of it are alike in all that is measured
ORDER = ("user_id", "session_id", "at", "kind", "track")
MATCHES = "favourite_matches"
_NONE = -1  # no track, no kind
_KIND, _MOMENT = 33, 36  # bits of a track, and of a kind too
_LONGEST_MS = 1 << 43  # longer than any month, and its microseconds still fit


def number_events(events: pl.DataFrame, tracks: pl.DataFrame) -> pl.DataFrame:
    """`COLUMNS` as user_id, at (microseconds), kind, session_id, `track`, and `stray`, the id that is no
    track's of the dimension `tracks`. The columns `CODED` may be Enums, which takes a third of the time."""
    track = _track_numbers(events.get_column("track_id"), tracks)
    return events.select(
        "user_id",
        pl.col("event_time").dt.epoch("us").alias("at"),
        kind_of(pl.col("event_type")).alias("kind"),
        "session_id",
        track,
        _strays(events.get_column("track_id"), track),
    )


def _track_numbers(ids: pl.Series, tracks: pl.DataFrame) -> pl.Series:
    """The number of each id, null for one that is no track's: `track`."""
    numbers = tracks.select("track_id", "track")
    if isinstance(ids.dtype, pl.Enum):  # a look at each text, and then at each row's code
        different = ids.dtype.categories.alias("track_id").to_frame().with_row_index("place")
        known = different.join(numbers, on="track_id")
        tracks_by_place = np.full(different.height, _NONE, np.int64)
        tracks_by_place[known.get_column("place").to_numpy()] = known.get_column("track").to_numpy()
        taken = pl.Series("track", tracks_by_place).gather(ids.to_physical())
        return (
            taken.to_frame()
            .select(pl.when(pl.col("track") != _NONE).then("track").cast(pl.UInt32))
            .to_series()
        )
    # a month's events name few tracks of the catalogue: among those alone, which a core's cache holds, each
    # row's is looked up in half the time
    named = ids.unique().to_frame().join(numbers, on="track_id")
    return ids.to_frame().join(named, on="track_id", how="left", maintain_order="left").get_column("track")


def _strays(ids: pl.Series, track: pl.Series) -> pl.Series:
    if track.null_count() == ids.null_count():  # nearly always: the ids of all others are tracks'
        return pl.Series("stray", [None], pl.String).new_from_index(0, len(ids))
    return pl.select(pl.when(track.is_null()).then(ids.cast(pl.String)).alias("stray")).to_series()


def in_order(numbered: pl.DataFrame) -> pl.DataFrame:
    """Rows of `number_events` in the order of `ORDER`.

    Files are in order of users and time, and sessions follow each other: only what ties in those is then left
    to be put into order, which takes half the time of a sort.
    """
    if numbered.get_column("session_id").null_count() or numbered.get_column("user_id").null_count():
        return numbered.sort(ORDER)
    user, session, at = (numbered.get_column(name).to_numpy() for name in ORDER[:3])
    same_user, same_session = user[1:] == user[:-1], session[1:] == session[:-1]
    in_session = (session[1:] > session[:-1]) | same_session & (at[1:] > at[:-1])
    further = (user[1:] > user[:-1]) | same_user & in_session
    tied = same_user & same_session & (at[1:] == at[:-1])
    if not (further | tied).all():
        return numbered.sort(ORDER)
    moment = np.zeros(numbered.height, np.int64)
    np.cumsum(further, out=moment[1:])
    kind, track = (
        numbered.get_column(name).cast(pl.Int64).fill_null(_NONE).to_numpy() + 1 for name in ORDER[3:]
    )
    order = np.argsort((moment << _MOMENT) + (kind << _KIND) + track, kind="stable")
    return numbered[order]


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


def with_neighbours(events: pl.DataFrame, cut_off: int) -> pl.DataFrame:
    """Events but likes with what their session's other events of the month say of them.

    `events` of one month in the order of `ORDER`, with `duration_ms` on plays. A like comes
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
