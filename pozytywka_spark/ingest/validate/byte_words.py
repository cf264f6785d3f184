"""Text of many lines as columns of words: eight bytes each, the first character lowest, handled at once.

Taking a row of words from every line costs a few nanoseconds however wide it is; what is told of a word costs
a fraction of one. So a byte is never looked at by itself.
"""

from __future__ import annotations

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
