"""The page of the trend: small multiples of drift, performance estimated and realised, calibration."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from datetime import date
from typing import Any

from matplotlib.axes import Axes
from matplotlib.figure import Figure

from pozytywka_spark.config import Monitoring
from pozytywka_spark.monitoring.drift import JS, KS, NULLS, PSI
from pozytywka_spark.monitoring.findings import MODEL, SCORE, alerts_of
from pozytywka_spark.reports.page import Page

SMALL = 24
INK, WARM, COOL, GREY = "#1d2433", "#b42318", "#2563a8", "#c9ced8"
Rows = Sequence[Mapping[str, Any]]


def render(trend: Rows, month: date, chosen: Monitoring) -> str:
    """The HTML of the rows of `monitoring` up to a month."""
    here = [row for row in trend if row["month"] == month]
    alerts = alerts_of(here)
    version, reference = here[0]["model_version"], here[0]["reference"]
    predicts = f" for {here[0]['label']}" if here[0].get("label") else ""
    page = Page(f"Monitoring: {month:%Y-%m}", f"beside {reference}, model version {version}{predicts}")
    section = page.section("Alerts")
    section.tiles(
        {
            "alerts": len(alerts),
            "features drifted": len({alert.subject for alert in alerts} - {SCORE, MODEL}),
            "features watched": len({row["subject"] for row in here if row["metric"] == PSI}) - 1,
            "users": max(row["rows"] for row in here),
        }
    )
    section.table([{"severity": "warn", "alert": alert.words} for alert in alerts], empty="None.")
    section.text(
        f"A distance alarms beyond its threshold (PSI {chosen.psi}, KS {chosen.ks}, JS {chosen.js}, null "
        f"rates {chosen.nulls}) and beyond what chance alone gives: one month in "
        f"{round(1 / chosen.false_alarms)} has a false alarm of a distance by chance. Never alarmed: "
        f"features that change by nature ({', '.join(chosen.exempt) or 'none'}), and those whose trailing "
        "window was still filling in the reference. "
    )
    _model(page, trend)
    _scores(page, trend)
    _features(page, trend, here)
    return page.render()


def _model(page: Page, trend: Rows) -> None:
    section = page.section("The model")
    section.figure(
        performance_figure(trend), alt="ROC AUC, log loss and purchases by month, estimated and realised"
    )
    section.text(
        "Estimated: what the model's own probabilities imply for the month's users (confidence-based "
        "estimation). It sees users change, not the law by which they buy. Realised: measured once "
        "the labels were known, with the model that was monitored then."
    )
    if any("bin_" in row["metric"] for row in trend):
        section.figure(calibration_figure(trend), alt="Predicted against observed rates, a panel a month")


def _scores(page: Page, trend: Rows) -> None:
    page.section("The scores").figure(
        multiples(trend, [SCORE], (PSI, KS, JS)), alt="Distance of the scores from the reference, by month"
    )


def _features(page: Page, trend: Rows, here: Rows) -> None:
    section = page.section("The features")
    psi = [
        row for row in here if row["metric"] == PSI and row["subject"] != SCORE and row["value"] is not None
    ]
    # what is never alarmed moves most, by nature, and tells least: it comes last
    psi.sort(key=lambda row: (row["threshold"] is None, -row["value"]))
    ranked = [row["subject"] for row in psi]
    if ranked:
        section.figure(
            multiples(trend, ranked[:SMALL], (PSI,)), alt="PSI by month of the features that moved most"
        )
    values = {(row["subject"], row["metric"]): row for row in here}
    section.table(
        [
            {
                "severity": _severity([values[name, each] for each in (PSI, KS, JS, NULLS)]),
                "feature": name,
                **{each: values[name, each]["value"] for each in (PSI, KS, JS, NULLS)},
                "alarms beyond": values[name, PSI]["threshold"],
                "moved": values[name, PSI]["detail"],
            }
            for name in ranked
        ]
    )


def _severity(distances: Rows) -> str:
    if any(row["alert"] for row in distances):
        return "warn"
    return "not judged" if distances[0]["threshold"] is None else "ok"


def multiples(trend: Rows, subjects: Sequence[str], metrics: Sequence[str]) -> Figure:
    """A panel a subject and metric: its values by month, its limit dashed, alarms red."""
    panels = [(subject, metric) for subject in subjects for metric in metrics]
    columns = min(4, len(panels))
    lines = math.ceil(len(panels) / columns)
    figure = Figure(figsize=(10, 0.5 + 1.5 * lines), layout="constrained")
    grid = figure.subplots(lines, columns, squeeze=False)
    for axes in grid.ravel()[len(panels) :]:
        axes.set_axis_off()
    for axes, (subject, metric) in zip(grid.ravel(), panels, strict=False):
        rows = [row for row in trend if row["subject"] == subject and row["metric"] == metric]
        rows = [row for row in rows if row["value"] is not None]
        months = [f"{row['month']:%y-%m}" for row in rows]
        axes.plot(months, [row["value"] for row in rows], "-", color=COOL, linewidth=1)
        colours = [WARM if row["alert"] else COOL for row in rows]
        axes.scatter(months, [row["value"] for row in rows], c=colours, s=10, zorder=3)
        limits = [row["threshold"] if row["threshold"] is not None else math.nan for row in rows]
        axes.plot(months, limits, "--", color=GREY, linewidth=1)
        axes.set_title(subject if len(metrics) == 1 else f"{subject} {metric}", fontsize=7)
        _slim(axes, len(months))
    return figure


def performance_figure(trend: Rows) -> Figure:
    """ROC AUC, log loss and purchases: estimated with its interval as a band, realised as points."""
    figure = Figure(figsize=(10, 2.6), layout="constrained")
    for axes, name in zip(figure.subplots(1, 3), ("roc_auc", "log_loss", "purchases"), strict=True):
        for kind, colour in (("estimated", COOL), ("realised", INK)):
            rows = [
                row
                for row in trend
                if row["subject"] == MODEL and row["metric"] == f"{kind}_{name}" and row["value"] is not None
            ]
            months = [f"{row['month']:%y-%m}" for row in rows]
            values = [row["value"] for row in rows]
            low, high = ([row[end] for row in rows] for end in ("low", "high"))
            if kind == "estimated":
                axes.plot(months, values, "o-", color=colour, markersize=3, label=kind)
                axes.fill_between(months, low, high, color=colour, alpha=0.15)
            elif rows:
                axes.vlines(months, low, high, color=colour, linewidth=1)
                axes.scatter(months, values, color=colour, s=14, label=kind, zorder=3)
        axes.set_title(name, fontsize=9)
        _slim(axes, len({row["month"] for row in trend}))
        axes.legend(frameon=False, fontsize=7)
    return figure


def calibration_figure(trend: Rows, panels: int = 8) -> Figure:
    """Predicted against observed rate in tenths of users, a panel a month, the last months."""
    months = sorted({row["month"] for row in trend if "bin_" in row["metric"]})[-panels:]
    figure = Figure(figsize=(10, 1.9 * math.ceil(len(months) / 4)), layout="constrained")
    grid = figure.subplots(math.ceil(len(months) / 4), 4, squeeze=False)
    for axes in grid.ravel()[len(months) :]:
        axes.set_axis_off()
    for axes, month in zip(grid.ravel(), months, strict=False):
        found = {row["metric"]: row["value"] for row in trend if row["month"] == month}
        places = [p for p in range(10) if f"realised_bin_{p}_predicted" in found]
        predicted, observed = (
            [found[f"realised_bin_{place}_{key}"] for place in places] for key in ("predicted", "observed")
        )
        highest = max([*predicted, *observed, 0.01])
        axes.plot([0, highest], [0, highest], "--", color=GREY, linewidth=1)
        axes.plot(predicted, observed, "o", color=COOL, markersize=3)
        axes.set_title(f"{month:%Y-%m}", fontsize=8)
        axes.tick_params(labelsize=6)
        axes.spines[["top", "right"]].set_visible(False)
    return figure


def _slim(axes: Axes, months: int) -> None:
    axes.tick_params(labelsize=6)
    axes.tick_params(axis="x", rotation=60)
    axes.xaxis.set_major_locator(_every(max(1, months // 8)))
    axes.spines[["top", "right"]].set_visible(False)


def _every(step: int) -> Any:
    from matplotlib.ticker import MultipleLocator

    return MultipleLocator(step)
