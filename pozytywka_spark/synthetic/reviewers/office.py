"""When reviewers work, and who takes which case: office hours, a case at a time, nobody twice for a case."""

from __future__ import annotations

import heapq
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from pozytywka_spark.synthetic.reviewers.cases import Case

OPENS, CLOSES = 8, 18  # hours of the day, UTC
SATURDAY = 5


@dataclass(frozen=True)
class Sitting:
    """A reviewer decides a case."""

    case: Case
    reviewer: int
    decided_at: datetime


def at_work(time: datetime) -> datetime:
    """The first moment from `time` on that lies in office hours: Monday to Friday, [8, 18) UTC."""
    if time.hour >= CLOSES:
        time = _opening(time + timedelta(days=1))
    elif time.hour < OPENS:
        time = _opening(time)
    while time.weekday() >= SATURDAY:
        time = _opening(time + timedelta(days=1))
    return time


def done_at(start: datetime, takes: timedelta) -> datetime:
    """When a case that is begun at `start`, in office hours, is decided: what isn't done by evening waits."""
    done = start + takes
    return done if done < start.replace(hour=CLOSES, minute=0, second=0) else at_work(done) + takes


def sittings(
    cases: Sequence[Case],
    available: Mapping[str, datetime],
    barred: Mapping[str, frozenset[int]],
    free: Sequence[datetime],
    takes: Callable[[Case, int], timedelta],
) -> list[Sitting]:
    """Who decides which case when; cases that every reviewer has answered stay out.

    `cases` stand in the order of the queue: whoever gets free takes the first that is `available` and
    that they haven't answered before (`barred`). `free[r]` is when reviewer r has time.
    """
    coming = sorted(((available[case.case_id], place) for place, case in enumerate(cases)), reverse=True)
    waiting: list[int] = []
    reviewers = [(time, number) for number, time in enumerate(free)]
    heapq.heapify(reviewers)
    result = []
    while reviewers and (coming or waiting):
        time, reviewer = heapq.heappop(reviewers)
        time = at_work(time)
        while coming and coming[-1][0] <= time:
            heapq.heappush(waiting, coming.pop()[1])
        place = _first_allowed(waiting, lambda each, who: who in barred[cases[each].case_id], reviewer)
        if place is not None:
            decided = done_at(time, takes(cases[place], reviewer))
            result.append(Sitting(cases[place], reviewer, decided))
            heapq.heappush(reviewers, (decided, reviewer))
        elif coming:
            heapq.heappush(reviewers, (max(time, coming[-1][0]), reviewer))
    return result


def _first_allowed(waiting: list[int], is_barred: Callable[[int, int], bool], reviewer: int) -> int | None:
    """Take the first of the heap that isn't barred to the reviewer off it."""
    passed, chosen = [], None
    while waiting and chosen is None:
        place = heapq.heappop(waiting)
        if is_barred(place, reviewer):
            passed.append(place)
        else:
            chosen = place
    for place in passed:
        heapq.heappush(waiting, place)
    return chosen


def _opening(day: datetime) -> datetime:
    return day.replace(hour=OPENS, minute=0, second=0, microsecond=0)
