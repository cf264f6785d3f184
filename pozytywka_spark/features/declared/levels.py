"""The frames of the levels: which columns a measure's expression may read. What they hold: see `Measure`."""

from __future__ import annotations

from collections.abc import Mapping

from pozytywka_spark.features.declared.values import Level
from pozytywka_spark.names import AUDIO_FEATURES, STORAGE_CLASSES

KEYS = ("user_id", "month", "cut_off")
ATTRIBUTES = (
    "popularity",
    "duration_ms",
    "explicit",
    "release_seconds",
    "name_length",
    *AUDIO_FEATURES,
    "daily_cost",
    *map(str.lower, STORAGE_CLASSES),
)
COLUMNS: Mapping[Level, tuple[str, ...]] = {
    "event": (*KEYS, "at", "kind", "session_id", *ATTRIBUTES, "favourite_matches"),
    "gap": (
        *KEYS, "at", "kind", "session_id", "duration_ms", "until_next", "since_play", "advert_run", "listened"
    ),
    "session": (*KEYS, "session_id", "length"),
    "popularity": (*KEYS, "plays", "prior_plays"),
    "genre": (*KEYS, "genre", "plays", "liked_plays", "tracks", "artists"),
    "group": (*KEYS, "group", "code", "plays", "new", "favourite"),
    "language": (*KEYS, "language", "plays", "polish"),
    "text": (*KEYS, "at", "months_ago", "sentiment", "price", "adverts"),
    "debut": KEYS,
    "user": (*KEYS, "first_event_at"),
}  # fmt: skip
# the tables that a level's rows are made of, beside those that every lake has
NEEDS: Mapping[Level, tuple[str, ...]] = {
    "group": ("artist_groups", "genre_groups"),
    "language": ("artist_groups", "track_languages"),
    "text": ("feedback_signals",),
}
