"""A day's whole work: take in, sum, and by slot learn, weigh, plan, write the page.

Run again it goes on where it stopped: each step is idempotent, what it made of the same inputs stands.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date

from pozytywka_spark.bandits.learn import Learnt, days_of, learn
from pozytywka_spark.bandits.plan import Planned, plan
from pozytywka_spark.bandits.policies import aliased_policy
from pozytywka_spark.bandits.report import report
from pozytywka_spark.bandits.sum_days import Summed, sum_days
from pozytywka_spark.bandits.take_in import TakenIn, take_in
from pozytywka_spark.bandits.value import Gated, gate
from pozytywka_spark.config import Settings
from pozytywka_spark.errors import DataError
from pozytywka_spark.lake.api import Lake
from pozytywka_spark.schemas import USERS


@dataclass(frozen=True)
class SlotDay:
    """What a slot's day brought; `why_not`: what it couldn't do yet, in words; `page`: where that is."""

    slot: str
    learnt: Learnt | None
    gated: Gated | None
    planned: Planned | None
    why_not: tuple[str, ...]
    page: str


@dataclass(frozen=True)
class Day:
    """What a day's run did; `taken_in` None without a file to take in."""

    day: date
    taken_in: TakenIn | None
    summed: Summed
    slots: tuple[SlotDay, ...]


def daily(settings: Settings, lake: Lake, day: date, path: str | None) -> Day:
    """Take in `path` (if there is one), sum what changed, and for each slot that is logged before `day` learn
    from what was mature, weigh the challenger, plan the day and write the page.

    Raises `DataError` where there is no log.
    """
    taken = take_in(settings, lake, path) if path else None
    summed = sum_days(settings, lake)
    logged = {str(row["slot"]) for row in summed.rows if row["decisions"] and row["day"] < day}
    slots = tuple(_slot(settings, lake, slot, day) for slot in settings.bandits.slots if slot in logged)
    return Day(day, taken, summed, slots)


def _slot(settings: Settings, lake: Lake, slot: str, day: date) -> SlotDay:
    learnt, gated, planned = None, None, None
    why_not = []
    try:
        days_of(lake, slot, day)
        learnt = learn(settings, lake, slot, day)
        gated = gate(settings, lake, slot, day)
    except DataError as error:  # a log that is too young: who is champion stays it
        why_not.append(str(error))
    if aliased_policy(settings, slot, "champion") is None:
        why_not.append(f"slot {slot} has no champion: nothing is planned")
    elif lake.exists(USERS.name):
        planned = plan(settings, lake, slot, day)
    else:
        why_not.append(f"table {USERS.name} is not in {lake.root}: nothing is planned")
    page = report(settings, lake, slot)
    return SlotDay(slot, learnt, gated, planned, tuple(why_not), page)
