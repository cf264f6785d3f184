"""Rows as JSON Lines, written the way the real deliveries are: field order, spaces, fractions of seconds."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from pozytywka_spark.synthetic.catalogue import Array, Catalogue
from pozytywka_spark.synthetic.events import EVENT_TYPES, Events
from pozytywka_spark.synthetic.people import People
from pozytywka_spark.synthetic.plan import DAY_MS

_SECONDS = pa.array([f"T{s // 3600:02}:{s // 60 % 60:02}:{s % 60:02}" for s in range(86_400)])
_FRACTIONS = pa.array(["", *(f".{ms:03}000" for ms in range(1, 1000))])
_KINDS = pa.array([f'", "event_type": "{kind}", "session_id": ' for kind in EVENT_TYPES])


def session_lines(events: Events, people: People, track_ids: Array) -> pa.Array:
    """The lines of the sessions file."""
    ids = pa.array(np.append(track_ids, ""))  # index -1, no track, is written as ""
    return pc.binary_join_element_wise(
        '{"timestamp": "',
        timestamps(events.time_ms),
        '", "user_id": ',
        pa.array(people.user_id[events.user]).cast(pa.string()),
        ', "track_id": "',
        ids.take(pa.array(np.where(events.track < 0, len(track_ids), events.track))),
        _KINDS.take(pa.array(events.kind)),
        pa.array(events.session_id).cast(pa.string()),
        "}",
        "",
    )


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


def user_lines(people: People, passports: Mapping[str, Array], premium: Array, genres: Array) -> list[str]:
    """The lines of the users file."""
    columns = {
        "user_id": people.user_id.tolist(),
        **{name: values.tolist() for name, values in passports.items()},
        "favourite_genres": genres[people.favourites].tolist(),
        "premium_user": premium.tolist(),
    }
    return _dump(columns)


def artist_lines(catalogue: Catalogue, rows: slice) -> list[str]:
    """The lines of the artists file for some rows."""
    genres = [
        [str(catalogue.genres[genre]) for genre in reversed(row) if genre >= 0]
        for row in catalogue.genre_of[rows].tolist()
    ]
    return _dump({**_columns(catalogue.artists, rows), "genres": genres})


def track_lines(catalogue: Catalogue, rows: slice) -> list[str]:
    """The lines of the tracks file for some rows."""
    return _dump(_columns(catalogue.tracks, rows))


def storage_lines(catalogue: Catalogue, rows: slice) -> list[str]:
    """The lines of the track storage file for some rows."""
    return _dump(_columns(catalogue.storage, rows))


def _columns(table: Mapping[str, Array], rows: slice) -> dict[str, list[object]]:
    return {name: values[rows].tolist() for name, values in table.items()}


def _dump(columns: Mapping[str, Sequence[object]]) -> list[str]:
    names = list(columns)
    return [json.dumps(dict(zip(names, row, strict=True))) for row in zip(*columns.values(), strict=True)]
