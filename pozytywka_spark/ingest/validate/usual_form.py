"""Lines in the usual form read by the places of their quotes: every byte is checked, none is parsed.

A line of sessions in that form has sixteen quotes, and what stands between them is either the same in every
line (names of fields, colons, commas, perhaps a blank behind them) or a value of which each byte can be told
right by itself. So whole columns of lines are checked and read with NumPy at once, eight bytes at a time, in
two thirds of the time that a pattern and a JSON parser take. Whatever is odd about a line, if only a number
of nine digits, it isn't read here: the pattern and the rules have it then (see `first_look`).
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, timedelta
from typing import Any

import numpy as np
import polars as pl
import pyarrow as pa

from pozytywka_spark.ingest.parcels import EVENT
from pozytywka_spark.names import ADVERTISEMENT, BUY_PREMIUM, LIKE, PLAY, SKIP

Bytes = np.ndarray[Any, np.dtype[np.uint8]]
Words = np.ndarray[Any, np.dtype[np.uint64]]
Numbers = np.ndarray[Any, np.dtype[np.int64]]
Mask = np.ndarray[Any, np.dtype[np.bool_]]

_QUOTES = 16
_KINDS = (PLAY, SKIP, LIKE, ADVERTISEMENT, BUY_PREMIUM)
_TRACKLESS = 3  # the kinds from this place on have no track
_WORD = 8
_LONGEST_TRACK = 100
_PAD = bytes(64)  # so that words can be taken at any place of any line, be it wrong
_INLINE = 12  # bytes of a text that Arrow keeps in its view itself; such short tracks aren't read here
_SPACE, _NEWLINE, _QUOTE, _COMMA, _COLON, _TILDE = (ord(each) for each in ' \n",:~')
_VIEW = np.dtype([("length", np.int32), ("head", np.uint32), ("buffer", np.int32), ("offset", np.int32)])


def _word(text: str) -> np.uint64:
    """Up to eight characters as a word has them, the first one lowest."""
    return np.uint64(int.from_bytes(text.encode(), "little"))


def _calendar() -> tuple[Numbers, Numbers]:
    """Of each month from 2000-01 to 2099-12: days since 1970 before it, and days in it."""
    firsts = [date(2000 + n // 12, n % 12 + 1, 1) for n in range(1200)] + [date(2100, 1, 1)]
    before = np.array([(first - date(1970, 1, 1)) // timedelta(days=1) for first in firsts], np.int64)
    return before[:-1], np.diff(before)


_BEFORE, _DAYS = _calendar()
# Of each name its length, and where in it (from its quote on) which eight bytes stand: all of it, overlapping
_NAMES = (
    (0, 9, ((0, '"timesta'), (3, 'mestamp"'))),
    (4, 7, ((0, '"user_id'),)),
    (6, 8, ((0, '"track_i'), (2, 'rack_id"'))),
    (10, 10, ((0, '"event_t'), (4, 'nt_type"'))),
    (14, 10, ((0, '"session'), (4, 'sion_id"'))),
)
# Between which quotes stands which mark
_GAPS = ((1, _COLON), (3, _COMMA), (7, _COLON), (9, _COMMA), (11, _COLON), (13, _COMMA))


@dataclass(frozen=True)
class Quick:
    """Lines that were read, by their places among all; `events` are as `parcels.EVENT`, in that order."""

    events: pl.DataFrame
    places: Numbers


def look_quickly(data: bytes | pa.Buffer, borders: Numbers, longest: int, latest: int | None) -> Quick:
    """Events of the lines in the usual form. `borders`: where each line begins in `data`, and the last end.

    Lines may have a line feed at their end. Left out are lines of more than `longest` bytes and events later
    than `latest` (microseconds since 1970).
    """
    nothing = Quick(pl.DataFrame(schema=EVENT), np.zeros(0, np.int64))
    if len(borders) < 2:
        return nothing
    data = b"".join((data, _PAD))
    if b"\\" in data:
        return nothing
    b: Bytes = np.frombuffer(data, np.uint8)
    starts = borders[:-1]
    ends = borders[1:] - (b[borders[1:] - 1] == _NEWLINE)
    quotes = np.flatnonzero(b == _QUOTE)
    first = np.searchsorted(quotes, borders)
    lines = np.flatnonzero((np.diff(first) == _QUOTES) & (ends - starts <= longest))
    if not len(lines):
        return nothing
    whole = len(lines) * _QUOTES == len(quotes)
    q = (quotes.reshape(-1, _QUOTES) if whole else quotes[first[lines, None] + np.arange(_QUOTES)]).T
    look = _Look(data, b, np.ascontiguousarray(q), starts[lines], ends[lines])
    good = look.good if latest is None else look.good & (look.time <= latest)
    events = look.events()
    if good.all():
        return Quick(events, lines)
    return Quick(events.filter(pl.Series(good)), lines[good])


class _Look:
    """Lines of sixteen quotes, column by column; `good`: whether all of a line is as it must be."""

    def __init__(self, data: bytes, b: Bytes, q: Numbers, starts: Numbers, ends: Numbers) -> None:
        self._data, self._b, self._q = data, b, q
        self._words: Words = np.ndarray((len(data) - _WORD + 1,), "<u8", buffer=data, strides=(1,))
        self.good: Mask = (q[0] == starts + 1) & (b[starts] == ord("{")) & (b[ends - 1] == ord("}"))
        self._printable(starts, ends)
        self._names()
        self.time = self._time()
        comma = q[6] - 1
        comma = comma - (b[comma] == _SPACE)
        self.good &= b[comma] == _COMMA
        self._user = self._number(q[5] + 2, comma)
        self._session = self._number(q[15] + 2, ends - 1)
        self._kind = self._kinds()
        self._tracks_fit()

    def events(self) -> pl.DataFrame:
        """As `parcels.EVENT`; rows that aren't good hold anything."""
        kinds = pl.Series(_KINDS, dtype=pl.String)
        return pl.DataFrame(
            [
                pl.Series("event_time", self.time).cast(pl.Datetime("us")).dt.replace_time_zone("UTC"),
                kinds.gather(pl.Series(self._kind)).alias("event_type"),
                pl.Series("user_id", self._user),
                pl.Series("session_id", self._session),
                self._tracks().alias("track_id"),
            ]
        )

    def _word(self, at: Numbers) -> Words:
        """The eight bytes from each place on."""
        return self._words[at]

    def _printable(self, starts: Numbers, ends: Numbers) -> None:
        """No byte but printable ASCII (a backslash is looked for in all bytes at once)."""
        odd = (self._b - np.uint8(_SPACE)) > _TILDE - _SPACE
        if np.count_nonzero(odd) > len(starts) + len(_PAD):  # a line feed each
            places = np.flatnonzero(odd)
            self.good &= np.searchsorted(places, starts) == np.searchsorted(places, ends)

    def _names(self) -> None:
        """Names of fields, colons, commas, and a blank behind these or none."""
        q, b = self._q, self._b
        for at, length, parts in _NAMES:
            self.good &= q[at + 1] - q[at] == length + 1
            for offset, text in parts:
                self.good &= self._word(q[at] + offset) == _word(text)
        for end, mark in _GAPS:
            gap = q[end + 1] - q[end]
            marks = self._word(q[end] + 1)
            self.good &= (marks & np.uint64(0xFF)) == mark
            blank = ((marks >> np.uint64(8)) & np.uint64(0xFF)) == _SPACE
            self.good &= (gap == 2) | ((gap == 3) & blank)
        for end in (5, 15):
            self.good &= b[q[end] + 1] == _COLON

    def _digits(self, word: Words, form: str) -> Words:
        """The bytes of words of that form, 0 for digits, less what the form has there."""
        digits: Words = word ^ _word(form)
        marks = sum(0xFF << 8 * at for at, each in enumerate(form) if each != "0")
        tens = (digits + np.uint64(0x7676767676767676)) | digits
        self.good &= ((tens & np.uint64(0x8080808080808080)) == 0) & ((digits & np.uint64(marks)) == 0)
        return digits

    def _time(self) -> Numbers:
        """Microseconds since 1970 of `20YY-MM-DDTHH:MM:SS`, without a fraction or of three or six digits."""
        at, length = self._q[2] + 1, self._q[3] - self._q[2] - 1
        self.good &= (length == 19) | (length == 23) | (length == 26)
        day_word = self._digits(self._word(at), "0000-00-")
        hour_word = self._digits(self._word(at + 8), "00T00:00")
        rest = self._word(at + 16)
        # what lies behind a shorter time is taken for zeros
        none, three = length == 19, length == 23
        rest = np.where(none, (rest & np.uint64(0xFFFFFF)) | (_word("   .0000") & ~np.uint64(0xFFFFFF)), rest)
        rest = np.where(three, (rest & ~np.uint64(0xFF << 56)) | np.uint64(ord("0") << 56), rest)
        rest = self._digits(rest, ":00.0000")
        last = self._word(at + 24) & np.uint64(0xFFFF) | (_word("  000000") & ~np.uint64(0xFFFF))
        last = self._digits(np.where(length == 26, last, _word("00000000")), "00000000")

        def pair(word: Words, byte: int) -> Numbers:
            tens, ones = (word >> np.uint64(8 * byte)), (word >> np.uint64(8 * byte + 8))
            return ((tens & np.uint64(15)) * np.uint64(10) + (ones & np.uint64(15))).astype(np.int64)

        year, month, day = pair(day_word, 0) * 100 + pair(day_word, 2), pair(day_word, 5), pair(hour_word, 0)
        hour, minute, second = pair(hour_word, 3), pair(hour_word, 6), pair(rest, 1)
        fraction = (pair(rest, 4) * 100 + pair(rest, 6)) * 100 + pair(last, 0)
        self.good &= (month >= 1) & (month <= 12) & (hour < 24) & (minute < 60) & (second < 60)
        number = (year - 2000) * 12 + month - 1
        self.good &= (number >= 0) & (number < len(_DAYS))
        number = np.clip(number, 0, len(_DAYS) - 1)
        self.good &= (day >= 1) & (day <= _DAYS[number])
        seconds = (((_BEFORE[number] + day - 1) * 24 + hour) * 60 + minute) * 60 + second
        micros: Numbers = seconds * 1_000_000 + fraction
        return micros

    def _number(self, begin: Numbers, end: Numbers) -> Numbers:
        """Whole numbers [begin, end) behind perhaps a blank, of at most eight digits, none a needless zero.

        Eight digits in a word become a number in three multiplications (Daniel Lemire, 2018).
        """
        begin = begin + (self._b[begin] == _SPACE)
        length = end - begin
        self.good &= (length >= 1) & (length <= _WORD) & ((length == 1) | (self._b[begin] != ord("0")))
        spare = (8 * (_WORD - np.clip(length, 1, _WORD))).astype(np.uint64)
        # the digits are the last bytes of the word that ends with them; zeros before them
        word = (self._word(end - _WORD) >> spare) << spare
        word |= _word("00000000") & ~((~np.uint64(0) >> spare) << spare)
        digits = self._digits(word, "00000000")
        digits = (digits * np.uint64(10) + (digits >> np.uint64(8))) & np.uint64(0x00FF00FF00FF00FF)
        digits = (digits * np.uint64(100) + (digits >> np.uint64(16))) & np.uint64(0x0000FFFF0000FFFF)
        return ((digits * np.uint64(10_000) + (digits >> np.uint64(32))) & np.uint64(0xFFFFFFFF)).astype(
            np.int64
        )

    def _kinds(self) -> Numbers:
        """The place in `_KINDS` of each type."""
        at, length = self._q[12] + 1, self._q[13] - self._q[12] - 1
        word, kinds = self._word(at), np.full(len(at), -1, np.int64)
        for number, name in enumerate(_KINDS):
            cut = np.uint64((1 << 8 * min(len(name), _WORD)) - 1)
            mine = np.flatnonzero((length == len(name)) & (word & cut == _word(name[:_WORD])))
            if len(name) > _WORD:
                mine = mine[self._word(at[mine] + len(name) - _WORD) == _word(name[-_WORD:])]
            kinds[mine] = number
        self.good &= kinds >= 0
        return np.maximum(kinds, 0)

    def _tracks_fit(self) -> None:
        """A track on plays, skips and likes, none on the others; no blank around it."""
        at, length = self._q[8] + 1, self._q[9] - self._q[8] - 1
        last = self._b[self._q[9] - 1]
        is_long = (length > _INLINE) & (length <= _LONGEST_TRACK)
        self.good &= np.where(
            self._kind >= _TRACKLESS, length == 0, is_long & (self._b[at] != _SPACE) & (last != _SPACE)
        )

    def _tracks(self) -> pl.Series:
        """Views of the tracks in the lines themselves, null for none."""
        at, length = self._q[8] + 1, self._q[9] - self._q[8] - 1
        views = np.zeros(len(at), _VIEW)
        there = length > _INLINE
        views["length"] = np.where(there, length, 0)
        views["offset"] = np.where(there, at, 0)
        views["head"] = np.where(there, self._word(at) & np.uint64(0xFFFFFFFF), 0)
        valid = pl.Series(there).to_arrow().buffers()[1]
        buffers = [valid, pa.py_buffer(views), pa.py_buffer(self._data)]
        return pl.Series(pa.Array.from_buffers(pa.string_view(), len(views), buffers))
