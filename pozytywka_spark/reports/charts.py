"""Small charts as SVG text: bars, lines and steps on plain axes, drawn in milliseconds.

For pages that every run writes: loading and running a plotting library takes seconds, these a moment.

svg = draw([Chart("tempo", "tracks", bars=(Bar(100, 110, 0, 42, "#2563a8"),))])
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import date
from html import escape

_LEFT, _RIGHT, _TOP, _BOTTOM = 70, 30, 28, 46  # margins around the plot, in pixels
_INK, _SOFT, _GRID = "#1d2433", "#5b6577", "#e1e5ec"
_TICKS = 8  # at most, on an axis

Scale = Callable[[float], float]
Ticks = tuple[tuple[float, str], ...]


@dataclass(frozen=True)
class Bar:
    """A rectangle in the axes' units."""

    left: float
    right: float
    low: float
    high: float
    colour: str


@dataclass(frozen=True)
class Line:
    """Points joined, as steps if `steps` (each height holds until the next point), with dots if `dots`."""

    points: tuple[tuple[float, float], ...]
    colour: str
    steps: bool = False
    dots: bool = False


@dataclass(frozen=True)
class Dot:
    """A point in the axes' units."""

    x: float
    y: float
    colour: str
    size: float = 3.0  # radius in pixels
    hollow: bool = False


@dataclass(frozen=True)
class Band:
    """What lies between two heights (x, low, high), lightly coloured."""

    points: tuple[tuple[float, float, float], ...]
    colour: str


@dataclass(frozen=True)
class Chart:
    """What stands on one pair of axes, which reach as far as it does; the vertical one from zero.

    `rules` are vertical lines with a word each, `legend` words and their colours. Without `x_ticks` or
    `y_ticks` an axis has round numbers. `logarithmic` (vertical) leaves out what isn't above zero. `y_range`:
    the vertical axis reaches from here to there. `left`: pixels for the words beside it. `title`: above.
    """

    x_label: str
    y_label: str
    bars: tuple[Bar, ...] = ()
    lines: tuple[Line, ...] = ()
    rules: Ticks = ()
    legend: tuple[tuple[str, str], ...] = ()
    x_ticks: Ticks | None = None
    logarithmic: bool = False
    dots: tuple[Dot, ...] = ()
    bands: tuple[Band, ...] = ()
    y_ticks: Ticks | None = None
    y_range: tuple[float, float] | None = None
    left: int = _LEFT
    title: str = ""


def draw(charts: Sequence[Chart], *, columns: int = 1, width: int = 960, height: int = 320) -> str:
    """Charts beside each other in rows of `columns`; `width` of all, `height` of a row, in pixels."""
    each = width / columns
    rows = -(-len(charts) // columns)
    parts = [
        f'<g transform="translate({place % columns * each:.0f} {place // columns * height})">'
        f"{_chart(chart, each, height)}</g>"
        for place, chart in enumerate(charts)
    ]
    size = f'width="{width}" height="{rows * height}" viewBox="0 0 {width} {rows * height}"'
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" {size} font-family="sans-serif" font-size="12">'
        f'<rect width="100%" height="100%" fill="#fff"/>{"".join(parts)}</svg>'
    )


def day_ticks(first: date, last: date) -> Ticks:
    """Ticks of an axis of days (`date.toordinal`): weeks of a short time, months of a longer one."""
    days = (last - first).days
    if days <= _TICKS * 7:
        shown = [date.fromordinal(first.toordinal() + n) for n in range(0, days + 1, 7)]
        return tuple((day.toordinal(), f"{day:%d %b %Y}") for day in shown)
    months = (last.year - first.year) * 12 + last.month - first.month
    step = next(
        step
        for step in (1, 2, 3, 6, 12, 24, 60, 120, 240, 600, 1200, 6000, 24_000)
        if months // step < _TICKS
    )
    begin = first.year * 12 + first.month - 1
    begin += first.day > 1
    begin += -begin % step
    shown = [date(n // 12, n % 12 + 1, 1) for n in range(begin, last.year * 12 + last.month, step)]
    return tuple((day.toordinal(), f"{day:%Y-%m}") for day in shown)


def round_ticks(low: float, high: float, most: int = _TICKS) -> Ticks:
    """Round numbers (1, 2 or 5 times a power of ten apart) within bounds, at most one more than `most`."""
    rough = (high - low or 1.0) / most
    power = 10.0 ** math.floor(math.log10(rough))
    step = next(factor * power for factor in (1, 2, 5, 10) if factor * power >= rough * (1 - 1e-9))
    numbers = range(math.ceil(low / step - 1e-9), math.floor(high / step + 1e-9) + 1)
    return tuple((number * step, f"{round(number * step, 10):,.10g}") for number in numbers)


def _chart(chart: Chart, width: float, height: float) -> str:
    xs = [x for bar in chart.bars for x in (bar.left, bar.right)]
    xs += [x for line in chart.lines for x, _ in line.points] + [x for x, _ in chart.rules]
    ys = [y for bar in chart.bars for y in (bar.low, bar.high)]
    ys += [y for line in chart.lines for _, y in line.points]
    xs += [dot.x for dot in chart.dots] + [x for band in chart.bands for x, _, _ in band.points]
    ys += [dot.y for dot in chart.dots] + [
        y for band in chart.bands for _, *both in band.points for y in both
    ]
    if not xs or not ys:
        return ""
    left, right, bottom = chart.left, width - _RIGHT, height - _BOTTOM
    x_at = _linear(min(xs), max(xs), left, right)
    if chart.y_range is None:
        y_at, y_ticks = _vertical(ys, bottom, logarithmic=chart.logarithmic)
    else:
        y_at, y_ticks = _linear(*chart.y_range, bottom, _TOP), round_ticks(*chart.y_range)
    y_ticks = y_ticks if chart.y_ticks is None else chart.y_ticks
    x_ticks = round_ticks(min(xs), max(xs)) if chart.x_ticks is None else chart.x_ticks
    return "".join(
        [
            *(_path(f"M{left} {y_at(y):.1f}H{right:.1f}", _GRID) for y, _ in y_ticks),
            *(_band(band, x_at, y_at) for band in chart.bands),
            *_bars(chart.bars, x_at, y_at),
            *(_line(line, x_at, y_at) for line in chart.lines),
            *(_dot(dot, x_at, y_at) for dot in chart.dots),
            *(_rule(x_at(x), bottom, word) for x, word in chart.rules),
            _path(f"M{left} {_TOP}V{bottom:.1f}H{right:.1f}", _INK),
            *(_text(x_at(x), bottom + 16, word, "middle") for x, word in x_ticks),
            *(_path(f"M{x_at(x):.1f} {bottom:.1f}v4", _INK) for x, _ in x_ticks),
            *(_text(left - 6, y_at(y) + 4, word, "end") for y, word in y_ticks),
            _text((left + right) / 2, height - 8, chart.x_label, "middle"),
            _upright(14, (_TOP + bottom) / 2, chart.y_label),
            *_legend(chart.legend),
            *([_text((left + right) / 2, 16, chart.title, "middle")] if chart.title else []),
        ]
    )


def _linear(low: float, high: float, begin: float, end: float) -> Scale:
    span = high - low or 1.0
    return lambda value: begin + (value - low) / span * (end - begin)


def _vertical(ys: Sequence[float], bottom: float, *, logarithmic: bool) -> tuple[Scale, Ticks]:
    if not logarithmic:
        low, high = min(0.0, *ys), max(0.0, *ys)
        return _linear(low, high, bottom, _TOP), round_ticks(low, high)
    above = [math.log10(y) for y in ys if y > 0] or [0.0]
    low, high = math.floor(min(above)), math.ceil(max(above))
    scale = _linear(low, max(high, low + 1), bottom, _TOP)
    ticks = tuple((10.0**n, f"{10.0**n:,.10g}") for n in range(low, max(high, low + 1) + 1))
    return lambda value: scale(math.log10(value)), ticks


def _bars(bars: Sequence[Bar], x_at: Scale, y_at: Scale) -> list[str]:
    """One path for each colour: a bar a day of many years is a long text otherwise."""
    paths: dict[str, list[str]] = {}
    for bar in bars:
        left, right, low, high = x_at(bar.left), x_at(bar.right), y_at(bar.low), y_at(bar.high)
        paths.setdefault(bar.colour, []).append(f"M{left:.1f} {low:.1f}V{high:.1f}H{right:.1f}V{low:.1f}z")
    return [f'<path d="{"".join(path)}" fill="{colour}"/>' for colour, path in paths.items()]


def _line(line: Line, x_at: Scale, y_at: Scale) -> str:
    points = [(x_at(x), y_at(y)) for x, y in line.points]
    joined = [f"M{points[0][0]:.1f} {points[0][1]:.1f}"]
    joined += [f"H{x:.1f}V{y:.1f}" if line.steps else f"L{x:.1f} {y:.1f}" for x, y in points[1:]]
    dots = "".join(f'<circle cx="{x:.1f}" cy="{y:.1f}" r="3" fill="{line.colour}"/>' for x, y in points)
    return _path("".join(joined), line.colour, 'stroke-width="1.5"') + (dots if line.dots else "")


def _band(band: Band, x_at: Scale, y_at: Scale) -> str:
    there = [f"{x_at(x):.1f} {y_at(high):.1f}" for x, _, high in band.points]
    back = [f"{x_at(x):.1f} {y_at(low):.1f}" for x, low, _ in reversed(band.points)]
    return f'<path d="M{"L".join([*there, *back])}z" fill="{band.colour}" fill-opacity="0.15"/>'


def _dot(dot: Dot, x_at: Scale, y_at: Scale) -> str:
    colours = f'fill="none" stroke="{dot.colour}"' if dot.hollow else f'fill="{dot.colour}"'
    return f'<circle cx="{x_at(dot.x):.1f}" cy="{y_at(dot.y):.1f}" r="{dot.size:g}" {colours}/>'


def _rule(x: float, bottom: float, word: str) -> str:
    return _path(f"M{x:.1f} {_TOP}V{bottom:.1f}", _INK, 'stroke-dasharray="4 3"') + _text(
        x + 4, _TOP + 8, word
    )


def _legend(legend: Sequence[tuple[str, str]]) -> list[str]:
    """Words in a row above the plot."""
    parts, x = [], float(_LEFT)
    for word, colour in legend:
        parts.append(f'<rect x="{x:.0f}" y="6" width="12" height="12" fill="{colour}"/>')
        parts.append(_text(x + 17, 16, word))
        x += 40 + 8 * len(word)
    return parts


def _path(path: str, colour: str, more: str = "") -> str:
    return f'<path d="{path}" fill="none" stroke="{colour}" {more}/>'


def _text(x: float, y: float, word: str, anchor: str = "start") -> str:
    return f'<text x="{x:.1f}" y="{y:.1f}" text-anchor="{anchor}" fill="{_SOFT}">{escape(word)}</text>'


def _upright(x: float, y: float, word: str) -> str:
    turned = f'transform="translate({x:.1f} {y:.1f}) rotate(-90)" text-anchor="middle" fill="{_SOFT}"'
    return f"<text {turned}>{escape(word)}</text>"
