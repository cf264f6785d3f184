"""Months as people name them in a notebook."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import date
from typing import TypeAlias

from pozytywka_spark.errors import UsageError
from pozytywka_spark.months import months_between

Month: TypeAlias = str | date
Months: TypeAlias = Month | Iterable[Month]


def month_of(month: Month) -> date:
    """`"2023-05"` or any day of it as the first of May. Raises `UsageError`."""
    if isinstance(month, date):
        return date(month.year, month.month, 1)
    try:
        return date.fromisoformat(f"{month}-01" if len(month) == len("2023-05") else month).replace(day=1)
    except ValueError:
        raise UsageError(f"month {month!r}: expected such as 2023-05") from None


def months_of(months: Months) -> list[date]:
    """One month, a range `"2023-03..2023-05"` with both ends, or several of these, in order."""
    each = [months] if isinstance(months, str | date) else list(months)
    stored: set[date] = set()
    for item in each:
        first, between, last = item.partition("..") if isinstance(item, str) else (item, "", item)
        low, high = month_of(first), month_of(last if between else first)
        if low > high:
            raise UsageError(f"months {item}: the first is after the last; swap them")
        stored.update(months_between(low, high))
    return sorted(stored)
