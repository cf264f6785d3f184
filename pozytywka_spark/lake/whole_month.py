"""The month a job works on: the last complete one, or the one that was asked for, marked if it isn't."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date

from pozytywka_spark.errors import DataError
from pozytywka_spark.lake.data_span import DataSpan


@dataclass(frozen=True)
class ChosenMonth:
    """The month that a job works on, whether it is complete, and what a person should know of the choice."""

    month: date
    complete: bool
    note: str = ""


def choose_month(available: Iterable[date], span: DataSpan, asked: date | None, did: str) -> ChosenMonth:
    """The month that was asked for, else the last complete one of the `available` months.

    `did` is what the job does with it, as in "scored"; `available` has one. Raises `DataError` if no known
    month is complete and none was asked for.
    """
    months = sorted(available)
    if asked is not None:
        complete = span.is_complete(asked)
        note = "" if complete else f"{asked:%Y-%m} is not complete: {span.why_incomplete(asked)}; marked so"
        return ChosenMonth(asked, complete, note)
    whole = [month for month in months if span.is_complete(month)]
    begun = [month for month in months if span.holds(month) and not span.is_over(month)]
    latest = begun[-1] if begun else months[-1]
    if not whole:
        raise DataError(
            f"no month is complete: of {latest:%Y-%m} {span.why_incomplete(latest)}; deliver the rest, or "
            f"take the month as it is with --month {latest:%Y-%m}"
        )
    if not begun or begun[-1] < whole[-1]:
        return ChosenMonth(whole[-1], complete=True)
    note = (
        f"{latest:%Y-%m} has begun: {span.why_incomplete(latest)}; {did} {whole[-1]:%Y-%m}; "
        f"--month {latest:%Y-%m} takes it all the same"
    )
    return ChosenMonth(whole[-1], True, note)
