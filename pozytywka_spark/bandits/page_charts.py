"""Charts of the page of bandits, from what was counted and estimated."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import date, datetime
from typing import Any

import polars as pl

from pozytywka_spark.bandits.penalty import Effect, Faded
from pozytywka_spark.reports.charts import Band, Bar, Chart, Dot, Line, Ticks, day_ticks

COLOURS = ("#2563a8", "#b3402a", "#3d8b5f", "#8a5bb0", "#b58a1b", "#4b9aa5", "#7a6a5d", "#c05a8e")
_GREY = "#c9ced8"
_95 = 1.96
_WIDE = 150  # pixels for names beside a chart
_PER_NAME = 22  # pixels of height a line of a chart takes
_LEAP_YEAR = 2024  # in which every day of a calendar is there


def intervals(
    rows: Sequence[tuple[str, float, float, float]], unit: str, *, mark: float | None = None
) -> Chart:
    """A line a name, from low to high with a dot at the value; (name, value, low, high)."""
    top = len(rows) - 1
    lines = tuple(
        Line(((low, float(top - place)), (high, float(top - place))), COLOURS[0])
        for place, (_, _, low, high) in enumerate(rows)
    )
    dots = tuple(Dot(value, float(top - place), COLOURS[0]) for place, (_, value, _, _) in enumerate(rows))
    names = tuple((float(top - place), name) for place, (name, *_) in enumerate(rows))
    rules = () if mark is None else ((mark, ""),)
    return Chart(
        unit, "", lines=lines, dots=dots, y_ticks=names, y_range=(-0.5, top + 0.5), left=_WIDE, rules=rules
    )


def height_of(names: int) -> int:
    """Of a chart with so many names, in pixels."""
    return 90 + _PER_NAME * names


def effect_rows(effects: Sequence[Effect], group: str) -> list[tuple[str, float, float, float]]:
    """Those of a group, the best first."""
    mine = sorted((each for each in effects if each.group == group), key=lambda each: -each.value)
    return [(each.arm, each.value, each.low, each.high) for each in mine]


def rate_rows(by_group: pl.DataFrame, most: int) -> list[tuple[str, float, float, float]]:
    """Mean rewards of arms as they were shown, those shown most; with intervals of single decisions."""
    sums = by_group.group_by("arm").agg(pl.col("rounds", "reward", "square").sum())
    rows = []
    for arm, rounds, reward, square in (
        sums.sort("rounds", "arm", descending=[True, False]).head(most).iter_rows()
    ):
        mean = reward / rounds
        reach = _95 * (max(square / rounds - mean**2, 0.0) / rounds) ** 0.5
        rows.append((str(arm), mean, mean - reach, mean + reach))
    return sorted(rows, key=lambda row: -row[1])


def penalty_chart(faded: Sequence[Faded], gamma: float, half_life: float) -> Chart:
    """Measured points with intervals, and the policy's curve through them.

    Left out are points that say next to nothing, by an interval five times the narrowest.
    """
    narrowest = min(each.high - each.low for each in faded)
    faded = [each for each in faded if each.high - each.low <= 5 * narrowest]
    last = max(each.days for each in faded)
    curve = [(last * step / 80, -gamma * 0.5 ** (last * step / 80 / half_life)) for step in range(81)]
    lines = [Line(((each.days, each.low), (each.days, each.high)), _GREY) for each in faded]
    return Chart(
        "days since the user saw it",
        "effect, less that on those who never did",
        lines=(*lines, Line(tuple(curve), COLOURS[1])),
        dots=tuple(Dot(each.days, each.value, COLOURS[0]) for each in faded),
        legend=(("measured", COLOURS[0]), ("the policy's penalty", COLOURS[1])),
        left=90,
    )


def streams_chart(by_day: pl.DataFrame) -> Chart:
    """Mean reward by day, a line a stream, in bands of 95% of single decisions."""
    sums = by_day.group_by("day", "stream").agg(pl.col("rounds", "reward", "square").sum())
    mean = pl.col("reward") / pl.col("rounds")
    variance = (pl.col("square") / pl.col("rounds") - mean**2).clip(0) / pl.col("rounds")
    rows = sums.with_columns(value=mean, reach=_95 * variance.sqrt()).sort("stream", "day")
    chart = _lines(rows, "stream", "mean reward")
    bands = []
    for place, (_, mine) in enumerate(rows.group_by("stream", maintain_order=True)):
        points = mine.select("day", "value", "reach").iter_rows()
        around = tuple((float(day.toordinal()), value - reach, value + reach) for day, value, reach in points)
        bands.append(Band(around, COLOURS[place % len(COLOURS)]))
    return replace(chart, bands=tuple(bands))


def exposure_chart(by_day: pl.DataFrame, most: int) -> Chart:
    """Shares of a day's decisions, a line an arm: those that were shown most."""
    sums = by_day.group_by("day", "arm").agg(pl.col("rounds").sum())
    largest = sums.group_by("arm").agg(pl.col("rounds").sum()).sort("rounds", "arm", descending=[True, False])
    kept = largest.get_column("arm").head(most)
    shares = sums.with_columns(value=pl.col("rounds") / pl.col("rounds").sum().over("day"))
    grid = shares.select("day").unique().join(kept.to_frame(), how="cross")
    filled = grid.join(shares, on=["day", "arm"], how="left").with_columns(pl.col("value").fill_null(0.0))
    return _lines(filled.sort("arm", "day"), "arm", "share of decisions")


def _lines(rows: pl.DataFrame, name: str, unit: str) -> Chart:
    lines, legend = [], []
    for place, ((key,), mine) in enumerate(rows.group_by(name, maintain_order=True)):
        colour = COLOURS[place % len(COLOURS)]
        days, values = mine.get_column("day").to_list(), mine.get_column("value").to_list()
        points = tuple(
            (float(day.toordinal()), float(value)) for day, value in zip(days, values, strict=True)
        )
        lines.append(Line(points, colour, dots=len(points) < 60))
        legend.append((str(key), colour))
    first, last = rows.get_column("day").min(), rows.get_column("day").max()
    assert isinstance(first, date)
    assert isinstance(last, date)
    return Chart("day", unit, lines=tuple(lines), legend=tuple(legend), x_ticks=day_ticks(first, last))


def calendar_chart(seasons: Sequence[Mapping[str, Any]]) -> Chart | None:
    """When in the year genres rise, a bar each, from parts of the year alone; None without one."""
    mine = [row for row in seasons if row["season"] == "year"]
    if not mine:
        return None
    genres = sorted({str(row["genre"]) for row in mine}, reverse=True)
    bars = []
    for row in mine:
        first, last = (_day_of_year(str(row[end])) for end in ("first", "last"))
        parts = [(first, last + 1)] if first <= last else [(first, 366), (0, last + 1)]
        height = genres.index(str(row["genre"]))
        bars += [Bar(begin, end, height - 0.35, height + 0.35, COLOURS[0]) for begin, end in parts]
    starts: Ticks = tuple(
        (float(date(_LEAP_YEAR, month, 1).timetuple().tm_yday - 1), f"{date(_LEAP_YEAR, month, 1):%b}")
        for month in range(1, 13)
    )
    frame = (Line(((0.0, -0.5), (366.0, -0.5)), _GREY),)
    names = tuple((float(place), genre) for place, genre in enumerate(genres))
    return Chart(
        "",
        "",
        bars=tuple(bars),
        lines=frame,
        x_ticks=starts,
        y_ticks=names,
        y_range=(-0.5, len(genres) - 0.5),
        left=_WIDE,
    )


def _day_of_year(text: str) -> float:
    """Of a day such as `1 December`."""
    return float(datetime.strptime(f"{text} {_LEAP_YEAR}", "%d %B %Y").timetuple().tm_yday - 1)
