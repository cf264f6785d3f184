"""Text of many lines as columns of words: eight bytes each, the first character lowest, handled at once.

Taking a row of words from every line costs a few nanoseconds however wide it is; what is told of a word costs
a fraction of one. So a byte is never looked at by itself. Times are `20YY-MM-DDTHH:MM:SS`, without a
fraction or of three or six digits.
"""

from __future__ import annotations

from datetime import date, timedelta
from functools import lru_cache
from typing import Any

import numpy as np

Words = np.ndarray[Any, np.dtype[np.uint64]]
Numbers = np.ndarray[Any, np.dtype[np.int64]]
Mask = np.ndarray[Any, np.dtype[np.bool_]]

WORD = 8
_HIGH = np.uint64(0x8080808080808080)  # the highest bit of each byte
_LOW7 = np.uint64(0x7F7F7F7F7F7F7F7F)
_ZEROS = np.uint64(0x3030303030303030)  # "00000000"
_BITS = np.uint64(64)
# Added to a byte it sets the highest bit: of more than 9, of more than 0
_OVER_NINE, _OVER_ZERO = 0x76, 0x7F
# Words that hold a time and what is behind it
TIME_WORDS = 4
_LONGEST, _WITHOUT, _MILLIS = 26, 19, 23
_QUOTE = ord('"')


def word(text: str) -> np.uint64:
    """Up to eight characters as a word."""
    return np.uint64(int.from_bytes(text.encode(), "little"))


def words_from(data: bytes, places: Numbers, number: int) -> Words:
    """So many words from each place on, a row each."""
    size = number * WORD
    everywhere = np.ndarray((len(data) - size + 1,), f"V{size}", buffer=data, strides=(1,))
    return everywhere[places].view("<u8").reshape(-1, number)


def end_with(words: Words, text: str) -> Mask:
    """Whether the words of a row, one behind the other, end with the text."""
    ends = np.ones(len(words), np.bool_)
    for column, (mask, value) in enumerate(_from_right(text, words.shape[1])):
        if mask:
            mine = words[:, column]
            ends &= (mine if mask == ~np.uint64(0) else mine & mask) == value
    return ends


@lru_cache(maxsize=64)
def _from_right(text: str, number: int) -> tuple[tuple[np.uint64, np.uint64], ...]:
    """The text at the end of so many words: of each the bits that are its own, and what they are."""
    size = number * WORD
    mask = (b"\xff" * len(text)).rjust(size, b"\0")
    pairs = zip(
        np.frombuffer(mask, "<u8"), np.frombuffer(text.encode().rjust(size, b"\0"), "<u8"), strict=True
    )
    return tuple(pairs)


def digits_in_form(words: Words, form: str) -> tuple[Words, Words]:
    """Words less their form, in which 0 stands for any digit: then a digit is its number, all else is 0.

    And beside it bits that are set if a word isn't of that form.
    """
    values = words ^ word(form)
    limits = sum((_OVER_NINE if each == "0" else _OVER_ZERO) << 8 * at for at, each in enumerate(form))
    return values, ((values + np.uint64(limits)) | values) & _HIGH


def pairs_of(digits: Words) -> Words:
    """Of words of eight digits, at each byte the number of two digits that begins there."""
    return digits * np.uint64(10) + (digits >> np.uint64(8))


def byte_of(words: Words, place: int) -> Numbers:
    """One byte of each word, as a number."""
    return ((words >> np.uint64(8 * place)) & np.uint64(0xFF)).view(np.int64)


def first_number(words: Words) -> tuple[Numbers, Numbers, Mask]:
    """The whole number that a word begins with: its length, its value, whether it is right.

    It is wrong without a digit, or with a needless zero in front.
    """
    values = words ^ _ZEROS
    others = ((values + np.uint64(0x7676767676767676)) | values) & _HIGH
    # the bits below the lowest one that is set; what is carried over by the addition lies above it
    length = np.bitwise_count((others & (~others + np.uint64(1))) - np.uint64(1)) >> 3
    spare = _BITS - (length.astype(np.uint64) << np.uint64(3))
    right = (length == 1) | ((length > 1) & ((values & np.uint64(0xFF)) != 0))
    return length.astype(np.int64), _value_of(values << spare), right


def last_number(words: Words) -> tuple[Numbers, Numbers, Mask]:
    """The same of the whole number that a word ends with."""
    values = words ^ _ZEROS
    others = (((values & _LOW7) + np.uint64(0x7676767676767676)) | values) & _HIGH
    for bits in (8, 16, 32):  # all below the highest one
        others |= others >> np.uint64(bits)
    before = np.bitwise_count(others)
    shift = before.astype(np.uint64) << np.uint64(3)
    digits = values >> shift
    right = (before == WORD - 1) | ((before < WORD - 1) & ((digits & np.uint64(0xFF)) != 0))
    return WORD - before.astype(np.int64), _value_of(digits << shift), right


def _value_of(digits: Words) -> Numbers:
    """Eight digits as a number, in three multiplications (Daniel Lemire, 2018)."""
    digits = (digits * np.uint64(10) + (digits >> np.uint64(8))) & np.uint64(0x00FF00FF00FF00FF)
    digits = (digits * np.uint64(100) + (digits >> np.uint64(16))) & np.uint64(0x0000FFFF0000FFFF)
    digits = (digits * np.uint64(10_000) + (digits >> np.uint64(32))) & np.uint64(0xFFFFFFFF)
    return digits.view(np.int64)


def _calendar() -> tuple[Numbers, Numbers]:
    """Of each month from 2000-01 to 2099-12: days since 1970 before it, and days in it."""
    firsts = [date(2000 + n // 12, n % 12 + 1, 1) for n in range(1200)] + [date(2100, 1, 1)]
    before = np.array([(first - date(1970, 1, 1)) // timedelta(days=1) for first in firsts], np.int64)
    return before[:-1], np.diff(before)


_BEFORE, _DAYS = _calendar()


def times_of(words: Words) -> tuple[Numbers, Numbers, Mask]:
    """Of rows of `TIME_WORDS` words that begin with a time and a quote behind it: the time's length,
    microseconds since 1970, and whether it is a time. That the quote is there isn't looked at.
    """
    whole = words[:, 2]
    none = (whole & np.uint64(0xFF << 24)) == _QUOTE << 24
    millis = ((whole >> np.uint64(56)) == _QUOTE) & ~none
    # what isn't there is taken for zeros
    rest = np.where(none, (whole & np.uint64(0xFFFFFF)) | (word("   .0000") & ~np.uint64(0xFFFFFF)), whole)
    rest = np.where(millis, (rest & ~np.uint64(0xFF << 56)) | np.uint64(ord("0") << 56), rest)
    last = (words[:, 3] & np.uint64(0xFFFF)) | (word("  000000") & ~np.uint64(0xFFFF))
    last = np.where(none | millis, word("00000000"), last)

    in_form = (("0000-00-", words[:, 0]), ("00T00:00", words[:, 1]), (":00.0000", rest), ("00000000", last))
    digits, wrong = zip(*(digits_in_form(mine, form) for form, mine in in_form), strict=True)
    days, hours, seconds, lasts = map(pairs_of, digits)
    right = (wrong[0] | wrong[1] | wrong[2] | wrong[3]) == 0

    month, day, hour, minute = byte_of(days, 5), byte_of(hours, 0), byte_of(hours, 3), byte_of(hours, 6)
    second = byte_of(seconds, 1)
    right &= (byte_of(days, 0) == 20) & (month >= 1) & (month <= 12)
    right &= (hour < 24) & (minute < 60) & (second < 60)
    number = np.where(right, byte_of(days, 2) * 12 + month - 1, 0)
    right &= (day >= 1) & (day <= _DAYS[number])
    moment = ((_BEFORE[number] + day - 1) * 24 + hour) * 60 + minute
    fraction = (byte_of(seconds, 4) * 100 + byte_of(seconds, 6)) * 100 + byte_of(lasts, 0)
    length = _LONGEST - none * np.int64(_LONGEST - _WITHOUT) - millis * np.int64(_LONGEST - _MILLIS)
    return length, (moment * 60 + second) * 1_000_000 + fraction, right
