"""Lines of sessions of which nothing is odd: told by one pattern, read by one fast parser.

Nearly all lines of nearly all deliveries have one form: exactly the contract's fields in the contract's
order, as Python or any plain writer puts them down, with values that no rule has anything to say about.
Such a line is sound; any JSON parser reads it alike. Any other line is doubtful and goes the long way
(`judged`, `rules`). So whether a line is found sound decides how fast it is read, never what becomes of it.
"""

from __future__ import annotations

import io
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
import polars as pl
import pyarrow as pa
import pyarrow.compute as pc

from pozytywka_spark.hashing.event_texts import KIND
from pozytywka_spark.ingest.intake.textlines import Lines, Piece, lines_in
from pozytywka_spark.ingest.parcels import SOUND_EVENT
from pozytywka_spark.ingest.validate.rules.verdict import Judging
from pozytywka_spark.ingest.validate.usual_form import Quick, look_quickly
from pozytywka_spark.lake.arrow_bytes import binary_array
from pozytywka_spark.names import ADVERTISEMENT, BUY_PREMIUM, LIKE, PLAY, SKIP

# RE2's language: neither look-ahead nor possessive, and never more than linear time. Each value is bounded,
# so that a line of 50 MB is given up at once. Eighteen digits always fit into a long, and a leading zero is
# no JSON; text with anything but printable ASCII, or with an escape, is a parser's.
_NUMBER = "(?:0|[1-9][0-9]{0,17})"
# Only days of the calendar, so that none has to be looked for behind the pattern
_DAY = (
    "(?:20[0-9]{2}-(?:(?:0[13578]|1[02])-(?:0[1-9]|[12][0-9]|3[01])|(?:0[469]|11)-(?:0[1-9]|[12][0-9]|30)"
    "|02-(?:0[1-9]|1[0-9]|2[0-8]))|20(?:[02468][048]|[13579][26])-02-29)"
)
_TIME = _DAY + r"T(?:[01][0-9]|2[0-3]):[0-5][0-9]:[0-5][0-9](?:\.[0-9]{1,6})?"
# No blanks around
TRACK = r"[!#-\[\]-~](?:[ !#-\[\]-~]{0,98}[!#-\[\]-~])?"
_WITH_TRACK, _WITHOUT = "|".join((PLAY, SKIP, LIKE)), "|".join((ADVERTISEMENT, BUY_PREMIUM))
_FIELDS = (
    rf'"timestamp": ?"{_TIME}"',
    rf'"user_id": ?{_NUMBER}',
    rf'"track_id": ?"(?:{TRACK}", ?"event_type": ?"(?:{_WITH_TRACK})|", ?"event_type": ?"(?:{_WITHOUT}))"',
    rf'"session_id": ?{_NUMBER}',
)
# A line may have its end with it
FORM = r"\A\{" + ", ?".join(_FIELDS) + r"\}\r?\n?\z"

# In form, but for the rules: what stands for none (see `rules.identifiers`)
_FOR_NONE = ("-1", "null", "none", "nan")
_LONGEST_FOR_NONE = max(map(len, _FOR_NONE))
_SEARCHED = 256 << 10  # bytes in which line ends are looked for at once
_Mask = np.ndarray[Any, np.dtype[np.bool_]]
_Whole = np.ndarray[Any, np.dtype[np.int64]]
_RAW: dict[str, Any] = {
    "timestamp": pl.String,
    "user_id": pl.Int64,
    "track_id": pl.String,
    "event_type": pl.String,
    "session_id": pl.Int64,
}


@dataclass(frozen=True)
class Seen:
    """What a first look tells of lines: grain of `sound`: event, the columns of `parcels.SOUND_EVENT` and
    `source_order`; `doubtful`: all other lines without their ends, but for blank ones.
    """

    sound: pl.DataFrame
    doubtful: Lines


def look_first(lines: Piece | Lines, judging: Judging) -> Seen:
    """Sound lines as events, doubtful ones as they are. No Python object is made of a sound line."""
    texts, offsets = as_arrow(lines)
    quick, rest = _quickly(texts, judging)
    if quick is None:
        return _look_by_pattern(texts, offsets, judging)
    sound = quick.events.hstack([pl.Series("source_order", offsets[quick.places], pl.Int64)])
    if not len(rest):
        return Seen(sound, Lines([], []))
    others = _look_by_pattern(texts.take(pl.Series(rest).to_arrow()), offsets[rest], judging)
    return Seen(pl.concat([sound, others.sound]).sort("source_order"), others.doubtful)


def _quickly(texts: pa.Array, judging: Judging) -> tuple[Quick | None, _Whole]:
    """What can be read by the places of values, and the places of the other lines; None: nothing can."""
    _, borders, data = texts.buffers()
    if not len(texts):
        return None, np.zeros(0, np.int64)
    ends = np.frombuffer(borders, np.int32)[: len(texts) + 1].astype(np.int64)
    quick = look_quickly(data, ends, judging.max_line_bytes, judging.latest_micros)
    rest = np.ones(len(texts), np.bool_)
    rest[quick.places] = False
    return (quick if len(quick.places) else None), np.flatnonzero(rest)


def _look_by_pattern(texts: pa.Array, offsets: _Whole, judging: Judging) -> Seen:
    formed = in_form(texts, FORM, judging)
    events = _events(parsed(texts, formed, _RAW))
    passing = _passing(events, judging).to_numpy()
    return told_apart(texts, offsets, np.flatnonzero(formed)[passing], events.filter(passing))


def told_apart(texts: pa.Array, offsets: _Whole, places: _Whole, rows: pl.DataFrame) -> Seen:
    """The lines at these places are sound, and were read as these rows; all others are doubtful."""
    sound = rows.with_columns(pl.Series("source_order", offsets[places], pl.Int64))
    doubtful = np.ones(len(offsets), np.bool_)
    doubtful[places] = False
    return Seen(sound, _lines_at(texts, offsets, np.flatnonzero(doubtful)))


def as_arrow(lines: Piece | Lines) -> tuple[pa.Array, _Whole]:
    """Lines as one Arrow array, each with its end (but perhaps the last), and their offsets."""
    if isinstance(lines, Piece):
        data = lines.data
        if b"\r" not in data or data.count(b"\r") == data.count(b"\r\n"):
            texts = _by_newlines(data)
            borders = np.frombuffer(texts.buffers()[1], np.int32)[: len(texts)]
            return texts, lines.start + borders.astype(np.int64)
        lines = lines_in(lines)
    return binary_array([text + b"\n" for text in lines.texts]), np.array(lines.offsets, np.int64)


def _by_newlines(data: bytes) -> pa.Array:
    """Without a Python object a line: Arrow's borders are where the line ends are."""
    b = np.frombuffer(data, np.uint8)
    # some at a time: what is made of the bytes meanwhile stays in the cache
    parts = range(0, len(data), _SEARCHED)
    ends = [np.flatnonzero(b[at : at + _SEARCHED] == ord("\n")) + (at + 1) for at in parts]
    if data and not data.endswith(b"\n"):
        ends.append(np.array([len(data)]))
    borders = np.concatenate([np.zeros(1, np.int64), *ends]).astype(np.int32)
    return pa.Array.from_buffers(
        pa.binary(), len(borders) - 1, [None, pa.py_buffer(borders), pa.py_buffer(data)]
    )


def in_form(texts: pa.Array, form: str, judging: Judging) -> _Mask:
    """Which lines have a form and aren't too long."""
    # between NumPy and Arrow by way of Polars, here and below: Arrow's own way imports Pandas
    formed: _Mask = pl.Series(pc.match_substring_regex(texts, form)).to_numpy()
    lengths = pl.Series(pc.binary_length(texts)).to_numpy()
    long = np.flatnonzero(formed & (lengths > judging.max_line_bytes))  # with its end it may be
    if len(long):
        formed = formed.copy()
        formed[long] = [len(text) <= judging.max_line_bytes for text in _bare(texts, long)]
    return formed


def parsed(texts: pa.Array, formed: _Mask, raw: Mapping[str, Any]) -> pl.DataFrame:
    """Grain: line in form, in their order. Columns: the fields, of `raw`'s types."""
    if not formed.any():
        return pl.DataFrame(schema=raw)
    sound = texts if formed.all() else texts.filter(pl.Series(formed).to_arrow())
    _, borders, data = sound.buffers()
    end = np.frombuffer(borders, np.int32)[len(sound)]
    return pl.read_ndjson(io.BytesIO(data[:end]), schema=raw)


def _events(rows: pl.DataFrame) -> pl.DataFrame:
    if not rows.height:
        return pl.DataFrame(schema=SOUND_EVENT)
    # never fails: the pattern knows the calendar
    times = pc.cast(rows["timestamp"].to_arrow(), pa.timestamp("us"))
    return rows.select(
        pl.Series(times).dt.replace_time_zone("UTC").alias("event_time"),
        pl.col("event_type").cast(KIND),
        "user_id",
        "session_id",
        pl.when(pl.col("track_id") != "").then(pl.col("track_id")).alias("track_id"),
    )


def _passing(events: pl.DataFrame, judging: Judging) -> pl.Series:
    """Which events that are in form say nothing that the rules must look at."""
    track = pl.col("track_id")
    # few texts are that short, so few are lowered
    for_none = (track.str.len_bytes() <= _LONGEST_FOR_NONE) & track.str.to_lowercase().is_in(_FOR_NONE)
    passing = ~for_none.fill_null(value=False)
    if judging.latest_micros is not None:
        passing &= pl.col("event_time").dt.epoch("us") <= judging.latest_micros
    return events.select(passing).to_series()


def _bare(texts: pa.Array, places: _Whole) -> list[bytes]:
    """Some lines without their ends."""
    picked = texts.take(pl.Series(places).to_arrow()).to_pylist()
    return [text.removesuffix(b"\n").removesuffix(b"\r") for text in picked]


def _lines_at(texts: pa.Array, offsets: _Whole, places: _Whole) -> Lines:
    """Some lines without their ends, but for blank ones."""
    both = zip(_bare(texts, places), offsets[places].tolist(), strict=True)
    lines = [(text, at) for text, at in both if text.strip(b" ")]
    return Lines([text for text, _ in lines], [at for _, at in lines])
