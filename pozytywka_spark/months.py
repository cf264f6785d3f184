"""What a split of time by months is: train | purge | validation | purge | test, no horizon across a side."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, timedelta

TRAIN, VALIDATION, TEST = "train", "validation", "test"


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


def next_month(month: date) -> date:
    """The first day of the month after `month`: the cut-off of a row of that month."""
    return (month.replace(day=1) + timedelta(days=32)).replace(day=1)


def months_between(first: date, last: date) -> tuple[date, ...]:
    """Every calendar month from `first` to `last`, both included."""
    months = []
    month = first
    while month <= last:
        months.append(month)
        month = next_month(month)
    return tuple(months)


def without_overlap(months: Sequence[date], later: date, horizon_days: int) -> tuple[date, ...]:
    """The months whose label horizon `[cut-off, cut-off + horizon)` ends at or before `later`'s cut-off.

    This is guard 3: with a horizon of 30 days, January's label is known on 3 March (2 March in a leap
    year) and may not train a model validated on February; April's is known on 31 May and may for May.
    """
    horizon = timedelta(days=horizon_days)
    return tuple(
        month for month in months if month < later and next_month(month) + horizon <= next_month(later)
    )


def split_months(
    months: Sequence[date], validation_months: int, test_months: int, horizon_days: int
) -> TimeSplit | None:
    """The split counted back from the last of `months` (consecutive), None if they are too few."""
    test = tuple(months[-test_months:]) if test_months else ()
    before_test = without_overlap(months, test[0], horizon_days) if test else tuple(months)
    validation = before_test[-validation_months:]
    if len(test) < test_months or len(validation) < validation_months:
        return None
    train = without_overlap(before_test, validation[0], horizon_days)
    return TimeSplit(train, validation, test) if train else None
