"""The arithmetic that catalogue entries are written in, from expression to expression."""

from __future__ import annotations

import polars as pl

# Decimal digits kept of each real number of the catalogue. Sums of these whole numbers are exact, so
# the result is the same bit for bit in whatever order rows arrive; deliveries carry at most 8 digits
# of audio features. Chosen so that a month of plays without a pause stays far inside 64 bits.
DIGITS = {"tempo": 10, "loudness": 11, "daily_cost": 14}
AUDIO_DIGITS = 13


def digits_of(name: str) -> int:
    """Decimal digits kept of the track attribute `name`."""
    return DIGITS.get(name, AUDIO_DIGITS)


def fixed_point(value: pl.Expr, digits: int) -> pl.Expr:
    """A real number as a whole number of units of 10^-digits, a half to the even one; null stays null."""
    return (value * 10.0**digits).round(mode="half_to_even").cast(pl.Int64)


def total(value: pl.Expr) -> pl.Expr:
    """The sum of whole numbers, 0 over none, in 128 bits: what casts it to 64 is told of an overflow.

    Polars' own sum of 64 bits wraps in silence.
    """
    return wide(value).sum()


def total_of_values(value: pl.Expr) -> pl.Expr:
    """The sum of some or all numbers of one column of the levels event, gap or session; 0 over none.

    In 64 bits, which takes a fifth of the time: the kernel of the month looks beforehand whether each column
    that is read adds up to what fits. Of anything computed (a product, a difference) take `total`.
    """
    return value.sum()


def wide(value: pl.Expr) -> pl.Expr:
    """A whole number in 128 bits, so that products of two fit."""
    return value.cast(pl.Int128)


def count_if(condition: pl.Expr) -> pl.Expr:
    """How many rows fulfil the condition; 0 over none."""
    return condition.sum()


def ratio(numerator: pl.Expr, denominator: pl.Expr, scale: float = 1.0) -> pl.Expr:
    """`numerator / denominator / scale` as a double; null where the denominator is 0 or null."""
    shares = divided(real(numerator), pl.when(denominator != 0).then(real(denominator)))
    return shares if scale == 1.0 else divided(shares, scale)


def divided(value: pl.Expr, by: pl.Expr | float) -> pl.Expr:
    """`value / by` of doubles, by other than 0, to the last bit.

    Where the divisor is one number for all rows, Polars multiplies by its inverse, unless there is one row
    only: the last bit would depend on who else is in the frame. So the divisor is made a number a row.
    """
    return value / (value * 0.0 + by)


def real(value: pl.Expr) -> pl.Expr:
    """A whole number as a double."""
    return value.cast(pl.Float64)
