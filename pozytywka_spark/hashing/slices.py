"""Slices of rows by a key, so that a task never holds more than so many rows at once.

What belongs together has one key and so one slice, whichever task asks: slices go by stated hashes.
"""

from __future__ import annotations

import zlib

import polars as pl

from pozytywka_spark.hashing.identity import user_bucket

_LARGEST = 2_147_483_647


def slices_for(rows: int, rows_at_once: int) -> int:
    """How many slices so many rows go in.

    >>> slices_for(10, rows_at_once=4), slices_for(0, rows_at_once=4)
    (3, 1)
    """
    return max(1, -(-rows // rows_at_once))


def slice_of(name: str, parts: int, *, apart_from: int = 1) -> pl.Expr:
    """The slice of whole numbers from 0 on, from 0 to `parts` - 1.

    `apart_from`: rows are of one of so many buckets by the same hash already, and are cut further.
    """
    return user_bucket(pl.col(name), _LARGEST) // apart_from % parts


def text_slice(values: pl.Series, parts: int) -> pl.Series:
    """The slice of each text, from 0 to `parts` - 1: its CRC-32 modulo `parts`.

    >>> text_slice(pl.Series(["t1", "t2", "t1"]), parts=100).to_list()
    [79, 73, 79]
    """
    crc32 = zlib.crc32
    return pl.Series([crc32(text.encode()) % parts for text in values.to_list()], dtype=pl.Int64)
