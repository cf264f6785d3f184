"""The texts that event ids are hashes of, made of whole columns at once: see `identity` for what they say.

Values go as words of eight bytes, the first character lowest, to where each belongs in its row.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import polars as pl

from pozytywka_spark.hashing.md5_columns import BLOCK, END, LONGEST, Bytes
from pozytywka_spark.names import EVENT_TYPES

Words = np.ndarray[Any, np.dtype[np.uint64]]
Numbers = np.ndarray[Any, np.dtype[np.int64]]
Mask = np.ndarray[Any, np.dtype[np.bool_]]

# Types of events by number, in the order of their names: sorted by one is sorted by the other
_TYPES_SORTED = sorted(EVENT_TYPES)
KIND = pl.Enum(_TYPES_SORTED)
_HEAD = 16  # digits of a time: any from 2001-09-09 to 2286
_FIRST_TIME, _TIMES_END, _HALF_OF_TIME = 10**15, 10**16, np.uint64(10**8)
_USERS_END, _SESSIONS_END = 10**7, 10**8  # with the bar behind it a user fills a word; a session needs none
# |PLAY| and so on, filled up with zeros
_TYPES = (
    np.array([f"|{kind}|".encode() for kind in _TYPES_SORTED], "S16").view(np.uint64).reshape(-1, 2).T.copy()
)
_TYPE_ENDS = np.array([_HEAD + len(f"|{kind}|") for kind in _TYPES_SORTED], np.int64)
_ZEROS = np.uint64(0x3030303030303030)  # "00000000"
_TEN_THOUSAND, _HUNDRED, _TEN = (np.uint64(each) for each in (10_000, 100, 10))
_ONE, _THREE = np.uint64(1), np.uint64(3)


@dataclass(frozen=True)
class Texts:
    """Rows as `md5_columns.md5_of` takes them, and their lengths. Where not `made` they are nobody's."""

    rows: Bytes
    lengths: Numbers
    made: Mask


@dataclass(frozen=True)
class Said:
    """What events say, a place for each. `usual`: none of its numbers has very many digits.

    What isn't usual has zeros for numbers, and the first type. Tracks begin at `starts` of `tracks`.
    """

    usual: Mask
    time: Numbers
    kind: Numbers
    user: Numbers
    session: Numbers
    starts: Numbers
    sizes: Numbers
    tracks: Any

    def texts(self, first: int, end: int) -> Texts:
        """The texts of some events, of some thousands so that they stay in the cache.

        Not made are those longer than `LONGEST`, and what isn't usual.
        """
        mine = slice(first, end)
        kind, sizes = self.kind[mine], self.sizes[mine]
        users, user_digits = _left_digits(self.user[mine])
        sessions, session_digits = _left_digits(self.session[mine])
        at_user = _TYPE_ENDS[kind]
        at_session = at_user + user_digits + 1
        at_track = at_session + session_digits
        lengths = at_track + 1 + sizes
        made = self.usual[mine] & (lengths <= LONGEST)

        rows = np.zeros((len(kind), BLOCK), np.uint8)
        words = rows.view(np.uint64)
        time = self.time[mine].view(np.uint64)
        high = time // _HALF_OF_TIME
        words[:, 0], words[:, 1] = _digits(high), _digits(time - high * _HALF_OF_TIME)
        words[:, 2], words[:, 3] = _TYPES[0][kind], _TYPES[1][kind]
        begin = np.arange(len(rows), dtype=np.int64) * BLOCK
        bar = np.uint64(ord("|")) << (user_digits.view(np.uint64) << _THREE)
        _put(rows, begin + at_user, (users | bar).view("V8"))
        _put(rows, begin + at_session, sessions.view("V8"))
        _put_tracks(rows, begin + at_track, self.starts[mine], np.where(made, sizes, -1), self.tracks)
        return Texts(rows, lengths, made)


def said_by(events: pl.DataFrame) -> Said:
    """Of events as `identity.event_ids` has them."""
    kind = events["event_type"].cast(KIND, strict=False).to_physical()
    time, user, session = (
        events[name].to_physical().to_numpy() for name in ("event_time", "user_id", "session_id")
    )
    usual = (time >= _FIRST_TIME) & (time < _TIMES_END) & (user >= 0) & (user < _USERS_END)
    usual &= (session >= 0) & (session < _SESSIONS_END)
    if kind.null_count():
        usual &= kind.is_not_null().to_numpy()
        kind = kind.fill_null(0)
    if not usual.all():
        time, user, session = (np.where(usual, each, 0) for each in (time, user, session))
    return Said(usual, time, kind.to_numpy(), user, session, *_bytes_of(events["track_id"]))


def _digits(numbers: Words) -> Words:
    """Numbers below 10^8 as words of eight digits."""
    high = numbers // _TEN_THOUSAND
    halves: Words = high | ((numbers - high * _TEN_THOUSAND) << np.uint64(32))
    # tenths and hundredths by multiplying: no number here has more than four digits
    high = ((halves * np.uint64(10_486)) >> np.uint64(20)) & np.uint64(0x0000007F0000007F)
    pairs = high | ((halves - high * _HUNDRED) << np.uint64(16))
    high = ((pairs * np.uint64(103)) >> np.uint64(10)) & np.uint64(0x000F000F000F000F)
    digits: Words = (high | ((pairs - high * _TEN) << np.uint64(8))) | _ZEROS
    return digits


def _left_digits(numbers: Numbers) -> tuple[Words, Numbers]:
    """The same without zeros in front, and how many digits there are."""
    words = _digits(numbers.view(np.uint64))
    values = (words ^ _ZEROS) | (_ONE << np.uint64(56))  # the last digit counts, be it a zero
    zeros = np.bitwise_count((values & (~values + _ONE)) - _ONE) >> 3
    return words >> (zeros.astype(np.uint64) << _THREE), 8 - zeros.astype(np.int64)


def _bytes_of(texts: pl.Series) -> tuple[Numbers, Numbers, Any]:
    """Where each text begins in the bytes of all, and how many are its own; none of a null."""
    array = texts.rechunk().to_arrow(compat_level=pl.CompatLevel.oldest())
    _, offsets, data = array.buffers()
    borders = np.frombuffer(offsets, np.int64)[array.offset : array.offset + len(array) + 1]
    sizes = np.diff(borders)
    if texts.null_count():  # there may be bytes where a null stands
        sizes[texts.is_null().to_numpy()] = 0
    return borders[:-1], sizes, data


def _put(rows: Bytes, places: Numbers, values: np.ndarray[Any, Any]) -> None:
    """Values of some bytes to places in the rows, as if these were one text."""
    size = values.dtype.itemsize
    flat = np.ndarray((rows.size - size + 1,), values.dtype, buffer=rows, strides=(1,))
    flat[places] = values


def _put_tracks(rows: Bytes, places: Numbers, starts: Numbers, sizes: Numbers, data: Any) -> None:
    """Bars, tracks and ends to the places where the texts go on; a size below zero: nothing."""
    for size in np.flatnonzero(np.bincount(sizes + 1)[1:]).tolist():
        mine = np.flatnonzero(sizes == size)
        texts = np.empty((len(mine), size + 2), np.uint8)
        texts[:, 0], texts[:, -1] = ord("|"), END
        if size:
            everywhere = np.ndarray((data.size - size + 1,), f"V{size}", buffer=data, strides=(1,))
            texts[:, 1:-1] = everywhere[starts[mine]].view(np.uint8).reshape(-1, size)
        _put(rows, places[mine], texts.view(f"V{size + 2}").ravel())
