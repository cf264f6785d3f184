"""The page of forecasts: totals, cities, genre groups, errors, coverage, weights, alarms, plans."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import polars as pl

from pozytywka_spark.forecasting.error_sums import LEVELS, SUMS, accuracy_of
from pozytywka_spark.forecasting.page_alarms import Alarm, show_alarms
from pozytywka_spark.forecasting.page_charts import (
    BLUE,
    GREY,
    by_ahead_chart,
    coverage_chart,
    fan_chart,
)
from pozytywka_spark.forecasting.plan import Plan
from pozytywka_spark.forecasting.stored import ALL, COMBINED, DAILY, KEYS, MONTHLY, NAIVE, Latest, is_total
from pozytywka_spark.reports.page import Page, Section

PAGE = "forecast.html"
SMALL = "plays"  # the measure that small multiples show
MOST_SMALL = 24  # of cities, of groups
_HISTORY = "history"


@dataclass(frozen=True)
class Shown:
    """What the page shows. `daily`, `monthly`: the latest forecasts (None: there is none by months), with the
    history of their series (`day`, `value`); `sums`: see `error_sums`; `alarms`: the latest first;
    `checks`: how many days were checked; `names`: of genre groups, by their id."""

    daily: Latest
    history: pl.DataFrame
    monthly: Latest | None
    months: pl.DataFrame
    sums: pl.DataFrame
    alarms: Sequence[Alarm]
    alarm_count: int
    checks: int
    plans: Sequence[Plan]
    names: Mapping[str, str]


def render(shown: Shown) -> str:
    """The HTML text; the same content gives the same bytes."""
    rows = shown.daily.rows
    last = rows.get_column("day").max()
    series = rows.select(KEYS).unique().height
    span = f"{shown.daily.origin} to {last!s}"
    page = Page("Forecasts", f"{series:,} series, {span}, run {shown.daily.run[:8]}")
    _totals(page, shown)
    _small_multiples(page, shown)
    _months(page, shown)
    _errors(page, shown)
    _coverage(page, shown)
    _weights(page, shown)
    show_alarms(
        page.section("Alarms", anchor="alarms"), shown.alarms, shown.alarm_count, shown.checks, shown.names
    )
    _plans(page, shown)
    return page.render()


def _totals(page: Page, shown: Shown) -> None:
    section = page.section("Totals", anchor="totals")
    section.text("What was, and what is expected, with intervals of 80 and 90% for each day by itself.")
    forecasts, history = (rows.filter(is_total()) for rows in (shown.daily.rows, shown.history))
    section.charts_beside(
        [
            (
                fan_chart(_of(history, measure), _of(forecasts, measure), legend=True),
                f"{measure} by day",
                measure,
            )
            for measure in forecasts.get_column("measure").unique().sort()
        ]
    )


def _small_multiples(page: Page, shown: Shown) -> None:
    for key, other, title in (("city", "group_id", "By city"), ("group_id", "city", "By genre group")):
        mine = (pl.col("measure") == SMALL) & (pl.col(other) == ALL) & (pl.col(key) != ALL)
        forecasts, history = (rows.filter(mine) for rows in (shown.daily.rows, shown.history))
        if not forecasts.height:
            continue
        sizes = forecasts.group_by(key).agg(pl.col("mean").sum()).sort("mean", key, descending=[True, False])
        largest = sizes.get_column(key).head(MOST_SMALL).to_list()
        section = page.section(title, anchor=title.lower().replace(" ", "-"))
        more = f", the {MOST_SMALL} largest of {sizes.height}" if sizes.height > MOST_SMALL else ""
        section.text(f"{SMALL.capitalize()} by day{more}.")
        section.charts(
            [
                fan_chart(
                    history.filter(pl.col(key) == name),
                    forecasts.filter(pl.col(key) == name),
                    title=shown.names.get(name, name),
                )
                for name in largest
            ],
            alt=f"{SMALL} {title.lower()}, what was and what is expected",
            columns=3,
            height=190,
        )


def _months(page: Page, shown: Shown) -> None:
    if shown.monthly is None:
        return
    section = page.section("By months", anchor="months")
    forecasts = shown.monthly.rows.filter(is_total())
    history = shown.months.filter(is_total()).rename({"month": "day"})
    section.charts_beside(
        [
            (fan_chart(_of(history, name), _of(forecasts, name), legend=True), f"{name} by month", name)
            for name in forecasts.get_column("measure").unique().sort()
        ]
    )


def _errors(page: Page, shown: Shown) -> None:
    section = page.section("Errors", anchor="errors")
    section.text(
        "In the backtest, which forecasts from earlier days on with what was known then: the mean absolute "
        "error as a share of the seasonal naive's own within the history (MASE)."
    )
    _error_chart(section, shown.sums, DAILY, "days ahead")
    _error_chart(section, shown.sums, MONTHLY, "months ahead")
    section.table(
        [
            {
                "measure": each.measure,
                "step": "day" if each.step == DAILY else "month",
                "error": each.error,
                "seasonal naive": each.naive,
                "relative": each.relative,
            }
            for each in accuracy_of(shown.sums)
        ],
        caption="By measure, over all its series",
        empty="No backtest belongs to this forecast: another has taken its place, or the lake is too young.",
    )


def _error_chart(section: Section, sums: pl.DataFrame, step: str, x_label: str) -> None:
    rows = _by_ahead(sums, step).with_columns(error=pl.col("scaled") / pl.col("rows"))
    mine, naive = (rows.filter(pl.col("model") == name) for name in (COMBINED, NAIVE))
    if mine.height > 1:
        lines = [("combined", BLUE, mine, "error"), ("seasonal naive", GREY, naive, "error")]
        section.charts(
            [by_ahead_chart(lines, "scaled error", x_label)], alt=f"Error by {x_label}", height=260
        )


def _coverage(page: Page, shown: Shown) -> None:
    section = page.section("Coverage", anchor="coverage")
    section.text(
        "The share of the backtest's days within their intervals, made from the other origins' errors."
    )
    for step, x_label in ((DAILY, "days ahead"), (MONTHLY, "months ahead")):
        rows = _by_ahead(shown.sums, step).filter((pl.col("model") == COMBINED) & (pl.col("judged") > 0))
        if rows.height > 1:
            shares = {f"share_{level}": pl.col(f"inside_{level}") / pl.col("judged") for level in LEVELS}
            chart = coverage_chart(rows.with_columns(**shares), x_label)
            section.charts([chart], alt=f"Coverage by {x_label}", height=260)
    section.table(
        [
            {
                "measure": each.measure,
                "step": "day" if each.step == DAILY else "month",
                "within 80%": each.inside_80,
                "within 90%": each.inside_90,
            }
            for each in accuracy_of(shown.sums)
            if each.inside_90 is not None
        ],
        empty="There were too few origins to judge it.",
    )


def _weights(page: Page, shown: Shown) -> None:
    section = page.section("Model weights", anchor="weights")
    section.text(
        "By past error; models worse than the seasonal naive are out. Means over a measure's series, in "
        "percent."
    )
    for latest, what in ((shown.daily, "Days"), (shown.monthly, "Months")):
        if latest is not None:
            section.table(weight_rows(latest.rows), caption=what)


def weight_rows(forecasts: pl.DataFrame) -> list[dict[str, Any]]:
    """Mean weight of each model by measure, in percent, models in the order of their names."""
    once = forecasts.unique(KEYS, maintain_order=True).select(*KEYS, "weights")
    pairs = (
        once.with_columns(pl.col("weights").map.entries())
        .explode("weights")
        .drop_nulls("weights")
        .select(*KEYS, pl.col("weights").struct.unnest())
    )
    models = pairs.get_column("key").unique().sort().to_list()
    rows = []
    for (measure,), mine in once.sort("measure").group_by("measure", maintain_order=True):
        sums = pairs.filter(pl.col("measure") == measure).group_by("key").agg(pl.col("value").sum())
        weights = dict(sums.iter_rows())
        shares = {model: round(100 * weights.get(model, 0.0) / mine.height, 1) for model in models}
        rows.append({"measure": measure, "series": mine.height, **shares})
    return rows


def _plans(page: Page, shown: Shown) -> None:
    section = page.section("Plan", anchor="plan")
    section.text("Sums of days have intervals of their own: a month's days err together.")
    for plan in shown.plans:
        known = f", {plan.days_known} days of it known" if plan.days_known else ""
        section.table(plan_rows(plan), caption=f"{plan.month:%Y-%m}{known}")
    if not shown.plans:
        section.text(
            "The forecast doesn't reach the end of a month: forecast run --horizon N reaches further."
        )


def plan_rows(plan: Plan) -> list[dict[str, Any]]:
    """A plan as people read it, a row a measure."""
    return [
        {
            "measure": each.measure,
            "what": "on its last day" if each.stock else "in the month",
            "expected": each.expected,
            "80% from": each.low_80,
            "to": each.high_80,
            "90% from": each.low_90,
            "to ": each.high_90,
            "last year": each.last_year,
            "change": None if each.change is None else f"{each.change:+.1%}",
        }
        for each in plan.measures
    ]


def _of(rows: pl.DataFrame, measure: str) -> pl.DataFrame:
    return rows.filter(pl.col("measure") == measure)


def _by_ahead(sums: pl.DataFrame, step: str) -> pl.DataFrame:
    mine = sums.filter(pl.col("step") == step)
    return mine.group_by("model", "ahead").agg(pl.col(SUMS).sum()).sort("model", "ahead")
