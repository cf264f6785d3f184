"""Which genre rises when: in which part of the year, in the days to Easter, on which weekdays.

Every genre is looked at in 24 half months, in the ten days to Easter and on seven weekdays. A half month
and Easter are told apart by year, and rise only if they did in two years at least: with n years p is n - 1
times the second smallest of the years' (Benjamini and Heller, Biometrics 64, 2008), so that one launch or
one hit isn't a season. All the p-values are corrected together (Holm); what rises has an interval that
allows for having been picked (Benjamini and Yekutieli, JASA 100, 2005).
"""

from __future__ import annotations

from calendar import day_name, month_name, monthrange
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, timedelta

import numpy as np
import numpy.typing as npt
import pandas as pd
from scipy.stats import norm

from pozytywka_spark.bandits.seasonal.almanac import days_from_easter
from pozytywka_spark.bandits.seasonal.effects import Told, told_by
from pozytywka_spark.bandits.seasonal.level import Read
from pozytywka_spark.bandits.seasonal.outlook import day_by_day
from pozytywka_spark.bandits.seasonal.series import series_of
from pozytywka_spark.errors import require

Array = npt.NDArray[np.float64]

ALPHA = 0.05
COLUMNS = ["genre", "season", "first", "last", "factor", "low", "high", "p_value", "years"]
_HALVES = 24
_EASTER_DAYS = 10  # before Easter, and Easter itself
_PRIOR = 1.0  # variance of an effect (log units): none that is seen is shrunk by it
_WHOLE = 0.6  # share of a half month's or of Easter's days that a year must have
_OTHERS = 8  # half months of a year that one of them is compared with, at least


@dataclass(frozen=True)
class _Calendar:
    """Days × columns: half months of each year, Easters, weekdays; of each its year and number."""

    columns: Array
    halves: list[tuple[int, int]]  # year, number of the half month
    easters: list[int]


@dataclass(frozen=True)
class _Test:
    genre: str
    kind: str  # year, easter, weekday
    number: int
    contrasts: Array  # one for each year that has it, × columns
    p_value: float


def season(sums: pd.DataFrame, genre_of: Mapping[str, str]) -> pd.DataFrame:
    """What rises, by genre and season; no row if nothing does.

    Args:
        sums: columns of `bandit_days` (see `probabilities`), of one slot.
        genre_of: the genre of each arm; arms without one are left out.

    Returns: genre; season (`year`, `easter`, `weekday`); first and last (`1 December`, `31 December`; `10
    days before Easter`, `Easter`; `Saturday`, `Sunday`); factor on the genre's rewards, beside other half
    months, the days around or other weekdays; low and high (95%); p_value, corrected, of the part that
    is least certain; years that show it.

    Raises: `UsageError` if statsmodels isn't installed.
    """
    require("experiments")
    from statsmodels.stats.multitest import multipletests

    arms = [str(arm) for arm in pd.unique(sums["arm"]) if genre_of.get(str(arm))]
    series = series_of(sums, arms, date.max)
    if not series.days:
        return pd.DataFrame(columns=COLUMNS)
    read, drift, start = day_by_day(series)
    calendar = _calendar(series.days)
    genres = np.array([genre_of[arm] for arm in arms])
    tests, known = [], {}
    for genre in sorted(set(genres)):
        at = np.flatnonzero(genres == genre)
        told = told_by(Read(read.log_rate[:, at], read.precision[:, at]), calendar.columns, drift, start)
        known[genre] = _effects(told)
        tests += _tests(genre, calendar, *known[genre])
    if not tests:
        return pd.DataFrame(columns=COLUMNS)
    rises, corrected, *_ = multipletests([test.p_value for test in tests], alpha=ALPHA, method="holm")
    found = [(test, p) for test, rise, p in zip(tests, rises, corrected, strict=True) if rise]
    level = 1 - ALPHA * len(found) / len(tests) if found else 1.0
    return _rows(found, known, level)


def _calendar(days: list[date]) -> _Calendar:
    half = [(day.year, (day.month - 1) * 2 + (day.day > 15)) for day in days]
    to_easter = np.array([days_from_easter(day) for day in days])
    feast = (to_easter >= -_EASTER_DAYS) & (to_easter <= 0)
    year = np.array([day.year for day in days])
    every_half = sorted(set(half))
    halves = [each for each in every_half if half.count(each) >= _WHOLE * _length(*each)]
    years = sorted({day.year for day in days})
    easters = [each for each in years if np.count_nonzero(feast & (year == each)) > _WHOLE * _EASTER_DAYS]
    of_half = {each: number for number, each in enumerate(every_half)}
    # half months cut short by the log's ends keep a column of their own, and are not looked at
    everything = np.zeros((len(days), len(of_half)))
    everything[np.arange(len(days)), [of_half[each] for each in half]] = 1
    order = [of_half[each] for each in halves] + [of_half[each] for each in of_half if each not in halves]
    at_easter = np.stack([feast & (year == each) for each in easters], axis=1) if easters else feast[:, :0]
    weekday = np.eye(7)[[day.weekday() for day in days]] - 1 / 7
    columns = np.concatenate(
        [everything[:, order], at_easter.astype(float).reshape(len(days), -1), weekday], axis=1
    )
    return _Calendar(columns, halves, easters)


def _length(year: int, half: int) -> int:
    return 15 if half % 2 == 0 else monthrange(year, half // 2 + 1)[1] - 15


def _effects(told: Told) -> tuple[Array, Array]:
    """Mean and covariance, wider where the days scatter more than they should."""
    covariance: Array = np.linalg.inv(told.information + np.eye(len(told.moment)) / _PRIOR)
    mean = covariance @ told.moment
    scatter = float(told.square - mean @ told.moment) / max(told.count - len(mean), 1)
    return mean, covariance * max(scatter, 1.0)


def _tests(genre: str, calendar: _Calendar, mean: Array, covariance: Array) -> list[_Test]:
    width = len(mean)
    tests = []

    def add(kind: str, number: int, contrasts: list[Array]) -> None:
        rows = np.array(contrasts)
        spread = np.sqrt(np.einsum("ij,jk,ik->i", rows, covariance, rows))
        p = np.sort(norm.sf(rows @ mean / spread))
        single = float(p[0]) if kind == "weekday" else float(min((len(p) - 1) * p[1], 1.0))
        tests.append(_Test(genre, kind, number, rows, single))

    for half in range(_HALVES):
        contrasts = [
            row
            for row in (_against_others(calendar, year, {half}, width) for year in _years(calendar))
            if row is not None
        ]
        if len(contrasts) >= 2:
            add("year", half, contrasts)
    first_easter = width - 7 - len(calendar.easters)
    if len(calendar.easters) >= 2:
        add("easter", 0, [np.eye(width)[first_easter + each] for each in range(len(calendar.easters))])
    for day in range(7):
        row = np.zeros(width)
        row[-7:] = -1 / 6
        row[-7 + day] = 1
        add("weekday", day, [row])
    return tests


def _years(calendar: _Calendar) -> list[int]:
    return sorted({year for year, _ in calendar.halves})


def _against_others(calendar: _Calendar, year: int, halves: set[int], width: int) -> Array | None:
    """The mean of a year's `halves` beside that of its others, the half year before and after it."""
    mine = [at for at, each in enumerate(calendar.halves) if each[0] == year and each[1] in halves]
    if len(mine) < len(halves):
        return None
    middle = year * _HALVES + float(np.mean(sorted(halves)))
    others = [
        at
        for at, (other, half) in enumerate(calendar.halves)
        if half not in halves and abs(other * _HALVES + half - middle) <= _HALVES / 2
    ]
    if len(others) < _OTHERS:
        return None
    row = np.zeros(width)
    row[mine], row[others] = 1 / len(mine), -1 / len(others)
    return row


def _rows(
    found: list[tuple[_Test, float]], known: Mapping[str, tuple[Array, Array]], level: float
) -> pd.DataFrame:
    rows = []
    for run in _runs(found):
        tests = [test for test, _ in run]
        mean, covariance = known[tests[0].genre]
        row = np.mean([test.contrasts.mean(axis=0) for test in tests], axis=0)
        spread = float(np.sqrt(row @ covariance @ row)) * float(norm.isf((1 - level) / 2))
        effect = float(row @ mean)
        first, last = _named(tests)
        rows.append(
            (tests[0].genre, tests[0].kind, first, last, np.exp(effect), np.exp(effect - spread),
             np.exp(effect + spread), max(p for _, p in run), min(len(test.contrasts) for test in tests))
        )  # fmt: skip
    return pd.DataFrame(rows, columns=COLUMNS)


def _runs(found: list[tuple[_Test, float]]) -> list[list[tuple[_Test, float]]]:
    """Neighbouring parts of a genre's year, or week, as one."""
    runs: list[list[tuple[_Test, float]]] = []
    for test, p in found:
        before = runs[-1][-1][0] if runs else None
        if before and (before.genre, before.kind, before.number + 1) == (test.genre, test.kind, test.number):
            runs[-1].append((test, p))
        else:
            runs.append([(test, p)])
    return runs


def _named(tests: list[_Test]) -> tuple[str, str]:
    first, last = tests[0].number, tests[-1].number
    if tests[0].kind == "easter":
        return f"{_EASTER_DAYS} days before Easter", "Easter"
    if tests[0].kind == "weekday":
        return day_name[first], day_name[last]
    ends = date(2023, last // 2 + 1, 15) if last % 2 == 0 else date(2023, last // 2 + 1, 28)
    if last % 2:
        ends = (ends.replace(day=28) + timedelta(days=4)).replace(day=1) - timedelta(days=1)
    begins = date(2023, first // 2 + 1, 1 if first % 2 == 0 else 16)
    return f"{begins.day} {month_name[begins.month]}", f"{ends.day} {month_name[ends.month]}"
