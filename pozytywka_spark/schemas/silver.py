"""Silver tables: what ingest makes of raw files."""

from __future__ import annotations

from collections.abc import Sequence

from pozytywka_spark.names import AUDIO_FEATURES
from pozytywka_spark.schemas.table import table

# grain: user
USERS = table(
    "users",
    "user_id bigint, city string, favourite_genres array<string>, premium_user boolean",
    keys=["user_id"],
)

# grain: artist
ARTISTS = table("artists", "id string, name string, genres array<string>", keys=["id"])

# grain: track
TRACKS = table(
    "tracks",
    "id string, name string, popularity int, duration_ms bigint, explicit boolean, id_artist string, "
    "release_date date, release_date_precision string, key int, "
    + ", ".join(f"{name} double" for name in AUDIO_FEATURES),
    keys=["id"],
)

# grain: track
TRACK_STORAGE = table(
    "track_storage", "track_id string, storage_class string, daily_cost double", keys=["track_id"]
)

# grain: event; `event_id` and `user_bucket` are the hashes of `hashing.identity`
EVENTS = table(
    "events",
    "event_id binary, event_time timestamp, event_type string, user_id bigint, session_id bigint, "
    "track_id string, repaired boolean, repair_reason string, event_month date, user_bucket int",
    keys=["event_id"],
    partition_by=["event_month", "user_bucket"],
    sorted_by=["user_id", "event_time"],
)

SILVER = (USERS, ARTISTS, TRACKS, TRACK_STORAGE, EVENTS)


def order_of(name: str, columns: Sequence[str]) -> tuple[str, ...]:
    """How rows lie within a file of the table of that name; in no order if it lacks one of its columns."""
    order = next((table.sorted_by for table in SILVER if table.name == name), ())
    return order if set(order) <= set(columns) else ()
