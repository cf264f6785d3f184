"""What a month will bring: sums of days that were and days that are foretold, with intervals of the sum.

The errors of a forecast's days go together: adding the days' intervals would be too wide, adding their
squares too narrow. So the sum's own error is measured: in the backtest, the same stretch of days ahead is
summed for every origin and every series of the measure, each error put beside the sum of the days' half
widths (of the forecast in hand, at the same days ahead). The quantile of those ratios, times the half
widths' sum, is the interval (split conformal prediction, Lei et al. 2018, on normalised sums).
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from datetime import date

import polars as pl

from pozytywka_spark.forecasting.stored import KEYS, is_total
from pozytywka_spark.months import month_after, next_month

LEVELS = (80, 90)
# measure: whether a month's figure is that of its last day
PLANNED = {"adverts": False, "revenue": False, "storage_cost": False, "premium_users": True}
FEWEST = 10  # ratios, or the widths of days are added up instead


@dataclass(frozen=True)
class Planned:
    """What is expected of a measure in a month: `so_far` of it is no forecast, `last_year` the same month's.

    `stock`: the figure is that of the month's last day, not a sum. `ratios`: how many sums of the backtest
    the interval comes from; 0: the days' (or the month's own) widths.
    """

    measure: str
    stock: bool
    so_far: float
    expected: float
    low_80: float
    high_80: float
    low_90: float
    high_90: float
    last_year: float | None
    ratios: int

    @property
    def change(self) -> float | None:
        """Relative to last year."""
        return self.expected / self.last_year - 1 if self.last_year else None


def plan_measure(
    measure: str, month: date, actual: pl.DataFrame, forecasts: pl.DataFrame, errors: pl.DataFrame
) -> Planned | None:
    """The month's plan of a measure; None if days and forecasts together don't cover the month.

    `actual`: `day`, `value` of the total, days before the origin only; `forecasts`: rows of `forecasts` of
    one origin (step D), of all series of the measure; `errors`: those of `forecast_errors` of `combined`.
    """
    end = next_month(month)
    total = forecasts.filter(is_total())
    ahead = total.filter(pl.col("day").is_between(month, end, closed="left")).sort("day")
    before = _between(actual, month, end)
    if ahead.height + before.height < (end - month).days or not ahead.height:
        return None
    last_year = _of_last_year(measure, month, actual)
    if PLANNED[measure]:
        last = ahead.row(-1, named=True)
        bounds = {name: float(last[name]) for name in _bounds()}
        return Planned(measure, True, 0.0, float(last["mean"]), **bounds, last_year=last_year, ratios=0)
    so_far, mean = float(before.get_column("value").sum()), float(ahead.get_column("mean").sum())
    origin = total.row(0, named=True)["origin"]
    stretch = tuple((day - origin).days + 1 for day in (ahead.row(0, named=True)["day"], end))
    ratios = _ratios(forecasts, errors, stretch[0], stretch[1])
    widths = float(ahead.select(_half_width()).to_series().sum())
    bounds = {}
    for level in LEVELS:
        low, high = (float(ahead.get_column(f"{side}_{level}").sum()) for side in ("low", "high"))
        if len(ratios) >= FEWEST:
            half = _quantile(ratios, level / 100) * widths
            low, high = max(mean - half, 0.0), mean + half
        bounds |= {f"low_{level}": so_far + low, f"high_{level}": so_far + high}
    bounds["low_90"] = min(bounds["low_90"], bounds["low_80"])
    bounds["high_90"] = max(bounds["high_90"], bounds["high_80"])
    used = len(ratios) if len(ratios) >= FEWEST else 0
    return Planned(measure, False, so_far, so_far + mean, **bounds, last_year=last_year, ratios=used)


def plan_by_months(measure: str, month: date, actual: pl.DataFrame, monthly: pl.DataFrame) -> Planned | None:
    """The same from the forecast by months, for months that days don't reach; None if it isn't in there."""
    row = monthly.filter(is_total() & (pl.col("day") == month))
    if not row.height:
        return None
    found = row.row(0, named=True)
    bounds = {name: float(found[name]) for name in _bounds()}
    last_year = _of_last_year(measure, month, actual)
    return Planned(
        measure, PLANNED[measure], 0.0, float(found["mean"]), **bounds, last_year=last_year, ratios=0
    )


def _ratios(forecasts: pl.DataFrame, errors: pl.DataFrame, first: int, end: int) -> list[float]:
    """By series and origin, how far off the sum of days in `[first, end)` ahead was, in half widths."""
    widths = forecasts.select(
        *KEYS,
        ahead=(pl.col("day") - pl.col("origin")).dt.total_days() + 1,
        half=_half_width(),
    )
    within = pl.col("ahead").is_between(first, end, closed="left")
    sums = (
        errors.filter(within)
        .with_columns(pl.col("ahead").cast(pl.Int64))
        .join(widths, on=[*KEYS, "ahead"], how="inner")
        .group_by(*KEYS, "origin")
        .agg(
            off=(pl.col("actual") - pl.col("mean")).sum().abs(),
            half=pl.col("half").sum(),
            days=pl.col("actual").is_not_null().sum(),
        )
        .filter((pl.col("days") == end - first) & (pl.col("half") > 0))
    )
    return sums.select(pl.col("off") / pl.col("half")).to_series().sort().to_list()


def _half_width() -> pl.Expr:
    """Of each day, at 90%: the unit of the ratios, whatever level is asked for."""
    return (pl.col("high_90") - pl.col("low_90")) / 2


def _quantile(ordered: list[float], share: float) -> float:
    """The conformal one of n: the ⌈(n + 1) share⌉-th smallest, the largest where that is beyond."""
    place = min(math.ceil((len(ordered) + 1) * share), len(ordered))
    return ordered[place - 1]


def _of_last_year(measure: str, month: date, actual: pl.DataFrame) -> float | None:
    begin = month_after(month, -12)
    end = next_month(begin)
    days = _between(actual, begin, end)
    if days.height < (end - begin).days:
        return None
    values = days.get_column("value")
    return float(values[-1] if PLANNED[measure] else values.sum())


def _between(rows: pl.DataFrame, begin: date, end: date) -> pl.DataFrame:
    return rows.filter(pl.col("day").is_between(begin, end, closed="left")).sort("day")


def _bounds() -> tuple[str, ...]:
    return tuple(f"{side}_{level}" for level in LEVELS for side in ("low", "high"))
