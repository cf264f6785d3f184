"""Stale months: a fingerprint of all that a month's rows depend on, compared with the one last built."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime

from pozytywka_spark.config import Data
from pozytywka_spark.errors import DataError, UsageError
from pozytywka_spark.features.build.event_months import MonthEvents, digest
from pozytywka_spark.features.build.texts import month_of
from pozytywka_spark.lake.data_span import DataSpan, span_of


@dataclass(frozen=True)
class MonthInputs:
    """A month with events, and the fingerprint of all that its rows depend on."""

    events: MonthEvents
    inputs: str

    @property
    def month(self) -> date:
        """The month."""
        return self.events.month


@dataclass(frozen=True)
class Inputs:
    """The months to have features in order, where the data begin and end, and all months with events.

    Months outside the span have stray events only: they have no rows, and no month's rows depend on them.
    """

    months: Sequence[MonthInputs]
    span: DataSpan
    events: Sequence[MonthEvents]

    @property
    def by_day(self) -> dict[date, int]:
        """Events of each day that has any, stray ones too."""
        return {day: events for each in self.events for day, events in each.by_day.items()}


def inputs_of(
    event_months: Sequence[MonthEvents], catalogue: str, contents: Mapping[str, str], data: Data
) -> Inputs:
    """Fingerprint each of `event_months`; `catalogue` is the hash of the whole catalogue, `contents` are the
    digests of the catalogue tables' rows, and of each month's texts.

    A month's rows depend on its own events, on those of every month before (first likes, tenure,
    popularity, trailing windows), on texts up to its end, on the catalogue tables and on the arithmetic. So
    each month's fingerprint chains the one before: a late event or text makes its month stale and all that
    follow, and nothing else; the order of deliveries and the layout of files don't matter.
    Raises `DataError` if there are no events, or none in the span of the data.
    """
    events = sorted((each for each in event_months if each.event_count), key=lambda each: each.month)
    span = span_of({day: count for each in events for day, count in each.by_day.items()}, data)
    months = [each for each in events if span.holds(each.month)]
    if not months:
        raise DataError(f"no events lie in the {span.described()}: mend data.start or data.end")
    texts = {month: told for name, told in contents.items() if (month := month_of(name)) is not None}
    tables = sorted(name for name in contents if month_of(name) is None)
    chain = digest(catalogue, *(f"{name}:{contents[name]}" for name in tables))
    inputs = []
    for each in months:
        written = [month for month in sorted(texts) if month <= each.month]
        told = (f"{month.isoformat()} {texts.pop(month)}" for month in written)
        chain = digest(chain, each.month.isoformat(), each.event_count, each.event_hash, *told)
        inputs.append(MonthInputs(each, chain))
    return Inputs(inputs, span, events)


def choose_months(
    current: Sequence[MonthInputs],
    built: Mapping[date, str],
    span: tuple[date, date] | None,
    *,
    full: bool,
) -> list[date]:
    """The months to build, a stretch in order: all if `full`, those within `span`, else the stale ones.

    Months between two stale ones are built with them: only tables restored or changed by hand leave such,
    for what makes a month stale makes all that follow it stale too.
    Raises `DataError` if `span` has no events, or rests on an earlier month that is stale itself.
    """
    months = [each.month for each in current]
    gone = set(built) - set(months)
    if full or gone:
        return months
    stale = [each.month for each in current if built.get(each.month) != each.inputs]
    if span is None:
        return [month for month in months if stale and stale[0] <= month <= stale[-1]]
    asked = [month for month in months if span[0] <= month <= span[1]]
    if not asked:
        raise DataError(
            f"--months {span[0]:%Y-%m}..{span[1]:%Y-%m}: no events there; the data run from "
            f"{months[0]:%Y-%m} to {months[-1]:%Y-%m}"
        )
    if stale and stale[0] < asked[0]:
        raise DataError(
            f"--months {span[0]:%Y-%m}..{span[1]:%Y-%m} rests on {stale[0]:%Y-%m}, which has "
            "changed or was never built: start there, or leave --months out: features builds what changed"
        )
    return asked


def month_range(text: str, flag: str = "--months") -> tuple[date, date]:
    """`2023-03..2023-05`, or one month, as its first and last month. Raises `UsageError`."""
    first, between, last = text.partition("..")
    try:
        parts = (first, last) if between else (first, first)
        bounds = tuple(datetime.strptime(part, "%Y-%m").date() for part in parts)
    except ValueError:
        raise UsageError(f"{flag} {text}: expected YYYY-MM..YYYY-MM, such as 2023-03..2023-05") from None
    if bounds[0] > bounds[1]:
        raise UsageError(f"{flag} {text}: the first month is after the last; swap them")
    return bounds[0], bounds[1]
