"""Column -> Column helpers that catalogue entries are written in."""

from __future__ import annotations

from pyspark.sql import Column
from pyspark.sql import functions as F

# Decimal digits kept of each real number of the catalogue. Sums of these whole numbers are exact, so
# the result is the same bit for bit in whatever order rows arrive; deliveries carry at most 8 digits
# of audio features. Chosen so that a month of plays without a pause stays far inside 64 bits
# (a sum that doesn't raises an overflow error, for Spark runs in ANSI mode).
DIGITS = {"tempo": 10, "loudness": 11, "daily_cost": 14}
AUDIO_DIGITS = 13


def digits_of(name: str) -> int:
    """Decimal digits kept of the track attribute `name`."""
    return DIGITS.get(name, AUDIO_DIGITS)


def fixed_point(value: Column, digits: int) -> Column:
    """A real number as a whole number of units of 10^-digits; null stays null."""
    return F.rint(value * F.lit(10.0**digits)).cast("bigint")


def total(value: Column) -> Column:
    """The sum of whole numbers, 0 over none."""
    return F.coalesce(F.sum(value), zero())


def zero() -> Column:
    """0 as a long."""
    return F.lit(0).cast("bigint")


def ratio(numerator: Column, denominator: Column, scale: float = 1.0) -> Column:
    """`numerator / denominator / scale` as a double; null where the denominator is 0 or null."""
    shares = numerator.cast("double") / F.nullif(denominator.cast("double"), F.lit(0.0))
    return shares if scale == 1.0 else shares / F.lit(scale)


def real(value: Column) -> Column:
    """A whole number as a double."""
    return value.cast("double")
