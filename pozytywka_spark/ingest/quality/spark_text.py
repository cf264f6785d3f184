"""Values as Spark's `cast("string")` spells them, whose spelling the quality report has always had."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


def as_spelt(value: Any, kind: str) -> str:
    """A value of a column of type `kind`: times come in microseconds since 1970 UTC, dates as ISO text."""
    if kind == "timestamp":
        return time_text(value)
    return double_text(value) if kind == "double" else str(value)


def time_text(micros: int) -> str:
    """`2023-01-03 05:09:55.707`: the fraction without its last zeros, if there is any."""
    text = str((_EPOCH + timedelta(microseconds=micros)).replace(tzinfo=None))
    return text.rstrip("0") if "." in text else text


def double_text(value: float) -> str:
    """As Java's `Double.toString`: from 0.001 to 10 million as it is, else with an exponent (`1.0E-4`).

    >>> double_text(0.5), double_text(0.0001), double_text(12345678.5)
    ('0.5', '1.0E-4', '1.23456785E7')
    """
    if value == 0 or 1e-3 <= abs(value) < 1e7:
        return repr(value)
    sign, digits, _ = Decimal(repr(value)).as_tuple()
    exponent = Decimal(repr(value)).adjusted()
    text = "".join(map(str, digits)).rstrip("0")
    return f"{'-' if sign else ''}{text[0]}.{text[1:] or '0'}E{exponent}"
