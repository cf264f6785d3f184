"""Which genre rises when: in which part of the year, in the days to Easter, on which weekdays.

Every genre is looked at in half months, months and quarters (beginning with any month), in the ten days to
Easter, on seven weekdays and at weekends. Parts of the year and Easter are told apart by year: their p-value
is that of the years together, and they rise only if two years at least show it by themselves, so that a hit
or a launch isn't a season. What is tested is a rise of more than 5%. All p-values are corrected together
(Holm), and what rises has an interval that allows for having been picked (Benjamini and Yekutieli, JASA
100, 2005). Of parts that overlap the likeliest is listed.
"""

from __future__ import annotations

from calendar import day_name, month_name, monthrange
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date

import numpy as np
import numpy.typing as npt
import pandas as pd
from scipy.stats import norm

from pozytywka_spark.bandits.seasonal.effects import told_by
from pozytywka_spark.bandits.seasonal.level import Read
from pozytywka_spark.bandits.seasonal.looks import EASTER, EASTER_DAYS, WEEKDAY, Calendar, Look, looks
from pozytywka_spark.bandits.seasonal.outlook import day_by_day
from pozytywka_spark.bandits.seasonal.series import series_of
from pozytywka_spark.errors import require

Array = npt.NDArray[np.float64]

ALPHA = 0.01  # chance that anything is listed where nothing rises
_LEAST = float(np.log(1.05))  # log of a rise that drift and a genre's few launches don't make
_INTERVAL = 0.05  # of intervals to miss
_ALONE = 0.05  # p-value of a year that shows it by itself
COLUMNS = ["genre", "season", "first", "last", "factor", "low", "high", "p_value", "years"]


@dataclass(frozen=True)
class _Looked:
    """What was seen of a genre in one look."""

    genre: str
    look: Look
    effect: float
    error: float
    p_value: float


def season(sums: pd.DataFrame, genre_of: Mapping[str, str]) -> pd.DataFrame:
    """What rises, by genre and season; no row if nothing does.

    Args:
        sums: columns of `bandit_days` (see `probabilities`), of one slot.
        genre_of: the genre of each arm; arms without one are left out.

    Returns: genre; season (`year`, `easter`, `weekday`); first and last (`1 December`, `31 December`; `10
    days before Easter`, `Easter`; `Saturday`, `Sunday`); factor on the genre's rewards, beside the rest of
    the year, the days around or other weekdays; low and high (95%); p_value, corrected; years looked at.

    Raises: `UsageError` if statsmodels isn't installed.
    """
    require("experiments")
    from statsmodels.stats.multitest import multipletests

    arms = [str(arm) for arm in pd.unique(sums["arm"]) if genre_of.get(str(arm))]
    series = series_of(sums, arms, date.max)
    if not series.days:
        return pd.DataFrame(columns=COLUMNS)
    read, drift, start = day_by_day(series)
    calendar = Calendar.of(series.days)
    genres = np.array([genre_of[arm] for arm in arms])
    every: list[_Looked] = []
    for genre in sorted(set(genres)):
        at = np.flatnonzero(genres == genre)
        told = told_by(Read(read.log_rate[:, at], read.precision[:, at]), calendar.columns, drift, start)
        every += [_looked(genre, look, *calendar.effects(told, look)) for look in looks(calendar)]
    rises, corrected, *_ = multipletests([each.p_value for each in every], alpha=ALPHA, method="holm")
    rising = [(each, float(p)) for each, rise, p in zip(every, rises, corrected, strict=True) if rise]
    wide = float(norm.isf(_INTERVAL * max(len(rising), 1) / len(every) / 2))
    return pd.DataFrame([_row(each, p, wide) for each, p in _apart(rising)], columns=COLUMNS)


def _looked(genre: str, look: Look, mean: Array, covariance: Array) -> _Looked:
    """The years together, by their precision; without two years that show it p is 1."""
    effects, around = look.contrasts @ mean, look.contrasts @ covariance @ look.contrasts.T
    weight = np.linalg.solve(around, np.ones(len(effects)))
    error = float(1 / np.sqrt(weight.sum()))
    effect = float(weight @ effects / weight.sum())
    alone = int((norm.sf((effects - _LEAST) / np.sqrt(np.diag(around))) < _ALONE).sum())
    p = float(norm.sf((effect - _LEAST) / error)) if look.kind == WEEKDAY or alone >= 2 else 1.0
    return _Looked(genre, look, effect, error, p)


def _apart(rising: list[tuple[_Looked, float]]) -> list[tuple[_Looked, float]]:
    """The likeliest first, without those that overlap or touch a likelier one."""
    chosen: list[tuple[_Looked, float]] = []
    for each, p in sorted(rising, key=lambda pair: -pair[0].effect / pair[0].error):
        taken = [other.look for other, _ in chosen if other.genre == each.genre]
        if not any(each.look.overlaps(other) for other in taken):
            chosen.append((each, p))
    return sorted(chosen, key=lambda pair: (pair[0].genre, pair[0].look.kind, pair[0].look.first))


def _row(each: _Looked, p: float, wide: float) -> tuple[str, str, str, str, float, float, float, float, int]:
    low, factor, high = np.exp(each.effect + each.error * wide * np.array([-1, 0, 1])).tolist()
    first, last = _named(each.look)
    return each.genre, each.look.kind, first, last, factor, low, high, p, each.look.years


def _named(look: Look) -> tuple[str, str]:
    if look.kind == EASTER:
        return f"{EASTER_DAYS} days before Easter", "Easter"
    if look.kind == WEEKDAY:
        return day_name[look.first], day_name[look.first + look.length - 1]
    month, half = divmod(look.first, 2)
    begins = f"{1 if half == 0 else 16} {month_name[month + 1]}"
    month, half = divmod((look.first + look.length - 1) % 24, 2)
    ends = 15 if half == 0 else monthrange(2023, month + 1)[1]
    return begins, f"{ends} {month_name[month + 1]}"
