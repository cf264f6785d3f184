"""Rows as JSON Lines, written the way the real deliveries are: field order, spaces, fractions of seconds."""

from __future__ import annotations

import json
from collections.abc import Iterable
from dataclasses import dataclass, fields

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from pozytywka_spark.names import EVENT_TYPES
from pozytywka_spark.synthetic.catalogue import Array, Catalogue
from pozytywka_spark.synthetic.events import Events
from pozytywka_spark.synthetic.people import People
from pozytywka_spark.synthetic.plan import DAY_MS

Row = dict[str, object]

# Codes of event types beyond the five proper ones.
LOWER_CASE = len(EVENT_TYPES)  # + the proper code
MISSPELT = 2 * len(EVENT_TYPES)
NULL_TYPE = MISSPELT + 1
_TYPES = [*EVENT_TYPES, *(name.lower() for name in EVENT_TYPES), "advertisment", None]
_TYPE_TEXTS = pa.array([f', "event_type": {json.dumps(name)}, "session_id": ' for name in _TYPES])

# Codes of tracks beyond those of the catalogue.
NO_TRACK, NULL_TRACK, UNKNOWN_TRACK = -1, -2, -3
_SPECIAL_TRACKS = ["", None, "0UnknownTrack000000000"]

_SIXTY = pa.array([f"{number:02}" for number in range(60)])
_OF_A_DAY = np.arange(86_400)
_SECONDS = pc.binary_join_element_wise(
    "T", _SIXTY.take(pa.array(_OF_A_DAY // 3600)), ":", _SIXTY.take(pa.array(_OF_A_DAY // 60 % 60)), ":",
    _SIXTY.take(pa.array(_OF_A_DAY % 60)), "",
)  # fmt: skip
_FRACTIONS = pa.array(["", *(f".{ms:03}000" for ms in range(1, 1000))])


@dataclass(frozen=True)
class SessionRows:
    """Rows of the sessions file before they are written, one entry a line."""

    time_ms: Array
    user_id: Array
    user_null: Array
    track: Array  # index into the catalogue, or one of the negative codes
    kind: Array  # index into EVENT_TYPES, or one of the codes beyond
    session_id: Array

    @classmethod
    def of(cls, events: Events, people: People) -> SessionRows:
        """Clean rows."""
        user_id = people.user_id[events.user]
        clean = np.zeros(len(user_id), dtype=bool)
        return cls(events.time_ms, user_id, clean, events.track, events.kind, events.session_id)

    def __len__(self) -> int:
        return len(self.time_ms)

    def take(self, at: Array) -> SessionRows:
        """Some of the rows."""
        return SessionRows(*(getattr(self, field.name)[at] for field in fields(self)))


def session_lines(rows: SessionRows, catalogue: Catalogue) -> pa.Array:
    """The lines of the sessions file."""
    user = pa.array(rows.user_id, mask=rows.user_null).cast(pa.string()).fill_null("null")
    return pc.binary_join_element_wise(
        '{"timestamp": "',
        timestamps(rows.time_ms),
        '", "user_id": ',
        user,
        ', "track_id": ',
        _track_texts(catalogue).take(pa.array(rows.track + len(_SPECIAL_TRACKS))),
        _TYPE_TEXTS.take(pa.array(rows.kind)),
        pa.array(rows.session_id).cast(pa.string()),
        "}",
        "",
    )


def _track_texts(catalogue: Catalogue) -> pa.Array:
    """JSON of each track code, from the most negative one on."""
    special = [json.dumps(text) for text in reversed(_SPECIAL_TRACKS)]
    quoted = pc.binary_join_element_wise('"', pa.array(catalogue.tracks["id"]), '"', "")
    return pa.concat_arrays([pa.array(special), quoted])


def timestamps(time_ms: Array) -> pa.Array:
    """`2023-01-03T05:09:55`, with `.707000` only where there is a fraction."""
    day, of_day = np.divmod(time_ms, DAY_MS)
    second, fraction = np.divmod(of_day, 1000)
    low, high = (int(day.min()), int(day.max())) if len(day) else (0, 0)
    days = pa.array(np.arange(low, high + 1).astype("datetime64[D]").astype("U10"))
    return pc.binary_join_element_wise(
        days.take(pa.array(day - low)),
        _SECONDS.take(pa.array(second)),
        _FRACTIONS.take(pa.array(fraction)),
        "",
    )


def user_rows(people: People, passports: dict[str, Array], premium: Array, genres: Array) -> list[Row]:
    """Rows of the users file."""
    columns = {
        "user_id": people.user_id,
        **passports,
        "favourite_genres": genres[people.favourites],
        "premium_user": premium,
    }
    return _rows(columns, slice(None))


def artist_rows(catalogue: Catalogue, rows: slice) -> list[Row]:
    """Some rows of the artists file."""
    artists = _rows(catalogue.artists, rows)
    for artist, genre_of in zip(artists, catalogue.genre_of[rows].tolist(), strict=True):
        artist["genres"] = [str(catalogue.genres[genre]) for genre in reversed(genre_of) if genre >= 0]
    return artists


def track_rows(catalogue: Catalogue, rows: slice) -> list[Row]:
    """Some rows of the tracks file."""
    return _rows(catalogue.tracks, rows)


def storage_rows(catalogue: Catalogue, rows: slice) -> list[Row]:
    """Some rows of the track storage file."""
    return _rows(catalogue.storage, rows)


def dump(rows: Iterable[Row]) -> list[str]:
    """Rows as lines."""
    return [json.dumps(row) for row in rows]


def _rows(columns: dict[str, Array], rows: slice) -> list[Row]:
    names = list(columns)
    values = (column[rows].tolist() for column in columns.values())
    return [dict(zip(names, row, strict=True)) for row in zip(*values, strict=True)]
