"""N-grams hashed on arrays: against a plain loop over the same definition."""

from __future__ import annotations

import numpy as np
import polars as pl
import pytest
from hypothesis import given
from hypothesis import strategies as st

from pozytywka_spark.feedback.ngrams import (
    APART,
    BITS,
    COLUMNS,
    LENGTHS,
    MOST_LETTERS,
    plain,
    rows_of,
    weights_of,
)

M64 = (1 << 64) - 1
BASE, PAIR_BASE = 0x9E3779B97F4A7C15, 0xC2B2AE3D27D4EB4F
ALIKE = np.ones(COLUMNS, dtype=np.float32)


def mixed(value: int) -> int:
    value ^= value >> 33
    value = value * 0xFF51AFD7ED558CCD & M64
    value ^= value >> 33
    value = value * 0xC4CEB9FE1A85EC53 & M64
    return value ^ (value >> 33)


def hashed(letters: str, kind: int) -> int:
    return mixed(sum(ord(one) * pow(BASE, place, 1 << 64) for place, one in enumerate(letters)) + kind & M64)


def expected(text: str) -> dict[int, float]:
    """Columns and values of one text, all weights 1, from the definition."""
    words = plain(pl.Series([text]))[0].split()
    letters = {
        hashed(f" {word} "[at : at + length], length) >> (64 - BITS)
        for word in words
        for length in LENGTHS
        for at in range(len(word) + 3 - length)
    }
    numbers = [hashed(word, 101) for word in words]
    pairs = [
        mixed(one * PAIR_BASE + numbers[at + apart] + 102 & M64)
        for at, one in enumerate(numbers)
        for apart in range(1, APART + 1)
        if at + apart < len(numbers)
    ]
    of_words = {value >> (64 - BITS) for value in [*numbers, *pairs]}
    found: dict[int, float] = {}
    for columns in (letters, of_words):
        for column in columns:
            found[column] = found.get(column, 0.0) + 1.0 / len(columns) ** 0.5
    return found


def test_hashes_are_what_they_were() -> None:
    rows = rows_of(pl.Series(["ad"]), ALIKE)
    assert rows.indices.tolist() == sorted(expected("ad"))
    assert hashed(" ad", 3) == 13711451432763859193


@pytest.mark.thorough
@given(st.lists(st.text(max_size=30), max_size=6))
def test_rows_are_those_of_the_definition(texts: list[str]) -> None:
    rows = rows_of(pl.Series(texts, dtype=pl.String), ALIKE)
    assert rows.shape == (len(texts), COLUMNS)
    for number, text in enumerate(texts):
        mine, wanted = rows[number], expected(text)
        assert mine.indices.tolist() == sorted(wanted)
        assert np.allclose(mine.data, [wanted[column] for column in sorted(wanted)])


def test_a_text_is_the_same_whatever_stands_beside_it() -> None:
    texts = pl.Series(["za dużo reklam", None, "", "🙂", "x" * 1_000_000, "za duzo REKLAM!"])
    together = rows_of(texts, ALIKE)
    for number in range(len(texts)):
        assert (together[number] != rows_of(texts[number : number + 1], ALIKE)).nnz == 0
    assert together[1].nnz == together[2].nnz == 0


def test_accents_capitals_and_digits_are_alike_and_smileys_words() -> None:
    told = plain(pl.Series(["ŻÓŁĆ 2024", "zolc 1999", "ok:)", "no :-(", "a" * 3000])).to_list()
    assert told[0] == told[1] == " zolc 0000 "
    assert told[2:4] == [" ok 🙂 ", " no 🙁 "]
    assert len(told[4]) == MOST_LETTERS + 2


def test_what_weighs_nothing_isnt_there_and_each_kind_has_length_one() -> None:
    texts = pl.Series(["too many adverts", "too loud", "too much"])
    with_each = np.bincount(rows_of(texts, ALIKE).indices, minlength=COLUMNS)
    weights = weights_of(with_each, 4, 2)
    rows = rows_of(texts, weights)
    assert set(np.flatnonzero(weights)) == set(np.flatnonzero(with_each >= 2))
    assert set(rows.indices) <= set(np.flatnonzero(weights))
    assert np.isclose(weights.max(), np.log(4 / 3))
    for number in range(3):  # the letters of "too" and the word itself: two blocks of length 1
        assert np.isclose(rows[number].power(2).sum(), 2.0)
