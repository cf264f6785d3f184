"""The page that tells what was built: labels, split, guards, correlation, nulls, drift, histograms."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import date
from typing import Any

import numpy as np
import polars as pl

from pozytywka_spark.config import Settings
from pozytywka_spark.features.declared.declaration import Feature
from pozytywka_spark.features.guards.result import GuardResult
from pozytywka_spark.features.page.charts import class_charts, split_chart
from pozytywka_spark.features.page.correlation import Correlation, drift, redundant_groups, spearman
from pozytywka_spark.features.page.rows import draw_rows
from pozytywka_spark.lake.api import Lake
from pozytywka_spark.months import months_between, split_months
from pozytywka_spark.names import TEST, TRAIN, VALIDATION
from pozytywka_spark.reports.heat_map import heat_map
from pozytywka_spark.reports.page import Page, Section

PURGED, IMMATURE, UNUSED = "purged", "immature", "no side"
COLOURS = {
    TRAIN: "#2563a8",
    PURGED: "#8a94a6",
    VALIDATION: "#a15c00",
    TEST: "#1b7f4b",
    IMMATURE: "#e1e5ec",
    UNUSED: "#c9b8d8",
}


def render_report(
    lake: Lake,
    settings: Settings,
    features: Sequence[Feature],
    counts: Sequence[Mapping[str, Any]],
    guards: Sequence[GuardResult],
) -> str:
    """The HTML page of the lake's `features` and `labels`; `counts` as of `FeaturesReport.labels`.

    Correlation and histograms look at about `features.report_rows` rows, drawn by stated dice.
    """
    names = [feature.name for feature in features]
    rows = draw_rows(
        lake,
        names,
        [settings.label.horizon_column, "buys_ever"],
        rows=settings.features.report_rows,
        seed=settings.guards.seed,
    )
    return render_page(rows, settings, features, counts, guards)


def render_page(
    rows: pl.DataFrame,
    settings: Settings,
    features: Sequence[Feature],
    counts: Sequence[Mapping[str, Any]],
    guards: Sequence[GuardResult],
) -> str:
    """The page from the rows that were drawn: month, features, the two targets."""
    names = [feature.name for feature in features]
    targets = [settings.label.horizon_column, "buys_ever"]
    page = Page("Features and labels", subtitle=f"{sum(row['rows'] for row in counts):,} user-months")
    page.section("Labels").table(counts)
    _split(page.section("Split"), counts, settings)
    page.section("Guards").table([vars(guard) for guard in guards], empty="Nothing was built, so none ran.")
    correlation = spearman(rows, [*names, *targets])
    _correlation(page.section("Correlation"), correlation, targets, settings.features.redundant_above)
    drifts = drift(rows, names)
    page.section("Nulls and drift").text(
        f"Of {rows.height:,} rows drawn: the share of rows without a value, in all months and in the worst "
        "one, and the range of the monthly means in standard deviations."
    ).table(drifts)
    histograms = page.section("By class")
    charts = class_charts(rows, features, targets[0])
    if charts:
        histograms.text(
            f"Rows whose {targets[0]} is known, as shares of each class. What lies beyond an axis is in its "
            "outermost bar."
        ).charts_beside(charts)
    else:
        histograms.text(f"No row's {targets[0]} is known yet.")
    return page.render()


def split_of(counts: Sequence[Mapping[str, Any]], settings: Settings) -> dict[date, str]:
    """Each month's side of the time split that training makes, purged months among them.

    Empty where the mature months are too few for it.
    """
    partly = settings.training.incomplete_months
    mature = sorted(row["month"] for row in counts if row["mature"] and (partly or row.get("complete", True)))
    if not mature:
        return {}
    settings_of_split, days = settings.split, settings.label.horizon_days
    months = months_between(mature[0], mature[-1])
    split = split_months(months, settings_of_split.validation_months, settings_of_split.test_months, days)
    if split is None:
        return {}
    sides = {month: split.side_of(month) for month in months}
    return {month: side or PURGED for month, side in sides.items()}


def strongest(correlation: Correlation, targets: Sequence[str], number: int = 15) -> list[dict[str, object]]:
    """The features most correlated with the first target, with each target's coefficient."""
    columns = [list(correlation.names).index(target) for target in targets]
    others = [i for i in range(len(correlation.names)) if i not in columns]
    ranked = sorted(others, key=lambda i: -abs(np.nan_to_num(correlation.values[i, columns[0]])))
    return [
        {"feature": correlation.names[i]}
        | {
            target: float(correlation.values[i, column])
            for target, column in zip(targets, columns, strict=True)
        }
        for i in ranked[:number]
    ]


def _split(section: Section, counts: Sequence[Mapping[str, Any]], settings: Settings) -> None:
    if not counts:
        return
    sides = split_of(counts, settings)
    uses = {row["month"]: sides.get(row["month"], UNUSED if row["mature"] else IMMATURE) for row in counts}
    section.charts([split_chart(counts, uses, COLOURS)], alt="Months of training, purge, validation and test")


def _correlation(
    section: Section, correlation: Correlation, targets: Sequence[str], threshold: float
) -> None:
    section.picture(
        heat_map(correlation.names, correlation.values),
        alt="Spearman correlation of features and targets",
        caption="Spearman's rank correlation over rows where both are known; grey where one never varies.",
    )
    groups = redundant_groups(correlation, threshold)
    section.table(
        [{"features": len(group), "redundant group": ", ".join(group)} for group in groups],
        caption=f"Tied by a Spearman correlation of {threshold} or more",
    )
    if groups:
        others = ", ".join(name for group in groups for name in group[1:] if name not in targets)
        section.text(f"To keep the first of each group only: features.drop=[{others}]")
    section.table(strongest(correlation, targets), caption="Strongest with the targets")
