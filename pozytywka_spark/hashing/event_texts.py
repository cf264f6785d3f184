"""The texts that event ids are hashes of, and their MD5, of whole columns: `identity` has what they say.

Values go as words of eight bytes, the first character lowest, to where each belongs in its row. Each step of
MD5 is taken for all rows by one call of NumPy: a text that is a Python object costs as much again for the
object as for its hash, and more than twice of what it costs here.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import polars as pl

from pozytywka_spark.names import EVENT_TYPES

Bytes = np.ndarray[Any, np.dtype[np.uint8]]
Halves = np.ndarray[Any, np.dtype[np.uint32]]
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

BLOCK = 64  # bytes that are hashed together
LONGEST = BLOCK - 1  # of a text: behind it stands the mark of its end
END = 0x80
_WITH_LENGTH = BLOCK - 9  # a text's bytes beside which its length has room in the same block
_LENGTH_AT = 14  # the word of a block that holds the text's length in bits
_STEPS = range(64)
_WORD_OF = [(step, 5 * step + 1, 3 * step + 5, 7 * step)[step // 16] % 16 for step in _STEPS]
_TURNED = [
    ((7, 12, 17, 22), (5, 9, 14, 20), (4, 11, 16, 23), (6, 10, 15, 21))[n // 16][n % 4] for n in _STEPS
]
# As NumPy's numbers: made of Python's at each call they would cost as much as hundreds of texts
_LEFT = [np.uint32(bits) for bits in _TURNED]
_RIGHT = [np.uint32(32 - bits) for bits in _TURNED]
_NUMBERS = [np.uint32(int(2**32 * abs(math.sin(step + 1)))) for step in _STEPS]
_FIRST = (0x67452301, 0xEFCDAB89, 0x98BADCFE, 0x10325476)


@dataclass(frozen=True)
class Texts:
    """Rows as `md5_of` takes them, and their lengths. Where not `made` they are nobody's."""

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


def md5_of(texts: Bytes, lengths: Numbers) -> Halves:
    """MD5 (RFC 1321): digests, a row of four words each (little-endian: the very bytes of the digest).

    `texts`: rows of `BLOCK` bytes: the text of at most `LONGEST` bytes, `END`, zeros. They are overwritten.
    Some thousands at once stay in the cache.
    """
    number = len(texts)
    words = texts.view(np.uint32)
    short = lengths <= _WITH_LENGTH
    bits = (lengths * 8).astype(np.uint32)
    words[:, _LENGTH_AT][short] = bits[short]
    columns = list(np.ascontiguousarray(words.T))
    state = np.empty((4, number), np.uint32)
    state[:] = np.array(_FIRST, np.uint32)[:, None]
    _mix(state, columns)
    long = np.flatnonzero(~short)
    if len(long):  # a second block that has nothing but the length
        later = state[:, long]
        _mix(later, [bits[long] if place == _LENGTH_AT else None for place in range(16)])
        state[:, long] = later
    return np.ascontiguousarray(state.T)


def _mix(state: Halves, block: Sequence[Halves | None]) -> None:
    """Put a block of each text into its state; a word of which there is None is zero."""
    a, b, c, d = (each.copy() for each in state)
    f, turned = np.empty_like(a), np.empty_like(a)
    for step in _STEPS:
        _choose(step // 16, b, c, d, f)
        np.add(f, a, f)
        np.add(f, _NUMBERS[step], f)
        word = block[_WORD_OF[step]]
        if word is not None:
            np.add(f, word, f)
        np.left_shift(f, _LEFT[step], turned)
        np.right_shift(f, _RIGHT[step], f)
        np.bitwise_or(f, turned, f)
        np.add(f, b, a)
        a, b, c, d = d, a, b, c
    for mine, mixed in zip(state, (a, b, c, d), strict=True):
        mine += mixed


def _choose(part: int, b: Halves, c: Halves, d: Halves, into: Halves) -> None:
    """The function of the algorithm's four parts: F, G, H, I."""
    if part == 0:
        np.bitwise_xor(c, d, into)
        np.bitwise_and(into, b, into)
        np.bitwise_xor(into, d, into)
    elif part == 1:
        np.bitwise_xor(b, c, into)
        np.bitwise_and(into, d, into)
        np.bitwise_xor(into, c, into)
    elif part == 2:
        np.bitwise_xor(b, c, into)
        np.bitwise_xor(into, d, into)
    else:
        np.invert(d, into)
        np.bitwise_or(into, b, into)
        np.bitwise_xor(into, c, into)
