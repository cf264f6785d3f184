"""Which days are complete: those that the data go past the end of. No Spark here."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, timedelta

from pozytywka_spark.config import Data
from pozytywka_spark.errors import DataError
from pozytywka_spark.lake.data_span import DataSpan, last_day
from pozytywka_spark.months import months_between, next_month

DAY = timedelta(days=1)


@dataclass(frozen=True)
class CompleteDays:
    """The days `[first, end)`, without a gap."""

    first: date
    end: date

    @property
    def months(self) -> tuple[date, ...]:
        """Every month with one of them."""
        return months_between(self.first.replace(day=1), (self.end - DAY).replace(day=1))

    def of(self, month: date) -> tuple[date, date]:
        """Those of a month: the first, and the day after the last."""
        return max(self.first, month), min(self.end, next_month(month))

    def is_whole(self, month: date) -> bool:
        """Whether all days of the month are complete."""
        return self.of(month) == (month, next_month(month))


def complete_days(span: DataSpan, counts: Mapping[date, int], data: Data) -> CompleteDays:
    """From the lake's first day to the last that events lie behind the end of; strays far off don't count.

    A few minutes of the day after are too thin to be a day of the data, but go past the end of the one
    before. `data.end` is taken at its word: the days before it are complete. Raises `DataError` if no day is.
    """
    first, last = span.start.date(), last_day(span.end)
    goes_on = counts.get(last + DAY, 0) > 0
    end = data.end.date() if data.end else last + DAY if goes_on else last
    if end <= first:
        raise DataError(
            f"no day of the lake is complete: its only one, {first}, may be cut short; a day counts once "
            "the data go past its end: deliver the next one"
        )
    return CompleteDays(first, end)
