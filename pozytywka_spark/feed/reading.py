"""Rows of events and users -> a batch of users as arrays (`listening`): how plays ended, who had bought."""

from __future__ import annotations

import numpy as np
import polars as pl

from pozytywka_spark.feed.catalogue import favourites_of
from pozytywka_spark.feed.listening import Listeners, Listening
from pozytywka_spark.feed.pairs import Array
from pozytywka_spark.feed.track_side import Catalogue

EVENTS = ("user_id", "session_id", "event_time", "event_type", "track_id")
USERS = ("user_id", "city", "favourite_genres")
PLAY, SKIP, LIKE, BUY, OTHER = range(5)
KINDS = {"PLAY": PLAY, "SKIP": SKIP, "LIKE": LIKE, "BUY_PREMIUM": BUY}
# Events as they travel: `track` is an index into the catalogue, -1 unknown
SMALL = pl.Schema(
    {
        "user_id": pl.Int64(),
        "session_id": pl.Int64(),
        "time_us": pl.Int64(),
        "kind": pl.Int8(),
        "track": pl.Int32(),
    }
)


def small(events: pl.DataFrame, track_id: pl.DataFrame, until_us: int) -> pl.DataFrame:
    """Events before `until_us` in as few bytes as they need (SMALL).

    `track_id`: `track_id` and its index `track`.
    """
    return (
        events.with_columns(time_us=pl.col("event_time").dt.epoch("us"))
        .filter(pl.col("time_us") < until_us)
        .join(track_id, on="track_id", how="left", maintain_order="left")
        .select(
            "user_id",
            "session_id",
            "time_us",
            kind=pl.col("event_type").replace_strict(KINDS, default=OTHER, return_dtype=pl.Int8),
            track=pl.col("track").fill_null(-1).cast(pl.Int32),
        )
    )


def listeners_of(events: pl.DataFrame, users: pl.DataFrame, catalogue: Catalogue) -> Listeners:
    """All `users` (USERS' columns), with the events (SMALL) that are theirs, of tracks of the catalogue.

    A play is skipped if a SKIP of its track comes in its session before the next PLAY, finished if none does.
    """
    users = users.unique("user_id", keep="first", maintain_order=True).sort("user_id")
    user_id = users.get_column("user_id").to_numpy()
    place = pl.DataFrame({"user_id": user_id}).with_row_index("user")
    mine = (
        events.filter((pl.col("kind") <= LIKE) & (pl.col("track") >= 0))
        .join(place, on="user_id", how="inner")
        # at one moment a skip ends the play before, then the next begins
        .sort("user", "session_id", "time_us", pl.col("kind") == PLAY, "track", "kind")
    )
    play = mine.get_column("kind").to_numpy() == PLAY
    columns = {name: mine.get_column(name).to_numpy() for name in ("user", "session_id", "time_us", "track")}
    skipped = _skipped(
        mine.get_column("kind").to_numpy(), play, columns["user"], columns["session_id"], columns["track"]
    )
    plays = {name: column[play] for name, column in columns.items()}
    likes = {name: column[mine.get_column("kind").to_numpy() == LIKE] for name, column in columns.items()}
    order = np.lexsort((plays["track"], plays["time_us"], plays["user"]))
    liked = np.lexsort((likes["track"], likes["time_us"], likes["user"]))
    listening = Listening(
        play_user=plays["user"][order].astype(np.int64),
        play_track=plays["track"][order].astype(np.int64),
        play_us=plays["time_us"][order],
        play_finished=~skipped[order],
        play_skipped=skipped[order],
        like_user=likes["user"][liked].astype(np.int64),
        like_track=likes["track"][liked].astype(np.int64),
        like_us=likes["time_us"][liked],
    )
    cities = {one: at for at, one in enumerate(catalogue.city.tolist())}
    city = np.array([cities.get(one, -1) for one in users.get_column("city").to_list()], np.int64)
    return Listeners(user_id, city, favourites_of(users, catalogue.genre), listening)


def buyers_of(events: pl.DataFrame) -> Array:
    """Users who have bought premium, sorted. `events`: SMALL."""
    found: Array = events.filter(pl.col("kind") == BUY).get_column("user_id").unique().sort().to_numpy()
    return found


def _skipped(kind: Array, play: Array, user: Array, session: Array, track: Array) -> Array:
    """Of each play whether it is skipped; rows lie by user, session, time."""
    number = np.cumsum(play) - 1  # of the play that a row belongs to
    skips = np.flatnonzero((kind == SKIP) & (number >= 0))
    at = np.flatnonzero(play)[number[skips]] if len(skips) else skips
    same = (user[at] == user[skips]) & (session[at] == session[skips]) & (track[at] == track[skips])
    skipped = np.zeros(int(play.sum()), bool)
    skipped[number[skips][same]] = True
    return skipped
