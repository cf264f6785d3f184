"""Parcels that the build's jobs put down for each other: kinds, columns, keys.

A track is `track`, its number in the dimension, or, if the catalogue lacks it, `stray`, its id; one of the
two is null. A play may name no track at all: then both are null, see LISTENED. Times are microseconds since
1970 (UTC). `world` is "" for what really happened; guards put down worlds of other names (see `guards`).
"""

from __future__ import annotations

import polars as pl

# Job one. The dimensions: a line a track, a line a user with a favourite genre; key: ()
TRACKS, USERS = "tracks", "users"
# where features of groups are built: a line a user with a favourite group
FAVOURITE_GROUPS = "favourite_groups"

# Job one. First purchase of a user in a month; key: (world, month as YYYY-MM-DD)
BOUGHT = "bought"
BOUGHT_ROWS = pl.Schema({"user_id": pl.Int64, "purchased_at": pl.Int64, "month": pl.Date})

# Job one. Texts that are no spam, of a month and a bucket of users: sentiment in fixed point, null where
# unknown, `price` and `adverts` 1 where the queue is one for them, else 0; key: (month as YYYY-MM-DD, bucket)
TEXTS = "texts"
TEXT_ROWS = pl.Schema(
    {"user_id": pl.Int64, "at": pl.Int64, "sentiment": pl.Int64, "price": pl.Int64, "adverts": pl.Int64}
)

# Job two. By key (world, bucket, slice of users):
# the measures of events, gaps and sessions of a user's month (Int64, after these columns)
MEASURED = "measured"
MEASURED_ROWS = pl.Schema({"user_id": pl.Int64, "month": pl.Date, "first_event_at": pl.Int64})
# plays of a track by a user in a month, and how many of them came at or after a like of that month. A user's
# plays without a track are a row too, with neither `track` nor `stray` and no liked play: they count among
# the plays of no genre, but for no track, no artist and nobody's popularity
LISTENED = "listened"
LISTENED_ROWS = pl.Schema(
    {
        "user_id": pl.Int64,
        "month": pl.Date,
        "track": pl.UInt32,
        "stray": pl.String,
        "plays": pl.Int64,
        "liked_plays": pl.Int64,
    }
)
# the first like of a track by a user in a month; a like that names no track is of none
LIKED = "liked"
LIKED_ROWS = pl.Schema(
    {
        "user_id": pl.Int64,
        "month": pl.Date,
        "track": pl.UInt32,
        "stray": pl.String,
        "liked_at": pl.Int64,
    }
)
# By key (world,): plays of a track in a month by anyone, premium users too, in one bucket of users or a part
# of it, so that a track and month may have several rows; plays that name no track are of none
PLAYED = "played"
PLAYED_ROWS = pl.Schema({"track": pl.UInt32, "stray": pl.String, "month": pl.Date, "plays": pl.Int64})
