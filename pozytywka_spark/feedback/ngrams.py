"""Texts -> hashed n-grams of letters and words, as sparse rows: what every model of texts is given.

Letters are lower case without accents, each digit 0, punctuation but `!` and `?` gone, emoji words of their
own; only the first `MOST_LETTERS` count, so that a text of a megabyte costs what a long letter does. Of each
word, with a blank on both sides, all n-grams of 3 to 5 letters (what inflection and typos leave alone), the
words themselves, and pairs of words at most `APART` words apart, in their order (who is not happy says both,
seldom side by side). Each n-gram counts once in a text, by its weight; those of letters together and those of
words together have length 1 (Euclid), so that neither drown the other.

The hash of an n-gram: its letters' code points as digits to the base `_BASE`, modulo 2^64, the kind of n-gram
added, mixed by MurmurHash3's finaliser, of which the topmost `BITS` bits are the column. All of it is
arithmetic on the letters of many texts at once: sums from the left, divided by the power at which an n-gram
begins, for the base is odd and so has an inverse.
"""

from __future__ import annotations

from itertools import pairwise
from typing import TYPE_CHECKING

import numpy as np
import numpy.typing as npt
import polars as pl

if TYPE_CHECKING:
    from scipy.sparse import csr_matrix

BITS = 18
COLUMNS = 1 << BITS
LENGTHS = (3, 4, 5)
MOST_LETTERS = 2000
APART = 3
_WORD, _PAIR = 101, 102  # kinds of n-grams beside the lengths
_BASE = np.uint64(0x9E3779B97F4A7C15)  # odd
_PAIR_BASE = np.uint64(0xC2B2AE3D27D4EB4F)
_BLANK = 32
_AT_ONCE = 1_000_000  # letters

Whole = npt.NDArray[np.uint64]
Places = npt.NDArray[np.int64]
# What stands for something personal is a word of its own: "[link]" has nothing to do with the word "link"
_MASKS = {
    "[name]": " 👤 ",
    "[street]": " 🏠 ",
    "[email]": " 📧 ",
    "[phone]": " 📞 ",
    "[card]": " 💳 ",
    "[link]": " 🔗 ",
    "[number]": " 🔢 ",
    "[postcode]": " 📮 ",
}

Weights = npt.NDArray[np.float32]
Floats = npt.NDArray[np.float64]
Ngrams = tuple[Places, Whole]  # the text and the hash of each


def plain(texts: pl.Series) -> pl.Series:
    """Texts as n-grams are taken of them, with a blank at both ends; one of nothing for null.

    >>> plain(pl.Series(["Działa!! 24h :(", None])).to_list()
    [' dziala ! ! 00h 🙁 ', ' ']
    """
    one = pl.col("text")
    rows = pl.DataFrame({"text": texts}).select(
        one.fill_null("")
        .str.slice(0, MOST_LETTERS)
        .str.to_lowercase()
        .str.replace_many(list(_MASKS), list(_MASKS.values()))
        .str.normalize("NFKD")
        .str.replace_all(r"\p{M}+", "")
        .str.replace_many(["ł", "ø", "đ", "ı"], ["l", "o", "d", "i"])
        .str.replace_all(r"[:;=]-?[)D\]]+", " 🙂 ")
        .str.replace_all(r"[:;=]-?[(\[]+", " 🙁 ")
        .str.replace_all(r"\d", "0")
        .str.replace_all(r"([\p{So}!?])", " $1 ")
        .str.replace_all(r"[^\p{L}\p{N}\p{So}!?]+", " ")
        .str.strip_chars()
    )
    return rows.select(
        text=pl.concat_str(pl.lit(" "), one, pl.lit(" ")).str.replace_all("  ", " ")
    ).to_series()


def weights_of(texts_with: Places, texts: int, fewest: int) -> Weights:
    """Weights of n-grams that `texts_with[column]` of `texts` have: the logarithm of how rare they are
    (Spärck Jones 1972), 0 where fewer than `fewest` do.
    """
    rare = np.log(max(texts, 1) / np.maximum(texts_with, 1))
    return np.where(texts_with >= fewest, rare, 0.0).astype(np.float32)


def rows_of(texts: pl.Series, weights: Weights) -> csr_matrix:
    """A row a text of `COLUMNS` columns, float64: n-grams that have a weight above 0."""
    from scipy.sparse import csr_matrix, vstack

    cleaned = plain(texts)
    exact = weights.astype(np.float64)
    lengths = cleaned.str.len_chars().to_numpy().astype(np.int64)
    # whole texts, as many as have `_AT_ONCE` letters together
    part = np.cumsum(lengths) // _AT_ONCE
    edges = [0, *(np.flatnonzero(np.diff(part)) + 1).tolist(), len(lengths)]
    blocks = [
        _block(cleaned[first:end].to_list(), lengths[first:end], exact)
        for first, end in pairwise(edges)
        if end > first
    ]
    return csr_matrix(vstack(blocks)) if blocks else csr_matrix((0, COLUMNS))


def _block(texts: list[str], lengths: Places, weights: Floats) -> csr_matrix:
    from scipy.sparse import csr_matrix

    letters = np.frombuffer("".join(texts).encode("utf-32-le", "surrogatepass"), dtype=np.uint32)
    owner = np.repeat(np.arange(len(texts), dtype=np.int64), lengths)
    hashes = _Sums(letters)
    rows = csr_matrix((len(texts), COLUMNS))
    for ngrams in (_of_letters(letters, owner, hashes), _of_words(letters, owner, hashes)):
        # the text above, the column below in one number: its order is that of a matrix by rows
        keys = np.sort(ngrams[0].astype(np.uint64) << np.uint64(BITS) | ngrams[1] >> np.uint64(64 - BITS))
        keys = keys[np.diff(keys, prepend=keys[:1] + np.uint64(1)) != 0]
        columns = (keys & np.uint64(COLUMNS - 1)).astype(np.int64)
        there = weights[columns] > 0
        columns, text = columns[there], (keys[there] >> np.uint64(BITS)).astype(np.int64)
        values = weights[columns]
        lengths_of = np.sqrt(np.bincount(text, weights=values**2, minlength=len(texts)))
        starts = np.concatenate([[0], np.cumsum(np.bincount(text, minlength=len(texts)))])
        content = (values / lengths_of[text], columns.astype(np.int32), starts.astype(np.int32))
        rows = rows + csr_matrix(content, shape=(len(texts), COLUMNS))
    return csr_matrix(rows)


class _Sums:
    """Hashes of any stretch of the letters."""

    def __init__(self, letters: npt.NDArray[np.uint32]) -> None:
        powers = np.full(len(letters) + 1, _BASE, dtype=np.uint64)
        powers[:1] = 1
        powers = np.cumprod(powers, dtype=np.uint64)
        inverse = np.full(len(letters) + 1, pow(int(_BASE), -1, 1 << 64), dtype=np.uint64)
        inverse[:1] = 1
        self._inverse = np.cumprod(inverse, dtype=np.uint64)
        self._sums = np.zeros(len(letters) + 1, dtype=np.uint64)
        np.cumsum(letters.astype(np.uint64) * powers[:-1], out=self._sums[1:])

    def of(self, first: Places, end: Places, kind: int) -> Whole:
        """The mixed hashes of the stretches `[first, end)`."""
        return _mixed((self._sums[end] - self._sums[first]) * self._inverse[first] + np.uint64(kind))


def _mixed(values: Whole) -> Whole:
    values = values ^ (values >> np.uint64(33))
    values = values * np.uint64(0xFF51AFD7ED558CCD)
    values = values ^ (values >> np.uint64(33))
    values = values * np.uint64(0xC4CEB9FE1A85EC53)
    return np.asarray(values ^ (values >> np.uint64(33)))


def _of_letters(letters: npt.NDArray[np.uint32], owner: Places, hashes: _Sums) -> Ngrams:
    blank = letters == _BLANK
    blanks = np.zeros(len(letters) + 1, dtype=np.int64)
    np.cumsum(blank, out=blanks[1:])
    owners, found = [], []
    for length in LENGTHS:
        first = np.arange(max(0, len(letters) - length + 1), dtype=np.int64)
        # blanks only at the ends: an n-gram is of one word, and so of one text
        inside = blanks[first + length - 1] - blanks[first + 1] == 0
        first = first[inside]
        owners.append(owner[first])
        found.append(hashes.of(first, first + length, length))
    return np.concatenate(owners), np.concatenate(found)


def _of_words(letters: npt.NDArray[np.uint32], owner: Places, hashes: _Sums) -> Ngrams:
    blank = letters == _BLANK
    first = np.flatnonzero(~blank[1:] & blank[:-1]) + 1
    end = np.flatnonzero(blank[1:] & ~blank[:-1]) + 1
    words, owners = hashes.of(first, end, _WORD), owner[first]
    found = [(owners, words)]
    for apart in range(1, APART + 1):
        one = np.flatnonzero(owners[apart:] == owners[:-apart])
        pairs = _mixed(words[one] * _PAIR_BASE + words[one + apart] + np.uint64(_PAIR))
        found.append((owners[one], pairs))
    return np.concatenate([each for each, _ in found]), np.concatenate([each for _, each in found])
