"""The expected series of a world with rhythm or outages: what nobody could foretell better.

Grain: measure (sessions, plays, skips), city (`all` for the sum) and day. The expectation is over all that is
drawn but the users' own means of sessions and their cities; cheats, bots and those who sleep to music are not
in it. A month's sessions of a user are 1 + their own mean, times the chance that the month is an active one;
they are spread evenly over its days, times the day's factor (`rhythm.py`), less its outages. Plays of a
session, their skips, and which of them fall on the day after its start, are means over a rehearsal
(2,000 users who are never delivered).
"""

from __future__ import annotations

import json
from collections.abc import Mapping

import numpy as np
import pyarrow as pa
from pyspark.sql import SparkSession

from pozytywka_spark.config.rhythm import EVERYWHERE
from pozytywka_spark.synthetic.catalogue import Array
from pozytywka_spark.synthetic.each_part import Parts, rows_of
from pozytywka_spark.synthetic.events import start_of_play
from pozytywka_spark.synthetic.life import life_of
from pozytywka_spark.synthetic.outages import day_of
from pozytywka_spark.synthetic.people import passports, people_of
from pozytywka_spark.synthetic.plan import DAY_MS, PILOT, Plan
from pozytywka_spark.synthetic.rhythm import factors, has_rhythm
from pozytywka_spark.synthetic.sessions import joining
from pozytywka_spark.synthetic.words import CITIES

_REHEARSED = 4  # chunks
MEASURES = ("sessions", "plays", "skips")


def is_expected(plan: Plan) -> bool:
    """Whether the world has an expected series: days differ in it."""
    return has_rhythm(plan) or bool(plan.world.outages)


def expected_lines(spark: SparkSession | None, plan: Plan) -> str:
    """JSON lines: `measure`, `city`, `day`, `expected`."""

    def means(chunk: int) -> pa.RecordBatch:
        city, mean = means_of(plan, chunk)
        return pa.record_batch([pa.array(city), pa.array(mean)], names=["city", "mean"])

    summed = rows_of(spark, Parts(plan.chunks, means, "city string, mean double")).group_by("city")
    rows = summed.aggregate([("mean", "sum")]).to_pylist()
    by_city = {row["city"]: float(row["mean_sum"]) for row in rows}
    first = int(plan.month_starts_ms()[0] // DAY_MS)
    lines = []
    for (measure, city), values in sorted(expected_of(plan, by_city).items()):
        days = np.arange(first, first + len(values)).astype("datetime64[D]").astype(str)
        lines += [
            json.dumps({"measure": measure, "city": city, "day": day, "expected": value}, ensure_ascii=False)
            for day, value in zip(days.tolist(), values.tolist(), strict=True)
        ]
    return "".join(f"{line}\n" for line in lines)


def means_of(plan: Plan, chunk: int) -> tuple[Array, Array]:
    """Cities, and the summed mean number of sessions in an active month of a chunk's users there."""
    place = np.searchsorted(CITIES, passports(plan, chunk)["city"])
    mean = np.bincount(place, weights=1 + people_of(plan, chunk).extra_sessions, minlength=len(CITIES))
    return np.array(CITIES), mean


def expected_of(plan: Plan, by_city: Mapping[str, float]) -> dict[tuple[str, str], Array]:
    """By measure and city a value a day of the world; `by_city`: sums of `means_of`."""
    starts = plan.month_starts_ms() // DAY_MS
    days = np.diff(starts)
    share = np.repeat(_active_share(plan) / days, days)
    day = np.arange(starts[0], starts[-1])
    usual = share * factors(plan, day)
    plays, skips, late = _rehearsed(plan)
    found: dict[tuple[str, str], Array] = {}
    for city, mean in by_city.items():
        sessions = mean * usual * _left(plan, city, day)
        before = np.concatenate([[0.0], sessions[:-1]])
        spread = (1 - late) * sessions + late * before
        for name, value in zip(MEASURES, (sessions, plays * spread, skips * spread), strict=True):
            found[name, city] = value
            found[name, EVERYWHERE] = found.get((name, EVERYWHERE), 0.0) + value
    return found


def _active_share(plan: Plan) -> Array:
    """Of each month: the chance of a user to have joined and to be active in it."""
    joins = joining(plan)
    active, joined, shares = 0.0, 0.0, []
    for month in range(plan.world.months):
        active = joins[month] + active * plan.behaviour.stay + (joined - active) * plan.behaviour.comeback
        joined += joins[month]
        shares.append(active)
    return np.array(shares)


def _left(plan: Plan, city: str, day: Array) -> Array:
    """The share of a city's sessions that outages leave of each day."""
    left = np.ones(len(day))
    for outage in plan.world.outages:
        if outage.city in (EVERYWHERE, city):
            left[day == day_of(outage)] *= 1 - outage.share
    return left


def _rehearsed(plan: Plan) -> tuple[float, float, float]:
    """Plays and skips a session, and the share of plays that fall on the day after the planned one."""
    bare = plan.unchanged()
    sessions = plays = skips = late = 0.0
    for chunk in range(_REHEARSED):
        life = life_of(bare, PILOT + chunk)
        taken = life.plays.listened_ms + life.plays.advert * life.plays.advert_ms
        day = start_of_play(life, taken) // DAY_MS
        sessions += len(life.sessions)
        plays += len(life.plays)
        skips += float(life.plays.skipped.sum())
        late += float((day > life.sessions.planned_ms[life.plays.session] // DAY_MS).sum())
    return plays / sessions, skips / sessions, late / plays
