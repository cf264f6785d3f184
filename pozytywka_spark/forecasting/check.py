"""`forecast check`: complete days against the latest forecast made before each; what is out of order is told.

    checked = check(settings, lake)

A day's forecast is that of the last origin that isn't after it. Days of the five weeks before the last check
are looked at again where something of them is another than it was: a late delivery, a day that an operator
has named since. Alarms are committed first, the record of what was checked last: a check that breaks off is
repeated, and one on the same inputs does nothing.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from typing import Any

import polars as pl

from pozytywka_spark.config import Settings
from pozytywka_spark.forecasting.alarms import Alarm, alarms_of_day
from pozytywka_spark.forecasting.limits import quiet_spreads
from pozytywka_spark.forecasting.series import Built, build_series
from pozytywka_spark.forecasting.stored import (
    COMBINED,
    DAILY,
    KEYS,
    daily_values,
    forecast_rows,
    origins_of,
)
from pozytywka_spark.forecasting.surprise import Spreads
from pozytywka_spark.hashing.fingerprints import fingerprint_of
from pozytywka_spark.lake.api import Lake
from pozytywka_spark.lake.casting import as_table
from pozytywka_spark.schemas import FORECAST_ALARMS, FORECAST_CHECKS, FORECAST_ERRORS

FORMAT = 1
LOOK_BACK = timedelta(days=35)
_DAY = timedelta(days=1)
_MANY = 1_000_000  # rows of series and days that are held at once, about
_MEASURED = (*KEYS, "actual", "mean", "high_90")


@dataclass(frozen=True)
class Day:
    """A day to judge: the origin of its forecast, its series (measure, city, group_id, actual, mean,
    high_90), what names all that the judgement rests on, and whether an operator has named the day."""

    day: date
    origin: date
    rows: pl.DataFrame
    inputs: str
    known: bool


@dataclass(frozen=True)
class Checked:
    """`days` that were checked now, each alarm of theirs, and complete days that no forecast reaches.

    `known`: those of the days that an operator has named, which alarm nobody; `until`: the day after the last
    complete one.
    """

    days: tuple[date, ...]
    alarms: tuple[Alarm, ...]
    unforetold: tuple[date, ...]
    known: tuple[date, ...]
    until: date

    @property
    def unchanged(self) -> bool:
        """Whether there was nothing to check."""
        return not self.days

    @property
    def incomplete(self) -> tuple[date, ...]:
        """Whole days with far fewer plays of the service than expected: a delivery may not be complete."""
        return tuple(sorted({alarm.day for alarm in self.alarms if alarm.is_incomplete}))


def check(settings: Settings, lake: Lake) -> Checked:
    """Check every complete day since the last check; the series are brought up to date before.

    Without any forecast there is nothing to check. Raises what `build_series` raises.
    """
    built = build_series(settings, lake)
    origins = [origin for origin in origins_of(lake, DAILY) if origin < built.end]
    if not origins:
        return Checked((), (), (), (), built.end)
    before = read_checks(lake)
    first = max([origins[0], *([max(before) + _DAY - LOOK_BACK] if before else [])])
    known = frozenset(settings.forecast.known_days)
    spreads: Spreads | None = None
    checks: dict[date, Mapping[str, Any]] = {}
    alarms: list[tuple[Alarm, date]] = []
    unforetold: list[date] = []
    for day in _days(lake, built, origins, first, known, settings.forecast.false_alarms):
        if not day.rows.height:
            unforetold.append(day.day)
            continue
        if day.day in before and before[day.day]["inputs"] == day.inputs:
            continue
        if spreads is None:
            spreads = usual_spreads(lake, known, settings.forecast.false_alarms)
        mine = [] if day.known else alarms_of_day(day.day, day.rows, spreads, settings.forecast.false_alarms)
        alarms += [(alarm, day.origin) for alarm in mine]
        checks[day.day] = {
            "day": day.day,
            "origin": day.origin,
            "series": day.rows.height,
            "alarms": len(mine),
            "inputs": day.inputs,
        }
    if checks:
        _commit(lake, before, checks, alarms)
    new = tuple(day for day in unforetold if not before or day > max(before))
    named = tuple(sorted(known & set(checks)))
    return Checked(tuple(sorted(checks)), tuple(alarm for alarm, _ in alarms), new, named, built.end)


def read_checks(lake: Lake) -> dict[date, Mapping[str, Any]]:
    """What was checked, by day."""
    if not lake.exists(FORECAST_CHECKS.name) or not lake.exists(FORECAST_ALARMS.name):
        return {}
    return {row["day"]: row for row in lake.rows(FORECAST_CHECKS.name).to_pylist()}


def usual_spreads(lake: Lake, known: frozenset[date], false_alarms: float) -> Spreads:
    """How wide the scores of quiet days were in the latest backtest.

    Without the days that an operator has named, those that alarmed, and those that would have.
    """
    if not lake.exists(FORECAST_ERRORS.name):
        return Spreads()
    rows = pl.DataFrame(
        lake.rows(FORECAST_ERRORS.name, ["model", "origin", "day", *_MEASURED], [{"step": DAILY}])
    )
    odd = set(known)
    if lake.exists(FORECAST_ALARMS.name):
        odd |= set(lake.rows(FORECAST_ALARMS.name, ["day"]).column("day").to_pylist())
    bounded = pl.all_horizontal(pl.col("high_90", "mean", "actual").is_not_null())
    return quiet_spreads(rows.filter((pl.col("model") == COMBINED) & bounded), odd, false_alarms)


def _days(
    lake: Lake,
    built: Built,
    origins: Sequence[date],
    first: date,
    known: frozenset[date],
    false_alarms: float,
) -> Iterator[Day]:
    """Each complete day from `first` on, in order; without rows where no forecast reaches it."""
    ends = [*origins[1:], built.end]
    for origin, end in zip(origins, ends, strict=True):
        begin, end = max(origin, first), min(end, built.end)
        if begin >= end:
            continue
        foretold = forecast_rows(lake, DAILY, origin).select(*KEYS, "day", "mean", "high_90", "run")
        per_day = max(1, foretold.select(KEYS).unique().height)
        some = timedelta(days=max(1, _MANY // per_day))
        while begin < end:
            until = min(end, begin + some)
            values = daily_values(lake, begin, until).rename({"value": "actual"})
            both = values.join(foretold, on=[*KEYS, "day"]).sort("day", *KEYS)
            by_day = {key[0]: rows for key, rows in both.partition_by("day", as_dict=True).items()}
            for number in range((until - begin).days):
                day = begin + timedelta(days=number)
                rows = by_day.get(day, both.clear())
                named = [FORMAT, str(origin), day in known, false_alarms, _digest(rows)]
                yield Day(day, origin, rows.select(_MEASURED), fingerprint_of(named), day in known)
            begin = until


def _digest(rows: pl.DataFrame) -> str:
    """Of a day's series, values and forecasts, in order."""
    words = [rows.get_column(name).to_list() for name in (*KEYS, "run")]
    numbers = [rows.get_column(name).to_list() for name in ("actual", "mean", "high_90")]
    return fingerprint_of(json.dumps([words, numbers]))


def _commit(
    lake: Lake,
    before: Mapping[date, Mapping[str, Any]],
    checks: Mapping[date, Mapping[str, Any]],
    alarms: Sequence[tuple[Alarm, date]],
) -> None:
    """Alarms of the days in the place of what was said of them, then the record."""
    rows = [_row(alarm, origin) for alarm, origin in alarms]
    held: list[dict[str, Any]] = []
    if lake.exists(FORECAST_ALARMS.name):
        held = lake.rows(FORECAST_ALARMS.name).to_pylist()
    staying = [row for row in held if row["day"] not in checks]
    if rows or len(staying) < len(held) or not lake.exists(FORECAST_ALARMS.name):
        every = sorted([*staying, *rows], key=lambda row: (row["day"], *(row[key] for key in KEYS)))
        lake.overwrite(as_table(every, FORECAST_ALARMS), FORECAST_ALARMS)
    after = [row for _, row in sorted({**before, **checks}.items())]
    lake.overwrite(as_table(after, FORECAST_CHECKS), FORECAST_CHECKS)


def _row(alarm: Alarm, origin: date) -> dict[str, Any]:
    node = alarm.node
    return {
        "measure": node.measure,
        "city": node.city,
        "group_id": node.group_id,
        "day": alarm.day,
        "actual": node.actual,
        "expected": node.mean,
        "p": node.p(),
        "origin": origin,
        "detail": alarm.detail,
    }
