"""Charts of the dossier, from plain numbers."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from pozytywka_spark.names import TEST, TRAIN, VALIDATION
from pozytywka_spark.reports.charts import Bar, Chart, Line, Ticks

COLOURS = {
    "majority": "#8a94a6",
    "logistic": "#a15c00",
    "xgboost": "#2563a8",
    "xgboost-uncalibrated": "#9bbbe0",
}
GREY = "#5b6577"
NAMES = 290  # pixels for the longest name of a feature
_SIDES = {TRAIN: "#2563a8", VALIDATION: "#a15c00", TEST: "#1b7f4b"}
_MOST_MONTHS = 12  # that have a word on an axis
Models = Mapping[str, Mapping[str, Any]]


def split_chart(bars: Mapping[str, Mapping[str, Sequence[str]]], months: Sequence[str]) -> Chart:
    """A line a split or fold, a box a month, coloured by side; `bars` maps its name to sides' months."""
    boxes = [
        Bar(months.index(month), months.index(month) + 0.94, -line - 0.35, -line + 0.35, _SIDES[side])
        for line, sides in enumerate(bars.values())
        for side, members in sides.items()
        for month in members
    ]
    return Chart(
        "month",
        "",
        bars=tuple(boxes),
        legend=tuple(_SIDES.items()),
        x_ticks=_month_ticks(months),
        y_ticks=tuple((-line, name) for line, name in enumerate(bars)),
        y_range=(0.5 - len(bars), 0.5),
    )


def gain_chart(models: Models) -> Chart:
    """Share of users taken from the top against the share of all buyers among them."""
    curves = {
        name: [(0.0, 0.0), *((point["share"], point["recall"]) for point in curve)]
        for name, curve in _curves(models)
    }
    return _by_model("share of users, best scores first", "share of buyers found", curves)


def lift_chart(models: Models) -> Chart:
    """Share of users taken from the top against how many times more buyers are among them than by chance."""
    curves = {
        name: [(point["share"], point["recall"] / point["share"]) for point in curve]
        for name, curve in _curves(models)
    }
    return _by_model("share of users, best scores first", "lift", curves)


def precision_recall_chart(models: Models) -> Chart:
    """Precision against recall at growing shares of users."""
    curves = {
        name: [(point["recall"], point["precision"]) for point in curve] for name, curve in _curves(models)
    }
    return _by_model("recall", "precision", curves)


def reliability_chart(models: Models, kind: str) -> Chart:
    """Predicted against observed rate over ten bins of equal size: the trees uncalibrated too."""
    curves = {
        name: [(row["predicted"], row["observed"]) for row in models[name]["reliability"]]
        for name in dict.fromkeys(("xgboost-uncalibrated", "xgboost", kind))
    }
    highest = max((value for curve in curves.values() for point in curve for value in point), default=0.0)
    chart = _by_model("predicted probability", "share that bought", curves, dots=True)
    true = Line(((0.0, 0.0), (highest, highest)), GREY)
    return Chart(chart.x_label, chart.y_label, lines=(*chart.lines, true), legend=chart.legend)


def months_charts(months: Sequence[Mapping[str, Any]]) -> list[Chart]:
    """Rows of each month, and the share of buyers."""
    names = [row["month"] for row in months]
    rates = [100 * row["positives"] / row["rows"] if row["rows"] else 0.0 for row in months]
    ticks = _month_ticks(names, 6)
    rows = tuple(Bar(place, place + 0.9, 0, row["rows"], "#c9ced8") for place, row in enumerate(months))
    line = Line(
        tuple((place + 0.47, rate) for place, rate in enumerate(rates)), COLOURS["xgboost"], dots=True
    )
    return [
        Chart("month", "rows", bars=rows, x_ticks=ticks),
        Chart("month", "buyers, %", lines=(line,), x_ticks=ticks),
    ]


def loss_chart(made: Mapping[str, Any]) -> Chart:
    """Log loss of train and validation by tree; a line where the model was cut."""
    losses = {TRAIN: made["train_loss"], VALIDATION: made["validation_loss"]}
    values = [value for side in losses.values() for value in side]
    lines = [Line(tuple(enumerate(side)), _SIDES[name]) for name, side in losses.items() if side]
    return Chart(
        "tree",
        "log loss",
        lines=tuple(lines),
        rules=((made["trees"] - 1, f"{made['trees']} of {made['trees_tried']} trees kept"),),
        legend=tuple((name, _SIDES[name]) for name in losses),
        y_range=spread(values),
    )


def importance_chart(rows: Sequence[Mapping[str, Any]], top: int = 15) -> Chart:
    """Mean strength of the strongest features."""
    shown = list(rows[:top])
    return Chart(
        "mean absolute contribution, log-odds",
        "",
        bars=tuple(
            Bar(0, row["strength"], -line - 0.4, -line + 0.4, COLOURS["xgboost"])
            for line, row in enumerate(shown)
        ),
        y_ticks=tuple((-line, row["feature"]) for line, row in enumerate(shown)),
        y_range=(0.5 - max(1, len(shown)), 0.5),
        left=NAMES,
    )


def height(lines: int) -> int:
    """Pixels of a chart with so many lines of names."""
    return 80 + 22 * lines


def spread(values: Sequence[float]) -> tuple[float, float]:
    """From a little below the lowest to a little above the highest."""
    low, high = min(values, default=0.0), max(values, default=1.0)
    room = 0.05 * (high - low) or 0.5
    return low - room, high + room


def _curves(models: Models) -> list[tuple[str, Sequence[Mapping[str, float]]]]:
    shown = ("majority", "logistic", "xgboost")
    return [(name, entry["curve"]) for name, entry in models.items() if name in shown and entry["curve"]]


def _by_model(
    x_label: str, y_label: str, curves: Mapping[str, Sequence[tuple[float, float]]], *, dots: bool = False
) -> Chart:
    lines = tuple(Line(tuple(points), COLOURS[name], dots=dots) for name, points in curves.items() if points)
    legend = tuple((name, COLOURS[name]) for name in curves)
    return Chart(x_label, y_label, lines=lines, legend=legend)


def _month_ticks(months: Sequence[str], most: int = _MOST_MONTHS) -> Ticks:
    step = -(-len(months) // most) or 1
    return tuple((place + 0.47, month) for place, month in enumerate(months) if place % step == 0)
