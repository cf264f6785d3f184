"""Rows brought together by key for the checks of silver: kinds of parcels, and their way into slices.

The first job stages what it counted, the second has one slice of the keys at a time: no task holds more
than about `SLICE_ROWS` rows of a kind. A parcel's key is (number of the slice,).
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

import polars as pl

from pozytywka_spark.hashing.slices import slices_for
from pozytywka_spark.lake.shards import Parcel
from pozytywka_spark.lake.tasks import TaskFiles

SLICE_ROWS = 2_000_000  # of the largest table, for each slice

# Kinds of parcels. What was done; a key may come in many rows, of other shards
USER_EVENTS = "user_events"  # grain: user × month (× part of it); `late`: adverts after `bought_at`
LIKES = "likes"  # grain: user × track (× part of events)
TRACK_EVENTS = "track_events"  # grain: track (× part of events)
SESSION_EVENTS = "session_events"  # grain: session (× part of events); its least and greatest user
# The tables' own keys, and where they point to
USERS, TRACKS, ARTISTS, STORED = "user_keys", "track_keys", "artist_keys", "stored_keys"
TRACK_ARTISTS, TRACK_NAMES, ARTIST_NAMES = "track_artists", "track_names", "artist_names"

_COLUMNS: Mapping[str, Mapping[str, pl.DataType]] = {
    USER_EVENTS: {
        "user_id": pl.Int64(),
        "month": pl.Date(),
        "events": pl.Int64(),
        "bought": pl.Int64(),
        "bought_at": pl.Datetime("us", "UTC"),
        "adverts": pl.Int64(),
        "late": pl.Int64(),
    },
    LIKES: {"user_id": pl.Int64(), "track_id": pl.String(), "likes": pl.Int64()},
    TRACK_EVENTS: {"track_id": pl.String(), "plays": pl.Int64(), "events": pl.Int64()},
    SESSION_EVENTS: {
        "session_id": pl.Int64(),
        "events": pl.Int64(),
        "user_id": pl.Int64(),
        "other": pl.Int64(),
    },
    USERS: {"user_id": pl.Int64(), "premium_user": pl.Boolean()},
    TRACKS: {"id": pl.String()},
    ARTISTS: {"id": pl.String()},
    STORED: {"track_id": pl.String()},
    TRACK_ARTISTS: {"id_artist": pl.String(), "id": pl.String()},
    TRACK_NAMES: {"name": pl.String(), "id": pl.String()},
    ARTIST_NAMES: {"name": pl.String(), "id": pl.String()},
}
# the first column of each is what its slice goes by
KINDS: Mapping[str, pl.Schema] = {kind: pl.Schema(columns) for kind, columns in _COLUMNS.items()}


def key_slices(rows: int) -> int:
    """How many slices of keys serve tables of at most so many rows."""
    return slices_for(rows, SLICE_ROWS)


@dataclass
class Staging:
    """Rows on their way into parcels: kept until there are many, so that parcels are few."""

    files: TaskFiles
    slices: int
    _kept: dict[str, list[pl.DataFrame]] = field(default_factory=dict)
    _rows: int = 0

    def add(self, kind: str, rows: pl.DataFrame) -> None:
        """Rows with the columns of their kind, in any order."""
        schema = KINDS[kind]
        self._kept.setdefault(kind, []).append(_on_their_own(rows.select(schema.names()).cast(schema)))
        self._rows += rows.height
        if self._rows > SLICE_ROWS:
            self.stage()

    def stage(self) -> None:
        """Put all of it down, slice by slice."""
        for kind, frames in self._kept.items():
            rows = pl.concat(frames)
            if self.slices == 1:
                self.files.stage(kind, rows, (0,))
                continue
            number = _slice_of(pl.col(rows.columns[0]), rows.schema[rows.columns[0]], self.slices)
            for (key,), part in rows.with_columns(slice=number).partition_by("slice", as_dict=True).items():
                self.files.stage(kind, part.drop("slice"), (int(key),))
        self._kept, self._rows = {}, 0


def _on_their_own(rows: pl.DataFrame) -> pl.DataFrame:
    """The same rows, with texts of their own.

    Polars' texts point into those of the frame that they were taken from: a few keys that are kept would keep
    all events of their month in memory.
    """
    if pl.String not in rows.dtypes:
        return rows
    return pl.DataFrame(pl.from_arrow(rows.to_arrow(compat_level=pl.CompatLevel.oldest())))


def _slice_of(key: pl.Expr, kind: pl.DataType, slices: int) -> pl.Expr:
    """The slice of a key; of no key, the first. Polars' hash is the same for all of one release."""
    number = key if kind.is_integer() else key.hash(seed=0)
    return (number % slices).fill_null(0).cast(pl.Int64)


def read_kind(files: TaskFiles, parcels: Sequence[Parcel], kind: str) -> pl.DataFrame:
    """Rows of the kind; none is a frame too."""
    mine = [parcel for parcel in parcels if parcel.kind == kind]
    return files.read(mine) if mine else KINDS[kind].to_frame()
