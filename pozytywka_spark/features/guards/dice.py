"""Dice that fall the same way in every engine: a stated mix of a number and a seed.

The finaliser of splitmix64 (Steele, Lea and Flood 2014) in unsigned 64-bit numbers that wrap:
`z = x + seed * 0x9E3779B97F4A7C15; z = (z ^ z >> 30) * 0xBF58476D1CE4E5B9;
z = (z ^ z >> 27) * 0x94D049BB133111EB; z ^ z >> 31`.
"""

from __future__ import annotations

import polars as pl

_STEP = 0x9E3779B97F4A7C15
_ROUNDS = ((30, 0xBF58476D1CE4E5B9), (27, 0x94D049BB133111EB))
_LAST = 31
_ALL = 1 << 64


def event_dice(seed: int) -> pl.Expr:
    """Of each event, UInt64: of the first eight bytes of `event_id`, the lowest first."""
    first = pl.col("event_id").bin.slice(0, 8)
    return mixed(first.bin.reinterpret(dtype=pl.UInt64, endianness="little"), seed)


def user_dice(seed: int) -> pl.Expr:
    """Of each user, UInt64: of `user_id`."""
    return mixed(pl.col("user_id").reinterpret(dtype=pl.UInt64), seed)


def mixed(number: pl.Expr, seed: int) -> pl.Expr:
    """Of UInt64, UInt64. Polars has no shift: to divide by a power of two is one."""
    z = number + pl.lit(seed * _STEP % _ALL, dtype=pl.UInt64)
    for shift, factor in _ROUNDS:
        z = (z ^ z // (1 << shift)) * pl.lit(factor, dtype=pl.UInt64)
    return z ^ z // (1 << _LAST)
