"""Values as people write them, on the terminal and on pages alike."""

from __future__ import annotations

from collections.abc import Callable
from datetime import date, datetime
from typing import Any


def format_value(value: Any, floats: Callable[[float], str]) -> str:
    """A dash for nothing, yes and no, thousands separated; `floats` says how many digits a float has.

    >>> [format_value(value, significant_4) for value in (None, True, 1234567, 0.123456, date(2023, 1, 3))]
    ['–', 'yes', '1,234,567', '0.1235', '2023-01-03']
    """
    if value is None:
        return "–"
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, int):
        return f"{value:,}"
    if isinstance(value, float):
        return floats(value)
    if isinstance(value, datetime):
        return value.isoformat(sep=" ", timespec="seconds")
    if isinstance(value, date):
        return value.isoformat()
    if isinstance(value, (list, tuple)):
        return ", ".join(format_value(item, floats) for item in value)
    return str(value)


def fixed_4(value: float) -> str:
    """For columns: all rows have the same digits.

    >>> fixed_4(0.5)
    '0.5000'
    """
    return f"{value:.4f}"


def significant_4(value: float) -> str:
    """For prose and mixed tables: four significant digits, large numbers to a tenth.

    >>> significant_4(0.000123456), significant_4(12.3456), significant_4(123456.78)
    ('0.0001235', '12.35', '123,456.8')
    """
    return f"{value:,.1f}" if abs(value) >= 1000 else f"{value:.4g}"
