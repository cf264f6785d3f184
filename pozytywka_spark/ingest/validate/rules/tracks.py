"""Tracks: ranges of what can be measured of music; zeros that mean nobody measured."""

from __future__ import annotations

from pozytywka_spark.ingest.validate.rules import kinds
from pozytywka_spark.ingest.validate.rules.common import beyond, first, needed
from pozytywka_spark.ingest.validate.rules.identifiers import text_id
from pozytywka_spark.ingest.validate.rules.times import date_days
from pozytywka_spark.ingest.validate.rules.verdict import Broken, Entity, Judging, Meaning, Row
from pozytywka_spark.names import AUDIO_FEATURES

_PRECISIONS = {4: "year", 7: "month", 10: "day"}
BOUNDS = {
    "popularity": (0, 100),
    "duration_ms": (1, 86_400_000),
    "explicit": (0, 1),
    "key": (-1, 11),
    **{name: (0, 1) for name in AUDIO_FEATURES if name not in ("loudness", "tempo")},
    "loudness": (-100, 20),
    "tempo": (0, 400),
}
_TEMPO = AUDIO_FEATURES.index("tempo")
_BAD_DATE = Broken("bad_date", "release_date: YYYY, YYYY-MM or YYYY-MM-DD")


def meaning(row: Row, _: Judging, __: str | None) -> Meaning:
    """Silver columns of a track, and the rule that the row breaks."""
    notes: list[str] = []
    track = text_id(row.get("id"), "id", notes)
    artist = text_id(row.get("id_artist"), "id_artist", notes)
    raw_date, explicit, key = row.get("release_date"), row.get("explicit"), row.get("key")
    released = None if raw_date is None else date_days(raw_date)
    columns = (
        track,
        row.get("name"),
        row.get("popularity"),
        row.get("duration_ms"),
        None if explicit is None else explicit != 0,
        artist,
        released,
        None if raw_date is None else _PRECISIONS.get(len(raw_date)),
        key if key is not None and key >= 0 else None,
        *audio(row),
    )
    broken = first(
        needed("id", track),
        _BAD_DATE if raw_date is not None and released is None else None,
        beyond(row, BOUNDS),
    )
    return Meaning(columns, broken, notes)


def audio(row: Row) -> list[float | None]:
    """The audio features: all 0 means that they are unknown, as does a tempo of 0."""
    values = [row.get(name) for name in AUDIO_FEATURES]
    if None not in values and not any(values):
        return [None] * len(values)
    values[_TEMPO] = values[_TEMPO] or None
    return values


RULES = Entity(
    "tracks",
    {
        "id": kinds.text,
        "name": kinds.text,
        "popularity": kinds.whole,
        "duration_ms": kinds.long,
        "explicit": kinds.whole,
        "id_artist": kinds.text,
        "release_date": kinds.text,
        "key": kinds.whole,
        **dict.fromkeys(AUDIO_FEATURES, kinds.number),
    },
    ("id", "id_artist"),
    (
        "id",
        "name",
        "popularity",
        "duration_ms",
        "explicit",
        "id_artist",
        "release_date",
        "release_date_precision",
        "key",
        *AUDIO_FEATURES,
    ),
    meaning,
)
