"""Lines of catalogues of which nothing is odd: told by one pattern, read by one fast parser.

As `fast_path` does it for sessions: what the pattern lets through are exactly the contract's fields in the
contract's order, with values that no rule has anything to say about, in plain printable ASCII. All other
lines go the long way. Of tracks and their storage, for catalogues of these are large.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
import polars as pl

from pozytywka_spark.ingest.intake.textlines import Lines, Piece
from pozytywka_spark.ingest.validate.fast_path import TRACK, Seen, as_arrow, in_form, parsed, told_apart
from pozytywka_spark.ingest.validate.rules import storage, tracks
from pozytywka_spark.ingest.validate.rules.verdict import Judging
from pozytywka_spark.names import AUDIO_FEATURES, STORAGE_CLASSES

# Numbers that Python and Polars read alike, to the last bit; -0 isn't one of them
_REAL = r"(?:-?(?:0|[1-9][0-9]{0,5})\.[0-9]{1,17}(?:e-[0-9]{2})?|0|-?[1-9][0-9]{0,5})"
_TEXT = r"[ !#-\[\]-~]*"
# Days that every year has
_DATE = (
    "(?:1[0-9]{3}|20[0-9]{2})(?:-(?:0[1-9]|1[0-2])|-(?:0[13578]|1[02])-(?:0[1-9]|[12][0-9]|3[01])"
    "|-(?:0[469]|11)-(?:0[1-9]|[12][0-9]|30)|-02-(?:0[1-9]|1[0-9]|2[0-8]))?"
)
_LAST_PARTS = "-01-01"  # what a date may lack
_PRECISIONS = {4: "year", 7: "month", 10: "day"}
# As a text, however written: see `rules.identifiers`
_FOR_NONE = ("null", "none", "nan", "-1")


@dataclass(frozen=True)
class UsualRows:
    """The usual form of an entity's lines, their fields as a parser reads them, and what these mean.

    `passing`: whether rows say nothing that the rules must look at; `columns`: those of the entity's table.
    """

    form: str
    raw: Mapping[str, Any]
    passing: pl.Expr
    columns: Callable[[pl.DataFrame], pl.DataFrame]


def look_at_rows(lines: Piece | Lines, usual: UsualRows, judging: Judging) -> Seen:
    """Lines in the usual form as rows of the entity's table, with `source_order`; all others as they are."""
    texts, offsets = as_arrow(lines)
    formed = in_form(texts, usual.form, judging)
    rows = parsed(texts, formed, usual.raw)
    passing = rows.select(usual.passing).to_series().to_numpy()
    return told_apart(texts, offsets, np.flatnonzero(formed)[passing], usual.columns(rows.filter(passing)))


def _form(fields: Mapping[str, str]) -> str:
    return r"\A\{" + ", ?".join(f'"{name}": ?{form}' for name, form in fields.items()) + r"\}\r?\n?\z"


def _is_named(name: str) -> pl.Expr:
    return ~pl.col(name).str.to_lowercase().is_in(_FOR_NONE)


def _within(bounds: Mapping[str, tuple[int, int]]) -> pl.Expr:
    return pl.all_horizontal(pl.col(name).is_between(*both) for name, both in bounds.items())


def _tracks(rows: pl.DataFrame) -> pl.DataFrame:
    """Silver columns, as `rules.tracks.meaning` has them."""
    date = pl.col("release_date")
    whole_date = date + pl.lit(_LAST_PARTS).str.slice(date.str.len_bytes().cast(pl.Int64) - len("YYYY"))
    is_measured = pl.any_horizontal(pl.col(name) != 0 for name in AUDIO_FEATURES)
    audio = {name: pl.when(is_measured).then(name) for name in AUDIO_FEATURES}
    audio["tempo"] = pl.when(is_measured & (pl.col("tempo") != 0)).then("tempo")
    return rows.select(
        "id",
        "name",
        "popularity",
        "duration_ms",
        pl.col("explicit") != 0,
        "id_artist",
        whole_date.str.to_date("%Y-%m-%d").alias("release_date"),
        date.str.len_bytes()
        .replace_strict(_PRECISIONS, return_dtype=pl.String)
        .alias("release_date_precision"),
        pl.when(pl.col("key") >= 0).then("key").alias("key"),
        **audio,
    )


_TRACKS = UsualRows(
    _form(
        {
            "id": f'"{TRACK}"',
            "name": f'"{_TEXT}"',
            "popularity": "(?:100|[1-9]?[0-9])",
            "duration_ms": "[1-9][0-9]{0,7}",
            "explicit": "[01]",
            "id_artist": f'"{TRACK}"',
            "release_date": f'"{_DATE}"',
            "danceability": _REAL,
            "energy": _REAL,
            "key": "(?:-1|[0-9]|1[01])",
            **dict.fromkeys(AUDIO_FEATURES[2:], _REAL),
        }
    ),
    {
        "id": pl.String,
        "name": pl.String,
        "popularity": pl.Int32,
        "duration_ms": pl.Int64,
        "explicit": pl.Int32,
        "id_artist": pl.String,
        "release_date": pl.String,
        "key": pl.Int32,
        **dict.fromkeys(AUDIO_FEATURES, pl.Float64),
    },
    _is_named("id") & _is_named("id_artist") & _within(tracks.BOUNDS),
    _tracks,
)
_STORAGE = UsualRows(
    _form(
        {
            "track_id": f'"{TRACK}"',
            "storage_class": f'"(?:{"|".join(STORAGE_CLASSES)})"',
            "daily_cost": _REAL,
        }
    ),
    {"track_id": pl.String, "storage_class": pl.String, "daily_cost": pl.Float64},
    _is_named("track_id") & _within(storage.BOUNDS),
    lambda rows: rows,
)
USUAL: Mapping[str, UsualRows] = {tracks.RULES.name: _TRACKS, storage.RULES.name: _STORAGE}
