"""MD5 (RFC 1321) of many short texts at once: each step of it is taken for all of them by one call of NumPy.

A text that is a Python object costs as much again for the object as for its hash, and more than twice of what
it costs here.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

import numpy as np

Bytes = np.ndarray[Any, np.dtype[np.uint8]]
Words = np.ndarray[Any, np.dtype[np.uint32]]
Lengths = np.ndarray[Any, np.dtype[np.int64]]

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


def md5_of(texts: Bytes, lengths: Lengths) -> Words:
    """Digests, a row of four words each (little-endian: the very bytes of the digest).

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


def _mix(state: Words, block: Sequence[Words | None]) -> None:
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


def _choose(part: int, b: Words, c: Words, d: Words, into: Words) -> None:
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
