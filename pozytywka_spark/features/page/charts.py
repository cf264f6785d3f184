"""The charts of the page of features: the split of months, and how each feature's values lie by class."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import date
from typing import Any

import numpy as np
import numpy.typing as npt
import polars as pl

from pozytywka_spark.features.declared.declaration import Feature
from pozytywka_spark.months import next_month
from pozytywka_spark.reports.charts import Bar, Chart, Line, Ticks, day_ticks, round_ticks

BINS = 20
_CLASSES = ((0, "doesn't buy", "#c9ced8"), (1, "buys", "#2563a8"))
_OUTERMOST = 0.005  # of the values on each side lie in the outermost bars, however far away
_FEW_TICKS = 4  # on a small chart
_EPOCH, _DAY = date(1970, 1, 1).toordinal(), 86_400
_SINCE_1970 = "s since 1970"

Numbers = npt.NDArray[np.float64]


def split_chart(
    counts: Sequence[Mapping[str, Any]], sides: Mapping[date, str], colours: Mapping[str, str]
) -> Chart:
    """A bar a month: its rows, coloured by what `sides` says of the month."""
    bars = []
    for row in counts:
        first, last = row["month"].toordinal(), next_month(row["month"]).toordinal()
        colour = colours[sides[row["month"]]]
        bars.append(Bar(first + 2, last - 2, 0, row["rows"], colour))
    months = [row["month"] for row in counts]
    there = set(sides.values())
    return Chart(
        "month",
        "rows (user-months)",
        bars=tuple(bars),
        legend=tuple((side, colour) for side, colour in colours.items() if side in there),
        x_ticks=day_ticks(min(months), max(months)),
    )


def class_charts(rows: pl.DataFrame, features: Sequence[Feature], label: str) -> list[tuple[Chart, str, str]]:
    """Of each feature that varies: chart, what it shows, a caption.

    Histograms of the rows whose `label` is known, as shares of each class.
    """
    labelled = rows.filter(pl.col(label).is_not_null())
    classes = labelled[label].to_numpy()
    charts = []
    for feature in features:
        values = labelled[feature.name].cast(pl.Float64).fill_null(float("nan")).to_numpy()
        is_finite = np.isfinite(values)
        if np.unique(values[is_finite]).size > 1:
            chart = _histogram(feature, values[is_finite], classes[is_finite])
            unknown = f"; unknown in {1 - is_finite.mean():.1%} of rows" if not is_finite.all() else ""
            alt = f"Histogram of {feature.name} by class"
            charts.append((chart, alt, f"{feature.name}: {feature.meaning}{unknown}"))
    return charts


def _histogram(feature: Feature, values: Numbers, classes: npt.NDArray[np.int32]) -> Chart:
    edges = bin_edges(values)
    bars: list[Bar] = []
    lines: list[Line] = []
    for number, _, colour in _CLASSES:
        mine = np.clip(values[classes == number], edges[0], edges[-1])
        shares = np.histogram(mine, edges)[0] / max(mine.size, 1)
        if number == 0:
            bars += [
                Bar(low, high, 0, share, colour)
                for low, high, share in zip(edges[:-1], edges[1:], shares, strict=True)
            ]
        else:
            heights = [*shares, shares[-1]]
            steps = zip(edges.tolist(), map(float, heights), strict=True)
            lines.append(Line(((float(edges[0]), 0.0), *steps, (float(edges[-1]), 0.0)), colour, steps=True))
    return Chart(
        _axis(feature),
        "share of rows",
        bars=tuple(bars),
        lines=tuple(lines),
        legend=tuple((word, colour) for _, word, colour in _CLASSES),
        x_ticks=_ticks(feature, float(edges[0]), float(edges[-1])),
    )


def bin_edges(values: Numbers) -> Numbers:
    """At most `BINS` bins between all but the outermost values; of whole numbers as wide as whole numbers."""
    low, high = np.quantile(values, (_OUTERMOST, 1 - _OUTERMOST), method="nearest")
    if low == high:
        low, high = values.min(), values.max()
    if not (values == np.rint(values)).all():
        return np.linspace(low, high, BINS + 1)
    width = np.ceil((high - low + 1) / BINS)
    return np.arange(low - 0.5, high + width, width)


def _axis(feature: Feature) -> str:
    if feature.unit == _SINCE_1970:
        return f"{feature.name}, date"
    return feature.name if feature.unit == "1" else f"{feature.name}, {feature.unit}"


def _ticks(feature: Feature, low: float, high: float) -> Ticks:
    if feature.unit != _SINCE_1970:
        ticks = round_ticks(low, high, _FEW_TICKS)
        counted = low % 1 == 0.5  # bars stand around whole numbers
        return tuple(tick for tick in ticks if tick[0].is_integer()) if counted else ticks
    first, last = (date.fromordinal(_EPOCH + int(value // _DAY)) for value in (low, high))
    days = day_ticks(first, last)
    return tuple(
        ((day - _EPOCH) * _DAY, word)
        for day, word in days[:: 1 + len(days) // _FEW_TICKS]
        if low <= (day - _EPOCH) * _DAY <= high
    )
