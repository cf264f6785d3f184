"""The days that a month's rings are looked for in: the last ones before its end."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, timedelta

from pozytywka_spark.months import next_month, previous_month


@dataclass(frozen=True)
class Window:
    """The UTC days [start, end) that belong to a month's rings."""

    month: date
    start: date
    end: date

    @property
    def months(self) -> list[date]:
        """The months that have days in it."""
        result = [self.month]
        while result[-1] > self.start:
            result.append(previous_month(result[-1]))
        return sorted(result)


def windows_of(months: Sequence[date], days: int) -> list[Window]:
    """A window a month."""
    ends = {month: next_month(month) for month in months}
    return [Window(month, end - timedelta(days=days), end) for month, end in sorted(ends.items())]
