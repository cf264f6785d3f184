"""Where the data begin and end: one definition for labels, months, scores, experiments and monitoring.

Events are counted by UTC day. A few stray clocks date events years ahead or back, so neither the first nor
the last event says where the data lie. The walk begins where the data certainly are: on the day of the
median event. From there it goes forward over the days with events, and a day is *accepted* unless

* it has fewer than `data.thin_share` of a usual day's events, the median of the last 28 accepted days, or
* neither the 28 days up to it nor the 28 days from it have `data.thin_weeks_share` of a usual four weeks'
  events, the median of the same 28 days' fuller side: one device with a wrong clock brings a whole session,
  which in a small service fills a day, but not weeks. In this a day counts for no more events than a usual
  day near the median event has, so that all events without a time, dated 1970-01-01, are one day too.

The *data's end* is the midnight after the last accepted day, the *data's start* the midnight before the last
day accepted on the same walk backward. What isn't accepted is never compared with, so any number of stray
days, before or after, moves neither. Both walks begin with the days within 14 of the median event's.

A day cut short counts whole once it has a usual day's `thin_share`: a delivery that ends at 23:58 ends with
that day, one that ends at noon too, one that ends at ten past midnight with the day before. After an outage
longer than four weeks data go on once the first days have the share of a usual four weeks; until then the
end lies before it, and a finding says how many events lie beyond.

`data.start` and `data.end` override what was found. No Spark here.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from itertools import accumulate
from statistics import median

from pozytywka_spark.config import Data
from pozytywka_spark.errors import DataError
from pozytywka_spark.months import next_month

WEEKS_DAYS = 28  # four weeks: as many Sundays as Mondays
DAY = timedelta(days=1)


@dataclass(frozen=True)
class DataSpan:
    """Where the data lie: `[start, end)` in UTC, of which `first` and `last` month hold a part.

    `first_event` and `last_event` are the days of the very first and last event, stray ones too;
    `events_before` and `events_after` count events outside the span, on `days_before` and `days_after` days.
    `late_start_days` is how late the data may begin in a month that still counts as whole.
    """

    start: datetime
    end: datetime
    first_event: date
    last_event: date
    events_before: int = 0
    events_after: int = 0
    days_before: int = 0
    days_after: int = 0
    overridden: bool = False
    late_start_days: int = 3

    @property
    def first(self) -> date:
        """The month that the data's start lies in."""
        return self.start.date().replace(day=1)

    @property
    def last(self) -> date:
        """The month that the data's last moment lies in."""
        return (self.end - timedelta(microseconds=1)).date().replace(day=1)

    def holds(self, month: date) -> bool:
        """Whether data lie in the month; months of stray events only are none of the data's."""
        return self.first <= month <= self.last

    @property
    def last_over(self) -> date | None:
        """The end of the last month that the data reach the end of; None if they do of none."""
        cut_off = self.end.date().replace(day=1)
        return cut_off if midnight(cut_off) > self.start else None

    def is_over(self, month: date) -> bool:
        """Whether the data reach the month's end."""
        return self.end >= midnight(next_month(month))

    def is_begun_late(self, month: date) -> bool:
        """Whether the data begin more than `late_start_days` after the month does."""
        return self.start > midnight(month) + timedelta(days=self.late_start_days)

    def is_complete(self, month: date) -> bool:
        """Whether the data cover the whole month."""
        return self.is_over(month) and not self.is_begun_late(month)

    def why_incomplete(self, month: date) -> str:
        """In words what is missing of a month that isn't complete."""
        if not self.is_over(month):
            return f"its data end on {last_day(self.end)}"
        return f"its data begin on {self.start.date()}"

    def described(self) -> str:
        """The span in one line."""
        text = f"data from {self.start.date()} to {last_day(self.end)}"
        clauses = [
            f"{_counted(events, 'event')} on {_counted(days, 'day')} {side}"
            for events, days, side in (
                (self.events_before, self.days_before, "before"),
                (self.events_after, self.days_after, "after"),
            )
            if events
        ]
        text += f" ({', '.join(clauses)} are outside)" if clauses else ""
        return text + (", as the settings say" if self.overridden else "")


def span_of(counts: Mapping[date, int], data: Data) -> DataSpan:
    """The span of the data from events by UTC day. Raises `DataError` without events or for an empty span."""
    days = _days_with(counts)
    if not days:
        raise DataError("the events table is empty: ingest a delivery with sessions first")
    backward, forward = _accepted(days, counts, data)
    start = data.start or midnight(days[backward[-1]])
    end = data.end or midnight(days[forward[-1]] + DAY)
    if start >= end:
        raise DataError(f"the data's start {start:%Y-%m-%d %H:%M} is not before their end "
                        f"{end:%Y-%m-%d %H:%M}: mend data.start or data.end")  # fmt: skip
    before = [day for day in days if midnight(day + DAY) <= start]
    after = [day for day in days if midnight(day) >= end]
    return DataSpan(
        start,
        end,
        days[0],
        days[-1],
        sum(counts[day] for day in before),
        sum(counts[day] for day in after),
        len(before),
        len(after),
        overridden=bool(data.start or data.end),
        late_start_days=data.late_start_days,
    )


def thin_days(counts: Mapping[date, int], data: Data) -> frozenset[date]:
    """Days with events that neither walk accepts: strays, outages, days cut short."""
    days = _days_with(counts)
    if not days:
        return frozenset()
    accepted = {place for walk in _accepted(days, counts, data) for place in walk}
    return frozenset(day for place, day in enumerate(days) if place not in accepted)


def midnight(day: date) -> datetime:
    """The beginning of a day, in UTC."""
    return datetime.combine(day, time(), UTC)


def last_day(end: datetime) -> date:
    """The day of the last moment before `end`."""
    return (end - timedelta(microseconds=1)).date()


def _counted(number: int, name: str) -> str:
    return f"{number:,} {name}" if number == 1 else f"{number:,} {name}s"


def _days_with(counts: Mapping[date, int]) -> list[date]:
    return sorted(day for day, events in counts.items() if events)


def _accepted(days: Sequence[date], counts: Mapping[date, int], data: Data) -> tuple[list[int], list[int]]:
    """Places among `days` that the walks backward and forward from the middle accept, in their order."""
    ordered = [counts[day] for day in days]
    middle = _median_event(ordered)
    near = [place for place, day in enumerate(days) if abs(day - days[middle]) <= DAY * (WEEKS_DAYS // 2)]
    usual = median(ordered[place] for place in near)
    capped = [min(count, usual) for count in ordered]
    fullness = [max(sides) for sides in zip(_until(days, capped), _from(days, capped), strict=True)]
    forward, backward = range(middle, len(days)), range(middle, -1, -1)
    return (
        _walk(ordered, fullness, near, backward, data),
        _walk(ordered, fullness, near, forward, data),
    )


def _walk(
    counts: Sequence[int], fullness: Sequence[float], near: Sequence[int], places: Sequence[int], data: Data
) -> list[int]:
    """Those of `places` that are accepted on the way; the first one always is."""
    usual_day = deque((counts[place] for place in near), WEEKS_DAYS)
    usual_weeks = deque((fullness[place] for place in near), WEEKS_DAYS)
    accepted = [places[0]]
    for place in places[1:]:
        thin = counts[place] < data.thin_share * median(usual_day)
        lonely = fullness[place] < data.thin_weeks_share * median(usual_weeks)
        if not (thin or lonely):
            usual_day.append(counts[place])
            usual_weeks.append(fullness[place])
            accepted.append(place)
    return accepted


def _median_event(counts: Sequence[int]) -> int:
    """The place of the day on which half of all events have happened."""
    total = sum(counts)
    return next(place for place, so_far in enumerate(accumulate(counts)) if 2 * so_far >= total)


def _until(days: Sequence[date], counts: Sequence[float]) -> Iterator[float]:
    """Events of the four weeks that end with each day."""
    first, total = 0, 0.0
    for place, day in enumerate(days):
        total += counts[place]
        while days[first] <= day - DAY * WEEKS_DAYS:
            total -= counts[first]
            first += 1
        yield total


def _from(days: Sequence[date], counts: Sequence[float]) -> Iterator[float]:
    """Events of the four weeks that begin with each day."""
    end, total = 0, 0.0
    for place, day in enumerate(days):
        while end < len(days) and days[end] < day + DAY * WEEKS_DAYS:
            total += counts[end]
            end += 1
        yield total
        total -= counts[place]
