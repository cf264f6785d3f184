"""The page of the trend: small multiples of drift, performance estimated and realised, calibration."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from datetime import date
from typing import Any

from pozytywka_spark.config import Monitoring
from pozytywka_spark.monitoring.alerts import MODEL, SCORE, alerts_of
from pozytywka_spark.monitoring.drift import JS, KS, NULLS, PSI
from pozytywka_spark.reports.charts import Band, Chart, Dot, Line, Ticks, round_ticks
from pozytywka_spark.reports.page import Page

SMALL = 24
INK, WARM, COOL, GREY = "#1d2433", "#b42318", "#2563a8", "#c9ced8"
Rows = Sequence[Mapping[str, Any]]


def render(trend: Rows, month: date, limits: Monitoring) -> str:
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
        f"A distance alarms beyond its threshold (PSI {limits.psi}, KS {limits.ks}, JS {limits.js}, null "
        f"rates {limits.nulls}) and beyond what chance alone gives: one month in "
        f"{round(1 / limits.false_alarms)} has a false alarm of a distance by chance. Never alarmed: "
        f"features that change by nature ({', '.join(limits.exempt) or 'none'}), and those whose trailing "
        "window was still filling in the reference. "
    )
    _model(page, trend)
    _scores(page, trend)
    _features(page, trend, here)
    return page.render()


def _model(page: Page, trend: Rows) -> None:
    section = page.section("The model")
    section.charts(
        performance_charts(trend),
        alt="ROC AUC, log loss and purchases by month, estimated and realised",
        columns=3,
        height=250,
    )
    section.text(
        "Estimated: what the model's own probabilities imply for the month's users (confidence-based "
        "estimation). It sees users change, not the law by which they buy. Realised: measured once "
        "the labels were known, with the model that was monitored then."
    )
    if any("bin_" in row["metric"] for row in trend):
        section.charts(
            calibration_charts(trend),
            alt="Predicted against observed rates, a panel a month",
            columns=4,
            height=200,
        )


def _scores(page: Page, trend: Rows) -> None:
    page.section("The scores").charts(
        multiples(trend, [SCORE], (PSI, KS, JS)),
        alt="Distance of the scores from the reference, by month",
        columns=3,
        height=200,
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
        section.charts(
            multiples(trend, ranked[:SMALL], (PSI,)),
            alt="PSI by month of the features that moved most",
            columns=3,
            height=160,
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


def multiples(trend: Rows, subjects: Sequence[str], metrics: Sequence[str]) -> list[Chart]:
    """A panel a subject and metric: its values by month, its limit grey, alarms red."""
    months = sorted({row["month"] for row in trend})
    charts = []
    for subject, metric in ((subject, metric) for subject in subjects for metric in metrics):
        mine = [row for row in trend if row["subject"] == subject and row["metric"] == metric]
        with_value = [row for row in mine if row["value"] is not None]
        values = [(months.index(row["month"]), row["value"], row["alert"]) for row in with_value]
        limits = [
            (months.index(row["month"]), row["threshold"])
            for row in with_value
            if row["threshold"] is not None
        ]
        charts.append(
            Chart(
                "",
                "",
                lines=(*_line(limits, GREY), *_line([(x, y) for x, y, _ in values], COOL)),
                dots=tuple(Dot(x, y, WARM if alert else COOL, 2.5) for x, y, alert in values),
                x_ticks=_month_ticks(months),
                title=subject if len(metrics) == 1 else f"{subject} {metric}",
            )
        )
    return charts


def performance_charts(trend: Rows) -> list[Chart]:
    """ROC AUC, log loss and purchases: estimated with its interval as a band, realised as points."""
    months = sorted({row["month"] for row in trend})
    charts = []
    for name in ("roc_auc", "log_loss", "purchases"):
        rows = {
            kind: [
                (months.index(row["month"]), row["value"], row["low"], row["high"])
                for row in trend
                if row["subject"] == MODEL and row["metric"] == f"{kind}_{name}" and row["value"] is not None
            ]
            for kind in ("estimated", "realised")
        }
        bounded = [
            (x, low, high) for x, _, low, high in rows["estimated"] if low is not None and high is not None
        ]
        spans = [
            Line(((x, low), (x, high)), INK)
            for x, _, low, high in rows["realised"]
            if low is not None and high is not None
        ]
        values = {kind: [(x, y) for x, y, *_ in each] for kind, each in rows.items()}
        heights = [y for x, *each in (*rows["estimated"], *rows["realised"]) for y in each if y is not None]
        margin = (max(heights) - min(heights)) * 0.05 or 0.01 if heights else 0.0
        charts.append(
            Chart(
                "",
                "",
                bands=(Band(tuple(bounded), COOL),) if bounded else (),
                lines=(*_line(values["estimated"], COOL), *spans),
                dots=(
                    *(Dot(x, y, COOL) for x, y in values["estimated"]),
                    *(Dot(x, y, INK) for x, y in values["realised"]),
                ),
                x_ticks=_month_ticks(months),
                y_range=(min(heights) - margin, max(heights) + margin) if heights else None,
                title=f"{name}: blue estimated, black realised",
            )
        )
    return charts


def calibration_charts(trend: Rows, panels: int = 8) -> list[Chart]:
    """Predicted against observed rate in tenths of users, a panel a month, the last months."""
    months = sorted({row["month"] for row in trend if "bin_" in row["metric"]})[-panels:]
    charts = []
    for month in months:
        values = {row["metric"]: row["value"] for row in trend if row["month"] == month}
        points = [
            (values[f"realised_bin_{place}_predicted"], values[f"realised_bin_{place}_observed"])
            for place in range(10)
            if f"realised_bin_{place}_predicted" in values
        ]
        highest = max([*(value for point in points for value in point), 0.01])
        charts.append(
            Chart(
                "predicted",
                "observed",
                lines=(Line(((0.0, 0.0), (highest, highest)), GREY),),
                dots=tuple(Dot(x, y, COOL) for x, y in points),
                x_ticks=round_ticks(0.0, highest, 4),
                title=f"{month:%Y-%m}",
            )
        )
    return charts


def _line(points: Sequence[tuple[float, float]], colour: str) -> tuple[Line, ...]:
    return (Line(tuple(points), colour),) if points else ()


def _month_ticks(months: Sequence[date]) -> Ticks:
    """So few that their words have room in a narrow panel."""
    step = max(1, math.ceil(len(months) / 4))
    return tuple((place, f"{month:%y-%m}") for place, month in enumerate(months) if place % step == 0)
