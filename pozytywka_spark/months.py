"""Months: their order, their edges, and how time is split by them; moments as numbers. All such arithmetic.

A month is the date of its first day, a window `[first day, first day of the next)` in UTC. The next month's
first day is the cut-off of its rows, itself outside.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta

from pozytywka_spark.names import TEST, TRAIN, VALIDATION

MICROS = 1_000_000
MINUTE_MICROS = 60 * MICROS
HOUR_MICROS = 3600 * MICROS
DAY_MICROS = 86_400 * MICROS
_EPOCH = date(1970, 1, 1)
_EPOCH_MOMENT = datetime(1970, 1, 1, tzinfo=UTC)


@dataclass(frozen=True)
class TimeSplit:
    """The months of each side, oldest first; months between two sides that are on none are purged."""

    train: tuple[date, ...]
    validation: tuple[date, ...]
    test: tuple[date, ...] = ()

    @property
    def sides(self) -> dict[str, tuple[date, ...]]:
        """Months by the side's name; a fold has no test."""
        named = {TRAIN: self.train, VALIDATION: self.validation, TEST: self.test}
        return {side: months for side, months in named.items() if months}

    @property
    def purged(self) -> tuple[date, ...]:
        """Months inside the span that no side may use."""
        used = {month for months in self.sides.values() for month in months}
        return tuple(month for month in months_between(min(used), max(used)) if month not in used)

    def side_of(self, month: date) -> str | None:
        """The side that `month` is on, None if it is purged or outside."""
        return next((side for side, months in self.sides.items() if month in months), None)


def number_of(month: date) -> int:
    """Months since year 0, so that consecutive months differ by 1.

    >>> number_of(date(2024, 1, 1)) - number_of(date(2023, 12, 1))
    1
    """
    return month.year * 12 + month.month - 1


def month_at(number: int) -> date:
    """The month of a `number_of`."""
    return date(number // 12, number % 12 + 1, 1)


def month_after(month: date, months: int) -> date:
    """The month that many months later; earlier if it is negative.

    >>> month_after(date(2023, 11, 1), 3), month_after(date(2023, 11, 1), -11)
    (datetime.date(2024, 2, 1), datetime.date(2022, 12, 1))
    """
    return month_at(number_of(month) + months)


def next_month(month: date) -> date:
    """The first day of the month after `month`: the cut-off of a row of that month."""
    return month_after(month, 1)


def previous_month(month: date) -> date:
    """The month before `month`."""
    return month_after(month, -1)


def start_micros(day: date) -> int:
    """Midnight (UTC) at which the day begins, in microseconds since 1970."""
    return (day - _EPOCH).days * DAY_MICROS


def cut_off_micros(month: date) -> int:
    """The cut-off of a month's rows, in microseconds since 1970.

    >>> cut_off_micros(date(1970, 1, 1)) == 31 * DAY_MICROS
    True
    """
    return start_micros(next_month(month))


def as_utc(moment: datetime) -> datetime:
    """The moment in UTC; one without a zone is taken as UTC."""
    return moment.replace(tzinfo=UTC) if moment.tzinfo is None else moment.astimezone(UTC)


def as_micros(moment: datetime) -> int:
    """Microseconds since 1970 of a moment with a zone.

    >>> as_micros(datetime(1970, 1, 2, tzinfo=UTC)) == DAY_MICROS
    True
    """
    return (moment - _EPOCH_MOMENT) // timedelta(microseconds=1)


def as_moment(micros: int) -> datetime:
    """The moment (UTC) so many microseconds after the beginning of 1970."""
    return _EPOCH_MOMENT + timedelta(microseconds=micros)


def months_between(first: date, last: date) -> tuple[date, ...]:
    """Every calendar month from `first` to `last`, both included.

    >>> [f"{month:%Y-%m}" for month in months_between(date(2023, 11, 1), date(2024, 1, 1))]
    ['2023-11', '2023-12', '2024-01']
    """
    return tuple(month_at(number) for number in range(number_of(first), number_of(last) + 1))


def without_overlap(months: Sequence[date], later: date, horizon_days: int) -> tuple[date, ...]:
    """The months whose label horizon `[cut-off, cut-off + horizon)` ends at or before `later`'s cut-off.

    This is guard 3: with a horizon of 30 days, January's label is known on 3 March (2 March in a leap
    year) and may not train a model validated on February; April's is known on 31 May and may for May.

    >>> year = months_between(date(2023, 1, 1), date(2023, 12, 1))
    >>> [f"{month:%Y-%m}" for month in without_overlap(year, date(2023, 2, 1), 30)]
    []
    >>> [f"{month:%Y-%m}" for month in without_overlap(year, date(2023, 5, 1), 30)]
    ['2023-01', '2023-02', '2023-03', '2023-04']
    """
    horizon = timedelta(days=horizon_days)
    return tuple(
        month for month in months if month < later and next_month(month) + horizon <= next_month(later)
    )


def split_months(
    months: Sequence[date], validation_months: int, test_months: int, horizon_days: int
) -> TimeSplit | None:
    """The split counted back from the last of `months` (consecutive), None if they are too few.

    >>> year = months_between(date(2023, 1, 1), date(2023, 12, 1))
    >>> split = split_months(year, validation_months=2, test_months=2, horizon_days=60)
    >>> {side: f"{months[0]:%Y-%m}..{months[-1]:%Y-%m}" for side, months in split.sides.items()}
    {'train': '2023-01..2023-06', 'validation': '2023-08..2023-09', 'test': '2023-11..2023-12'}
    >>> [f"{month:%Y-%m}" for month in split.purged]
    ['2023-07', '2023-10']
    """
    test = tuple(months[-test_months:]) if test_months else ()
    before_test = without_overlap(months, test[0], horizon_days) if test else tuple(months)
    validation = before_test[-validation_months:]
    if len(test) < test_months or len(validation) < validation_months:
        return None
    train = without_overlap(before_test, validation[0], horizon_days)
    return TimeSplit(train, validation, test) if train else None
