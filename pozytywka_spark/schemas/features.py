"""User-months, features and labels, and what a build keeps for the next one."""

from __future__ import annotations

from collections.abc import Sequence

from pozytywka_spark.schemas.table import Table, table

# grain: user and track, in the month of the first like
FIRST_LIKES = table(
    "first_likes",
    "user_id bigint, track_id string, liked_at timestamp, month date, user_bucket int",
    keys=["user_id", "track_id"],
    partition_by=["month", "user_bucket"],
)

# grain: user and artist, in the month of the first play
ARTIST_DEBUTS = table(
    "artist_debuts",
    "user_id bigint, artist_id string, month date, user_bucket int",
    keys=["user_id", "artist_id"],
    partition_by=["month", "user_bucket"],
)

# grain: user, in the month of the first event
USER_DEBUTS = table(
    "user_debuts",
    "user_id bigint, first_event_at timestamp, month date, user_bucket int",
    keys=["user_id"],
    partition_by=["month", "user_bucket"],
)

# grain: user and month with a purchase; the first one of the month, of all months with events, stray ones too
FIRST_PURCHASES = table(
    "first_purchases",
    "user_id bigint, purchased_at timestamp, month date",
    keys=["user_id", "month"],
    partition_by=["month"],
)

# grain: month with events; `inputs` is the fingerprint of all that its rows depend on, null of one that isn't
# built: of stray events only, or not asked for. `event_count`, `event_hash`, `last_event` (microseconds) and
# `days` (events of the first, the second …) are of its own events, as they lie in `files`; `labels` is JSON
# of what is counted of its labels. The same in all rows: `catalogue`, JSON of each catalogue table's digests
# of its files' names and of its rows; `user_buckets`, in how many of them the tables built have their users
FEATURE_BUILDS = table(
    "feature_builds",
    "month date, inputs string, event_count bigint, event_hash string, last_event bigint, files string, "
    "days array<bigint>, catalogue string, labels string, user_buckets int",
    keys=["month"],
)

# grain: track and month in which anyone played it
TRACK_PLAYS = table(
    "track_plays",
    "track_id string, plays bigint, month date",
    keys=["track_id", "month"],
    partition_by=["month"],
)


def user_month_table(measures: Sequence[str]) -> Table:
    """Grain: user and month with an event and no purchase before the month's end; a long per measure."""
    return table(
        "user_month",
        ", ".join(
            ["user_id bigint", "month date", *(f"{name} bigint" for name in measures), "user_bucket int"]
        ),
        keys=["user_id", "month"],
        partition_by=["month", "user_bucket"],
    )


def features_table(names: Sequence[str]) -> Table:
    """Grain: as `user_month`; a double per feature of the catalogue, in its order."""
    return table(
        "features",
        ", ".join(["user_id bigint", "month date", *(f"{name} double" for name in names)]),
        keys=["user_id", "month"],
        partition_by=["month"],
    )


def labels_table(horizon_column: str) -> Table:
    """Grain: as `user_month`; the horizon's label is null until the row is mature; `complete`: the data cover
    the whole month."""
    return table(
        "labels",
        f"user_id bigint, month date, cut_off timestamp, horizon_end timestamp, mature boolean, "
        f"{horizon_column} int, buys_ever int, complete boolean",
        keys=["user_id", "month"],
        partition_by=["month"],
    )
