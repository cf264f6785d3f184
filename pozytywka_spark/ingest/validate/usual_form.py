"""Lines in the usual form read by the places of their values: every byte is checked, none is parsed.

A line of sessions in that form is the same in every line (names of fields, quotes, colons, commas, blanks
behind them or none) but for five values, and each value says where what follows it begins. So a line is
walked from its beginning to its track, and from its end back to the type and the track: what lies between is
the track. Whole columns of lines are walked with NumPy at once, eight bytes at a time (see `byte_words`), in
half of the time that a JSON parser takes. Whatever is odd about a line, if only a number of nine digits, it
isn't read here: the pattern and the rules have it then (see `fast_path.look_first`).
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import polars as pl
import pyarrow as pa

from pozytywka_spark.hashing.event_texts import KIND
from pozytywka_spark.ingest.parcels import SOUND_EVENT
from pozytywka_spark.ingest.validate.byte_words import (
    TIME_WORDS,
    WORD,
    Numbers,
    end_with,
    first_number,
    last_number,
    times_of,
    word,
    words_from,
)
from pozytywka_spark.names import ADVERTISEMENT, BUY_PREMIUM, LIKE, PLAY, SKIP

Bytes = np.ndarray[Any, np.dtype[np.uint8]]

_KINDS = (PLAY, SKIP, LIKE, ADVERTISEMENT, BUY_PREMIUM)
_TRACKLESS = 3  # the kinds from this place on have no track; the others are of four letters
_NUMBERS = pl.Series(_KINDS, dtype=KIND).to_physical().to_numpy()
_LINES = 16_384  # are walked at once: their columns, and most of their text, stay in the cache
_PAD = bytes(128)  # around them, so that words can be taken at any place of any line, be it wrong
_LONGEST_TRACK = 100
_INLINE = 12  # bytes of a text that Arrow keeps in its view itself; such short tracks aren't read here
_SPACE, _NEWLINE, _QUOTE, _BACKSLASH, _TILDE = (ord(each) for each in ' \n"\\~')
_VIEW = np.dtype([("length", np.int32), ("head", np.uint32), ("buffer", np.int32), ("offset", np.int32)])


class _Form:
    """What stands between the values, with a blank behind colons and commas or without."""

    def __init__(self, blank: str) -> None:
        self.head = f'{{"timestamp":{blank}"'
        self.to_user = f'",{blank}"user_id":{blank}'
        self.to_track = f',{blank}"track_id":{blank}"'
        self.to_kinds = [f'",{blank}"event_type":{blank}"{kind}' for kind in _KINDS]
        self.to_session = f'",{blank}"session_id":{blank}'
        self.kind_lengths: Numbers = np.array([len(each) for each in self.to_kinds])


_WITH_BLANKS, _WITHOUT_BLANKS = _Form(" "), _Form("")


@dataclass(frozen=True)
class Quick:
    """Lines that were read, by their places among all; `events`: `parcels.SOUND_EVENT`, in that order."""

    events: pl.DataFrame
    places: Numbers


def look_quickly(data: bytes | pa.Buffer, borders: Numbers, longest: int, latest: int | None) -> Quick:
    """Events of the lines in the usual form. `borders`: where each line begins in `data`, and the last end.

    Lines may have a line feed at their end. Left out are lines of more than `longest` bytes and events later
    than `latest` (microseconds since 1970).
    """
    columns = _Columns(max(0, len(borders) - 1))
    for first in range(0, len(columns.good), _LINES):
        mine = borders[first : first + _LINES + 1]
        text = b"".join((_PAD, memoryview(data)[mine[0] : mine[-1]], _PAD))
        _walk(text, mine - mine[0] + len(_PAD), longest, columns.part(first, len(mine) - 1))
    if latest is not None:
        columns.good &= columns.time <= latest
    places = np.flatnonzero(columns.good)
    events = columns.events()
    return Quick(events if len(places) == len(events) else events.filter(pl.Series(columns.good)), places)


class _Columns:
    """What is read of lines, a place for each; of those that aren't `good` it may be anything."""

    def __init__(self, lines: int) -> None:
        self.good = np.zeros(lines, np.bool_)
        self.time, self.user, self.session = (np.zeros(lines, np.int64) for _ in range(3))
        self.kind = np.zeros(lines, np.uint32)
        self.views = np.zeros(lines, _VIEW)
        self.texts: list[Bytes] = []  # tracks, one behind the other: what the views look at

    def part(self, first: int, lines: int) -> _Columns:
        """The same places of some lines."""
        part = _Columns(0)
        mine = slice(first, first + lines)
        part.good, part.time, part.user = self.good[mine], self.time[mine], self.user[mine]
        part.session, part.kind, part.views = self.session[mine], self.kind[mine], self.views[mine]
        part.texts = self.texts
        return part

    def events(self) -> pl.DataFrame:
        """As `parcels.SOUND_EVENT`."""
        valid = np.packbits(self.kind < _TRACKLESS, bitorder="little")
        buffers = [valid, self.views, *self.texts]
        tracks = pa.Array.from_buffers(pa.string_view(), len(self.views), list(map(pa.py_buffer, buffers)))
        return pl.DataFrame(
            [
                pl.Series("event_time", self.time).cast(pl.Datetime("us")).dt.replace_time_zone("UTC"),
                pl.Series("event_type", _NUMBERS[self.kind]).cat.to(KIND),
                pl.Series("user_id", self.user),
                pl.Series("session_id", self.session),
                pl.Series("track_id", tracks),
            ],
            schema=SOUND_EVENT,
        )


def _walk(text: bytes, borders: Numbers, longest: int, into: _Columns) -> None:
    """Read the lines between the borders, in a text that has `_PAD` around them."""
    b: Bytes = np.frombuffer(text, np.uint8)
    begin = borders[:-1]
    end = borders[1:] - (b[borders[1:] - 1] == _NEWLINE)
    with_blanks = b[begin + len(_WITHOUT_BLANKS.head) - 1] == _SPACE
    form = _WITH_BLANKS if 2 * np.count_nonzero(with_blanks) > len(begin) else _WITHOUT_BLANKS
    into.good[:] = (end - begin <= longest) & (b[end - 1] == ord("}"))
    track = _from_begin(text, begin, form, into)
    track_end = _from_end(text, end - 1, form, into)
    _read_tracks(text, track, track_end - track, into)


def _from_begin(text: bytes, begin: Numbers, form: _Form, into: _Columns) -> Numbers:
    """Time and user of lines, and where their tracks begin."""
    words = words_from(text, begin + len(form.head) - 2 * WORD, 2 + TIME_WORDS)
    length, into.time[:], right = times_of(words[:, 2:])
    into.good &= end_with(words[:, :2], form.head) & right
    at = begin + len(form.head) + length + len(form.to_user)
    words = words_from(text, at - 2 * WORD, 3)
    length, into.user[:], right = first_number(words[:, 2])
    into.good &= end_with(words[:, :2], form.to_user) & right
    at = at + length + len(form.to_track)
    into.good &= end_with(words_from(text, at - 2 * WORD, 2), form.to_track)
    return at


def _from_end(text: bytes, end: Numbers, form: _Form, into: _Columns) -> Numbers:
    """Session and type of lines, and where their tracks end; `end`: of the session's number."""
    length, into.session[:], right = last_number(words_from(text, end - WORD, 1)[:, 0])
    at = end - length
    into.good &= end_with(words_from(text, at - 3 * WORD, 3), form.to_session) & right
    at = at - len(form.to_session)
    words = words_from(text, at - 3 * WORD, 3)
    ends = np.ascontiguousarray(words[:, 2])
    is_kind = [ends == word(before[-WORD:]) for before in form.to_kinds]
    into.kind[:] = sum(np.uint8(number) * mine for number, mine in enumerate(is_kind))
    # before the last eight letters, so before the whole type where it is of four
    right = end_with(words[:, :2], form.to_kinds[0][:-WORD])
    for number in range(_TRACKLESS, len(_KINDS)):
        mine_at = np.flatnonzero(into.kind == number)
        before = form.to_kinds[number][:-WORD]
        right[mine_at] = end_with(words_from(text, at[mine_at] - 4 * WORD, 3), before)
    into.good &= np.logical_or.reduce(is_kind) & right
    track_end: Numbers = at - form.kind_lengths[into.kind]
    return track_end


def _read_tracks(text: bytes, at: Numbers, lengths: Numbers, into: _Columns) -> None:
    """A track on plays, skips and likes, none on the others; printable ASCII without blanks around it."""
    fits = np.where(into.kind < _TRACKLESS, (lengths > _INLINE) & (lengths <= _LONGEST_TRACK), lengths == 0)
    into.good &= fits
    for length in np.flatnonzero(np.bincount(np.where(into.good, lengths, 0), minlength=1)).tolist():
        if length:
            _read_tracks_of(text, at, np.flatnonzero(into.good & (lengths == length)), length, into)


def _read_tracks_of(text: bytes, at: Numbers, mine: Numbers, length: int, into: _Columns) -> None:
    everywhere = np.ndarray((len(text) - length + 1,), f"V{length}", buffer=text, strides=(1,))
    tracks = everywhere[at[mine]].view(np.uint8).reshape(-1, length)
    odd = ((tracks - np.uint8(_SPACE)) > _TILDE - _SPACE) | (tracks == _QUOTE) | (tracks == _BACKSLASH)
    if odd.any():
        into.good[mine[odd.any(axis=1)]] = False
    into.good[mine[(tracks[:, 0] == _SPACE) | (tracks[:, -1] == _SPACE)]] = False
    views = np.empty(len(mine), _VIEW)
    views["length"], views["buffer"] = length, len(into.texts)
    views["head"] = np.ascontiguousarray(tracks[:, :4]).view(np.uint32)[:, 0]
    views["offset"] = np.arange(len(mine), dtype=np.int32) * length
    into.views[mine] = views
    into.texts.append(tracks)
