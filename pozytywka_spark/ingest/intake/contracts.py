"""Contracts of raw files: fields, types, which are required, and which are personal."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from pozytywka_spark import names, schemas


@dataclass(frozen=True)
class Contract:
    """One entity of a delivery: its raw fields, and the table that its rows become.

    `fields`: each field's type, as SQL spells it. `safe` fields may be kept of a rejected row; None: all of
    them. A field outside `safe` is personal. `optional`: a service may have nothing of the kind, so nobody
    misses it.
    """

    entity: str
    fields: Mapping[str, str]
    table: schemas.Table
    safe: tuple[str, ...] | None = None
    ignored: tuple[str, ...] = ()
    optional: bool = False

    @property
    def required(self) -> tuple[str, ...]:
        """Fields that each file must have, if only with null in it."""
        return tuple(self.fields)


def _fields(declared: str) -> dict[str, str]:
    return dict(field.split(" ") for field in declared.split(", "))


SESSIONS = Contract(
    "sessions",
    _fields("timestamp string, user_id bigint, track_id string, event_type string, session_id bigint"),
    schemas.EVENTS,
)

USERS = Contract(
    "users",
    _fields("user_id bigint, city string, favourite_genres array<string>, premium_user boolean"),
    schemas.USERS,
    safe=("user_id", "city", "favourite_genres", "premium_user"),
    ignored=("name", "street"),
)

ARTISTS = Contract("artists", _fields("id string, name string, genres array<string>"), schemas.ARTISTS)

TRACKS = Contract(
    "tracks",
    _fields(
        "id string, name string, popularity int, duration_ms bigint, explicit int, id_artist string, "
        "release_date string, key int, " + ", ".join(f"{name} double" for name in names.AUDIO_FEATURES)
    ),
    schemas.TRACKS,
)

TRACK_STORAGE = Contract(
    "track_storage",
    _fields("track_id string, storage_class string, daily_cost double"),
    schemas.TRACK_STORAGE,
)

FEEDBACK = Contract(
    "feedback",
    _fields(
        "feedback_id string, timestamp string, user_id bigint, channel string, text string, score int, "
        "queue string, spam boolean"
    ),
    schemas.FEEDBACK,
    safe=("feedback_id", "timestamp", "user_id", "channel", "score", "queue", "spam"),
    optional=True,
)

# Sessions behind the catalogue that they refer to; feedback last, for users' names are masked in it.
CONTRACTS = (USERS, ARTISTS, TRACKS, TRACK_STORAGE, SESSIONS, FEEDBACK)
ENTITIES = tuple(contract.entity for contract in CONTRACTS)
REQUIRED_ENTITIES = tuple(contract.entity for contract in CONTRACTS if not contract.optional)
_COMPRESSED = ("", ".gz", ".bz2", ".zst", ".zstd")
SUFFIXES = tuple(form + packed for form in ("", ".jsonl", ".json") for packed in _COMPRESSED)
