"""Values as people write them, on the terminal and on pages alike."""

from __future__ import annotations

from collections.abc import Callable
from datetime import date, datetime
from typing import Any


def format_value(value: Any, floats: Callable[[float], str]) -> str:
    """A dash for nothing, yes and no, thousands separated; `floats` says how many digits a float has."""
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
    """For columns: all rows have the same digits."""
    return f"{value:.4f}"


def significant_4(value: float) -> str:
    """For prose and mixed tables: four significant digits, large numbers to a tenth."""
    return f"{value:,.1f}" if abs(value) >= 1000 else f"{value:.4g}"
