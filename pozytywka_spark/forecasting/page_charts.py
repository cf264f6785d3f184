"""Charts of the page of forecasts: history and fan, error and coverage by days ahead."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from datetime import date
from typing import Any

import polars as pl

from pozytywka_spark.reports.charts import Band, Chart, Dot, Line, Ticks, day_ticks

INK, BLUE, RED, GREY = "#1d2433", "#2563a8", "#b42318", "#8a93a3"
FAN_LEGEND = (("what was", INK), ("expected, with intervals of 80 and 90%", BLUE))


def fan_chart(
    history: pl.DataFrame, forecast: pl.DataFrame, *, title: str = "", legend: bool = False, unit: str = ""
) -> Chart:
    """What was (`day`, `value`) and what is expected (rows of `forecasts`) of one series, by day."""
    past = _points(history, "value")
    lines = [Line(past, INK)] if past else []
    lines.append(Line(_points(forecast, "mean"), BLUE))
    days = [*history.get_column("day"), *forecast.get_column("day")]
    return Chart(
        "",
        unit,
        bands=(_band(forecast, 90), _band(forecast, 80)),
        lines=tuple(lines),
        legend=FAN_LEGEND if legend else (),
        x_ticks=_few_ticks(min(days), max(days)),
        title=title,
    )


def alarm_chart(alarm: Mapping[str, Any], history: pl.DataFrame, forecast: pl.DataFrame, title: str) -> Chart:
    """The days around an alarm, the forecast that it was held against, and the day itself in red."""
    days = [*history.get_column("day"), *forecast.get_column("day")]
    bands: tuple[Band, ...] = ()
    lines = [Line(_points(history, "value"), INK)]
    if forecast.height:
        bands = (_band(forecast, 90), _band(forecast, 80))
        lines.append(Line(_points(forecast, "mean"), BLUE))
    dot = Dot(float(alarm["day"].toordinal()), float(alarm["actual"]), RED, size=4.5)
    return Chart(
        "",
        "",
        bands=bands,
        lines=tuple(lines),
        dots=(dot,),
        x_ticks=_few_ticks(min(days), max(days)),
        title=title,
    )


def by_ahead_chart(series: Sequence[tuple[str, str, pl.DataFrame, str]], unit: str, x_label: str) -> Chart:
    """A line a name: (name, colour, rows with `ahead`, column)."""
    lines = tuple(
        Line(tuple((float(row["ahead"]), float(row[column])) for row in rows.to_dicts()), colour)
        for _, colour, rows, column in series
    )
    legend = tuple((name, colour) for name, colour, *_ in series)
    return Chart(x_label, unit, lines=lines, legend=legend)


def coverage_chart(rows: pl.DataFrame, x_label: str) -> Chart:
    """Shares of days within the intervals by days ahead, beside what they claim."""
    first, last = (float(rows.get_column("ahead").cast(pl.Float64).quantile(q) or 0) for q in (0, 1))
    lines: list[Line] = []
    legend = []
    for level, colour in ((80, "#3d8b5f"), (90, BLUE)):
        points = tuple((float(row["ahead"]), float(row[f"share_{level}"])) for row in rows.to_dicts())
        lines += [Line(points, colour), Line(((first, level / 100), (last, level / 100)), GREY)]
        legend.append((f"within {level}%", colour))
    return Chart(
        x_label, "share", lines=tuple(lines), legend=(*legend, ("claimed", GREY)), y_range=(0.5, 1.0)
    )


def _points(rows: pl.DataFrame, column: str) -> tuple[tuple[float, float], ...]:
    pairs: Iterable[tuple[date, float]] = rows.select("day", column).iter_rows()
    return tuple((float(day.toordinal()), float(value)) for day, value in pairs)


def _band(forecast: pl.DataFrame, level: int) -> Band:
    rows: Iterable[tuple[date, float, float]] = forecast.select(
        "day", f"low_{level}", f"high_{level}"
    ).iter_rows()
    return Band(tuple((float(day.toordinal()), float(low), float(high)) for day, low, high in rows), BLUE)


def _few_ticks(first: date, last: date) -> Ticks:
    """At most five: these charts stand beside each other."""
    ticks = day_ticks(first, last)
    apart = -(-len(ticks) // 5)
    return ticks[::apart]
