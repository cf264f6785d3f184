"""The catalogue tables as features read them: which columns, and a digest of what they say."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence

import polars as pl

from pozytywka_spark.lake.shards import DataFile
from pozytywka_spark.lake.tasks import TaskFiles
from pozytywka_spark.names import AUDIO_FEATURES

# All that features read of the catalogue tables; users' premium flag and city are not among it.
_TEXT, _REAL, _TEXTS = pl.String(), pl.Float64(), pl.List(pl.String())
READ: dict[str, pl.Schema] = {
    "tracks": pl.Schema(
        {
            "id": _TEXT,
            "name": _TEXT,
            "popularity": pl.Int32(),
            "duration_ms": pl.Int64(),
            "explicit": pl.Boolean(),
            "id_artist": _TEXT,
            "release_date": pl.Date(),
            **dict.fromkeys(AUDIO_FEATURES, _REAL),
        }
    ),
    "artists": pl.Schema({"id": _TEXT, "genres": _TEXTS}),
    "track_storage": pl.Schema({"track_id": _TEXT, "storage_class": _TEXT, "daily_cost": _REAL}),
    "users": pl.Schema({"user_id": pl.Int64(), "favourite_genres": _TEXTS}),
    "genre_groups": pl.Schema({"genre": _TEXT, "group_id": _TEXT}),
    "artist_groups": pl.Schema({"id": _TEXT, "group_id": _TEXT, "language": _TEXT}),
    "track_languages": pl.Schema({"id": _TEXT, "language": _TEXT}),
}
_LINE, _FIELD, _NULL = "\n", ";", "-"


def read_table(name: str, data_files: Sequence[DataFile], files: TaskFiles) -> pl.DataFrame:
    """The columns of a catalogue table that features read; a table may have no file yet."""
    return files.read(data_files, list(READ[name])) if data_files else pl.DataFrame(schema=READ[name])


def contents_digest(rows: pl.DataFrame) -> str:
    """SHA-256 of rows, each as a line of text, in the order of the lines: neither files nor order matter.

    The first line names the columns. A value is: null `-`; a whole number, a flag (0 or 1) or a date (days
    since 1970) its decimal digits; a real number those of its 64 bits as a signed whole number; a text its
    length in bytes, `:` and itself; a list its length, `[`, its texts and `]`. Values are parted by `;`, so
    different rows never have the same line. Columns of other types raise `polars` errors.
    """
    digests = pl.DataFrame([_told(rows.get_column(name)) for name in rows.columns])
    lines = digests.select(pl.concat_str(pl.all(), separator=_FIELD)).to_series().sort()
    digest = hashlib.sha256(_FIELD.join(rows.columns).encode())
    if rows.height:
        digest.update(f"{_LINE}{lines.str.join(_LINE).item()}".encode())
    return digest.hexdigest()


def _told(values: pl.Series) -> pl.Series:
    if isinstance(values.dtype, pl.List):
        texts = [None if each is None else _list_told(each) for each in values.to_list()]
        return pl.Series(values.name, texts, pl.String).fill_null(_NULL)
    value = pl.col(values.name)
    if values.dtype.is_float():
        text = value.cast(pl.Float64).reinterpret(dtype=pl.Int64).cast(pl.String)
    elif values.dtype == pl.String:
        text = pl.format("{}:{}", value.str.len_bytes(), value)
    else:
        text = value.cast(pl.Int32 if values.dtype == pl.Date else pl.Int64).cast(pl.String)
    return values.to_frame().select(text.fill_null(_NULL)).to_series().alias(values.name)


def _list_told(texts: Sequence[str | None]) -> str:
    parts = (_NULL if text is None else f"{len(text.encode())}:{text}" for text in texts)
    return f"{len(texts)}[{_FIELD.join(parts)}]"
