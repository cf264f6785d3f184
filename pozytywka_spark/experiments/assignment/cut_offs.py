"""Cut-offs at which users may enter an experiment."""

from __future__ import annotations

from datetime import date

from pozytywka_spark.config import Data
from pozytywka_spark.errors import DataError
from pozytywka_spark.lake.api import Lake
from pozytywka_spark.lake.data_span import DataSpan
from pozytywka_spark.lake.event_days import span_of_events
from pozytywka_spark.months import next_month, previous_month


def next_cut_off(lake: Lake, data: Data | None = None) -> date:
    """The end of the last month that the data reach the end of: the first cut-off at which nothing is known.

    Raises `DataError` if there are no events, or no month is over.
    """
    return cut_off_of(span_of_events(lake, data))


def chosen_cut_off(lake: Lake, data: Data, asked: date | None) -> tuple[date, str]:
    """The cut-off that was asked for, else `next_cut_off`; and what a person should know of the choice."""
    if asked is not None and not lake.exists("events"):
        return asked, ""
    span = span_of_events(lake, data)
    if asked is not None:
        before = previous_month(asked)
        why = f"{before:%Y-%m} is not complete: {span.why_incomplete(before)}"
        return asked, "" if span.is_over(before) else why
    cut_off = cut_off_of(span)
    if span.is_over(span.last):
        return cut_off, ""
    later = next_month(span.last)
    return cut_off, (
        f"{span.last:%Y-%m} has begun: {span.why_incomplete(span.last)}; the cut-off is {cut_off}; "
        f"--at {later:%Y-%m} takes the begun month all the same"
    )


def cut_off_of(span: DataSpan) -> date:
    """`next_cut_off` of a span. Raises `DataError` if no month is over."""
    if span.last_over is None:
        raise DataError(
            f"no month is over: {span.described()}; deliver the rest of the month, or name a cut-off "
            "with --at YYYY-MM"
        )
    return span.last_over
