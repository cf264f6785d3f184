"""The digest of rows against its stated arithmetic, one whole number at a time."""

from __future__ import annotations

import struct
from functools import reduce
from operator import xor

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from pozytywka_spark.hashing.digest import Digest, digest_of

ALL = 2**64


def mixed(x: int) -> int:
    x = (x + 0x9E3779B97F4A7C15) % ALL
    x = ((x ^ x >> 30) * 0xBF58476D1CE4E5B9) % ALL
    x = ((x ^ x >> 27) * 0x94D049BB133111EB) % ALL
    return x ^ x >> 31


def of_row(user: int, value: float) -> int:
    bits = struct.unpack("<Q", struct.pack("<d", float("nan") if value != value else value + 0.0))[0]
    return mixed(mixed(mixed(0) ^ user % ALL) ^ bits)


ROWS = st.lists(st.tuples(st.integers(-(2**63), 2**63 - 1), st.floats(width=64)), min_size=1, max_size=9)


def digest(rows: list[tuple[int, float]]) -> Digest:
    users, values = zip(*rows, strict=True)
    return digest_of([np.array(users, np.int64), np.array(values, np.float64)])


@given(ROWS, st.randoms())
def test_it_is_the_stated_one_whatever_the_order_and_the_parts(rows: list, drawn: object) -> None:
    numbers = [of_row(*row) for row in rows]
    expected = Digest(len(rows), reduce(xor, numbers), sum(numbers) % ALL)
    assert digest(rows) == expected
    drawn.shuffle(rows)
    cut = len(rows) // 2
    parts = [digest(part) for part in (rows[:cut], rows[cut:]) if part]
    assert sum(parts, Digest()) == expected


def test_values_repeats_and_columns_count_but_no_sign_of_zero() -> None:
    base = [(1, 0.5), (2, float("nan"))]
    others = [[(1, 0.5)], [(1, 0.5), (2, 0.0)], [*base, base[1]], [*base, base[1], base[1]], [(1, 0.5)] * 2]
    assert len({digest(rows).named(("a",)) for rows in (base, *others)}) == 6
    assert digest([(1, 0.0)]) == digest([(1, -0.0)])
    assert digest(base).named(("a",)) != digest(base).named(("b",))
    half = np.array([0.5], np.float32)
    assert digest_of([half]) == digest_of([half.astype(np.float64)])
