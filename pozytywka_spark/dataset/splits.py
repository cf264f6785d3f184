"""Splitting time: train | purge | validation | purge | test by whole months, and rolling folds for tuning."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import date

from pozytywka_spark.config import Settings
from pozytywka_spark.errors import DataError
from pozytywka_spark.months import TimeSplit, months_between, split_months
from pozytywka_spark.names import TEST, TRAIN, VALIDATION

_MARKS = {TRAIN: "T", VALIDATION: "V", TEST: "X"}
_PURGED = "·"


@dataclass(frozen=True)
class MonthCount:
    """Mature rows of one month, and how many of them are positive."""

    month: date
    rows: int
    positives: int


def plan_split(counts: Sequence[MonthCount], settings: Settings) -> TimeSplit:
    """The split of settings over the mature months.

    Raises `DataError` if a side has too few positives or no negative, saying how many there are and
    which settings would do.
    """
    counts = sorted(counts, key=lambda count: count.month)
    positives = sum(count.positives for count in counts)
    if not counts or positives == 0:
        rows = sum(count.rows for count in counts)
        raise DataError(
            f"nothing to train on: {rows} mature rows in {len(counts)} months, none of them positive for "
            f"{settings.label.column}; deliver more months or shorten label.horizon_days"
        )
    months = months_between(counts[0].month, counts[-1].month)
    sides = settings.split
    split = split_months(months, sides.validation_months, sides.test_months, settings.label.horizon_days)
    problem = _problem(split, counts, settings.training.min_positives)
    if split is None or problem:
        raise DataError(f"{problem}; {_advice(counts, months, settings)}")
    return split


def rolling_folds(counts: Sequence[MonthCount], split: TimeSplit, settings: Settings) -> list[TimeSplit]:
    """Up to `split.folds` splits for tuning, latest first: validation moves back from the split's own.

    The test months are never in them. Folds without enough positives on a side are left out.
    """
    ordered = sorted(counts, key=lambda count: count.month)
    months = months_between(ordered[0].month, split.validation[-1])
    step = len(split.validation)
    folds = []
    for shift in range(settings.split.folds):
        upto = months[: len(months) - shift * step]
        fold = split_months(upto, step, 0, settings.label.horizon_days)
        if fold is None:
            break
        if not _problem(fold, ordered, settings.training.min_positives):
            folds.append(fold)
    return folds


def diagram(split: TimeSplit, folds: Sequence[TimeSplit] = ()) -> list[str]:
    """The split and its folds as text, a character a month."""
    months = months_between(split.train[0], split.test[-1])
    lines = [f"{'split':<8}{_bar(split, months)}  {months[0]:%Y-%m} to {months[-1]:%Y-%m}"]
    lines += [f"{f'fold {number}':<8}{_bar(fold, months)}" for number, fold in enumerate(folds, 1)]
    return [*lines, "        T train, V validation, X test, · purged"]


def describe(split: TimeSplit, counts: Sequence[MonthCount]) -> list[dict[str, object]]:
    """A row a side: its months, rows and positives."""
    return [
        {"side": side, "months": _span(months), "rows": rows, "positives": positives}
        for side, months in split.sides.items()
        for rows, positives in [_size(months, counts)]
    ]


def base_rate_of(months: Sequence[date], counts: Sequence[MonthCount]) -> float:
    """Share of positives among the rows of `months`."""
    rows, positives = _size(months, counts)
    return positives / rows


def _bar(split: TimeSplit, months: Sequence[date]) -> str:
    purged = split.purged
    sides = ((month, split.side_of(month)) for month in months)
    return "".join(_MARKS[side] if side else _PURGED if month in purged else " " for month, side in sides)


def _span(months: Sequence[date]) -> str:
    first, last = f"{months[0]:%Y-%m}", f"{months[-1]:%Y-%m}"
    return first if first == last else f"{first} to {last}"


def _size(months: Sequence[date], counts: Sequence[MonthCount]) -> tuple[int, int]:
    counted = [count for count in counts if count.month in months]
    return sum(count.rows for count in counted), sum(count.positives for count in counted)


def _problem(split: TimeSplit | None, counts: Sequence[MonthCount], least: int) -> str:
    """What is wrong with a split in words; empty if nothing."""
    if split is None:
        span = _span([count.month for count in counts])
        return f"the mature months {span} ({len(counts)} with rows) are too few for this split"
    clauses = []
    for side, months in split.sides.items():
        rows, positives = _size(months, counts)
        if positives < least or positives == rows:
            clauses.append(f"{side} {_span(months)} has {positives} positive of {rows} rows")
    if not clauses:
        return ""
    return f"too few to train on: {', '.join(clauses)} (at least {least} positives and a negative a side)"


def _advice(counts: Sequence[MonthCount], months: Sequence[date], settings: Settings) -> str:
    """Settings that would do, or why none would."""
    by_month = ", ".join(f"{count.month:%Y-%m} {count.positives}" for count in counts if count.positives)
    message = f"positives by month: {by_month}"
    best = max(_candidates(counts, months, settings), default=None)
    if best is None or best[0] == 0:
        return f"{message}; no split of these months has a positive on each side, so more data is needed"
    positives, _, validation, test = best
    least = settings.training.min_positives
    change = f"split.validation_months={validation} and split.test_months={test}"
    if positives < least:
        change += f" and training.min_positives={positives}"
    return f"{message}; {change} would do"


def _candidates(
    counts: Sequence[MonthCount], months: Sequence[date], settings: Settings
) -> Iterator[tuple[int, int, int, int]]:
    """Splits: fewest positives of a side (up to what is asked), -months held out, validation, test."""
    for validation in range(1, len(months)):
        for test in range(1, len(months) - validation):
            split = split_months(months, validation, test, settings.label.horizon_days)
            if split is None or _problem(split, counts, 0):
                continue
            fewest = min(_size(side, counts)[1] for side in split.sides.values())
            yield min(fewest, settings.training.min_positives), -(validation + test), validation, test
