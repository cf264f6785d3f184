"""The page that tells what was built: labels, split, guards, correlation, nulls, drift, histograms."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import date
from typing import Any

import numpy as np
from matplotlib.figure import Figure
from pyspark.sql import DataFrame
from pyspark.sql import functions as F

from pozytywka_spark.config import Settings
from pozytywka_spark.features.correlation import Correlation, drift, redundant_groups, spearman
from pozytywka_spark.features.guards.result import GuardResult
from pozytywka_spark.reports.page import Page
from pozytywka_spark.timesplit import TEST, TRAIN, VALIDATION, months_between, split_months

BINS = 20
PURGED, IMMATURE, UNUSED = "purged", "immature", "no side"
COLOURS = {TRAIN: "#2563a8", PURGED: "#c9ced8", VALIDATION: "#a15c00", TEST: "#1b7f4b"}


def render_report(
    features: DataFrame,
    labels: DataFrame,
    settings: Settings,
    names: Sequence[str],
    counts: Sequence[Mapping[str, Any]],
    guards: Sequence[GuardResult],
) -> str:
    """The HTML page. Correlation and histograms look at `features.report_rows` rows, chosen by a hash."""
    targets = [settings.label.horizon_column, "buys_ever"]
    known = features.select("user_id", "month", *names).join(
        labels.select("user_id", "month", *targets), ["user_id", "month"], "inner"
    )
    dice = F.xxhash64("user_id", "month", F.lit(settings.guards.seed))
    rows = known.orderBy(dice).limit(settings.features.report_rows).persist()
    try:
        correlation = spearman(rows, [*names, *targets])
        page = Page("Features and labels", subtitle=f"{sum(row['rows'] for row in counts):,} user-months")
        page.section("Labels").table(counts)
        page.section("Split").figure(
            split_figure(counts, settings), alt="Months of training, purge, validation and test"
        )
        page.section("Guards").table(
            [vars(guard) for guard in guards], empty="Nothing was built, so none ran."
        )
        section = page.section("Correlation")
        section.figure(heat_map(correlation), alt="Spearman correlation of features and targets", kind="png")
        groups = redundant_groups(correlation, settings.features.redundant_above)
        section.table(
            [{"features": len(group), "redundant group": ", ".join(group)} for group in groups],
            caption=f"Tied by a Spearman correlation of {settings.features.redundant_above} or more",
        )
        if groups:
            others = ", ".join(name for group in groups for name in group[1:] if name not in targets)
            section.text(f"To keep the first of each group only: features.drop=[{others}]")
        section.table(strongest(correlation, targets), caption="Strongest with the targets")
        page.section("Nulls and drift").table(drift(rows, names))
        histograms = page.section("By class")
        for name, figure in class_figures(rows, names, targets[0]):
            histograms.figure(figure, alt=f"Histogram of {name} by class")
        return page.render()
    finally:
        rows.unpersist()


def split_of(counts: Sequence[Mapping[str, Any]], settings: Settings) -> dict[date, str]:
    """Each month's side of the time split that training makes, purged months among them.

    Empty where the mature months are too few for it.
    """
    partly = settings.training.incomplete_months
    mature = sorted(row["month"] for row in counts if row["mature"] and (partly or row.get("complete", True)))
    if not mature:
        return {}
    wanted, days = settings.split, settings.label.horizon_days
    months = months_between(mature[0], mature[-1])
    split = split_months(months, wanted.validation_months, wanted.test_months, days)
    if split is None:
        return {}
    known = {month: split.side_of(month) for month in months}
    return {month: side or PURGED for month, side in known.items()}


def split_figure(counts: Sequence[Mapping[str, Any]], settings: Settings) -> Figure:
    """A bar a month: its mature rows, coloured by side."""
    sides = split_of(counts, settings)
    figure = Figure(figsize=(9, 2.6))
    axes = figure.subplots()
    for row in counts:
        side = sides.get(row["month"], UNUSED if row["mature"] else IMMATURE)
        axes.bar(f"{row['month']:%Y-%m}", row["rows"], color=COLOURS.get(side, "#eeeeee"), label=side)
    handles = dict(zip(*reversed(axes.get_legend_handles_labels()), strict=True))
    axes.legend(handles.values(), handles.keys(), ncols=5, fontsize=8)
    axes.set_ylabel("rows")
    axes.tick_params(axis="x", rotation=60, labelsize=8)
    return figure


def heat_map(correlation: Correlation) -> Figure:
    """The matrix, red for -1, blue for 1."""
    size = max(5.0, len(correlation.names) * 0.13)
    figure = Figure(figsize=(size + 2, size))
    axes = figure.subplots()
    image = axes.imshow(correlation.values, cmap="RdBu", vmin=-1, vmax=1)
    places = range(len(correlation.names))
    axes.set_xticks(places, correlation.names, rotation=90, fontsize=5)
    axes.set_yticks(places, correlation.names, fontsize=5)
    figure.colorbar(image, shrink=0.6)
    return figure


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


def class_figures(rows: DataFrame, names: Sequence[str], label: str) -> list[tuple[str, Figure]]:
    """A histogram a feature, as shares of each class, from counts per bin made by Spark."""
    known = rows.where(F.col(label).isNotNull())
    bounds = known.agg(*(F.min(n).alias(f"l_{n}") for n in names), *(F.max(n).alias(f"h_{n}") for n in names))
    limits = bounds.collect()[0]
    drawn = [
        name
        for name in names
        if limits[f"l_{name}"] is not None and limits[f"h_{name}"] > limits[f"l_{name}"]
    ]
    counted = {name: np.zeros((2, BINS)) for name in drawn}
    if drawn:
        bins = [
            F.least(
                F.floor((F.col(n) - limits[f"l_{n}"]) / ((limits[f"h_{n}"] - limits[f"l_{n}"]) / BINS)),
                F.lit(BINS - 1),
            ).cast("int")
            for n in drawn
        ]
        cells = known.select(F.col(label).alias("label"), F.posexplode(F.array(*bins)).alias("place", "bin"))
        for row in cells.where("bin is not null").groupBy("label", "place", "bin").count().collect():
            counted[drawn[row["place"]]][row["label"], row["bin"]] = row["count"]
    return [
        (name, _histogram(name, limits[f"l_{name}"], limits[f"h_{name}"], counted[name])) for name in drawn
    ]


def _histogram(name: str, low: float, high: float, counts: np.ndarray) -> Figure:
    figure = Figure(figsize=(4.2, 1.8))
    axes = figure.subplots()
    edges = np.linspace(low, high, BINS + 1)
    for klass, colour, text in ((0, "#c9ced8", "no"), (1, "#2563a8", "buys")):
        shares = counts[klass] / max(counts[klass].sum(), 1.0)
        axes.stairs(shares, edges, fill=klass == 0, color=colour, label=text)
    axes.set_title(name, fontsize=8)
    axes.tick_params(labelsize=6)
    axes.legend(fontsize=6)
    return figure
