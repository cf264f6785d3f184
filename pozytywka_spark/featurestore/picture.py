"""A picture of what is made from what: boxes in columns, lines from the left to the right, as SVG text."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from html import escape

_WIDTH, _HEIGHT = 168, 40  # of a box
_GAP_X, _GAP_Y, _TOP = 56, 14, 34
_INK, _SOFT, _LINE = "#1d2433", "#5b6577", "#9aa5b8"
_LETTERS = 24  # of 12 pixels that fit into a box
Line = tuple[str, str]
_Place = tuple[str, int]  # a box, or the way of its lines through a later column: its name, the column


@dataclass(frozen=True)
class Box:
    """A thing: its name, which is its own, a title and a line about it; `colour` is that of its edge."""

    name: str
    title: str
    about: str = ""
    colour: str = "#2563a8"


def draw_columns(columns: Mapping[str, Sequence[Box]], lines: Sequence[Line]) -> str:
    """Boxes by the heading of their column, and lines between boxes by their names, each to a later column.

    Lines that follow from others are left out, and so are those whose ends aren't both there. The same boxes
    give the same text.
    """
    column_of = {box.name: number for number, boxes in enumerate(columns.values()) for box in boxes}
    drawn = direct([line for line in lines if line[0] in column_of and line[1] in column_of])
    steps = _steps(drawn, column_of)
    order = _order([[(box.name, n) for box in boxes] for n, boxes in enumerate(columns.values())], steps)
    tallest = max(map(len, order), default=0)
    tops = {
        place: _TOP + (row + (tallest - len(places)) / 2) * (_HEIGHT + _GAP_Y)
        for places in order
        for row, place in enumerate(places)
    }
    width = len(columns) * (_WIDTH + _GAP_X) - _GAP_X + 2
    height = _TOP + tallest * (_HEIGHT + _GAP_Y) + _GAP_Y
    parts = [_curve(start, end, tops, column_of) for start, end in steps]
    for number, (heading, boxes) in enumerate(columns.items()):
        parts.append(_text(_left(number) + _WIDTH / 2, 18, heading, _SOFT, "12"))
        parts += [_box(box, _left(number), tops[box.name, number]) for box in boxes]
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" width="{width}" height="{height}" '
        f'viewBox="0 0 {width} {height}" font-family="sans-serif" text-anchor="middle">'
        f'<rect width="100%" height="100%" fill="#fff"/>{"".join(parts)}</svg>'
    )


def direct(lines: Sequence[Line]) -> list[Line]:
    """Those that don't follow from others: no way but the line itself leads from its start to its end.

    >>> direct([("a", "b"), ("b", "c"), ("a", "c")])
    [('a', 'b'), ('b', 'c')]
    """
    following: dict[str, list[str]] = defaultdict(list)
    for start, end in dict.fromkeys(lines):
        following[start].append(end)
    return [
        (start, end)
        for start, ends in following.items()
        for end in ends
        if not any(other != end and _leads(other, end, following) for other in ends)
    ]


def _leads(start: str, end: str, following: Mapping[str, Sequence[str]]) -> bool:
    ends = following.get(start, ())
    return end in ends or any(_leads(each, end, following) for each in ends)


def _steps(lines: Sequence[Line], column_of: Mapping[str, int]) -> list[tuple[_Place, _Place]]:
    """Each line from column to column; those of one box share their way."""
    steps: dict[tuple[_Place, _Place], None] = {}
    for start, end in lines:
        way = [(start, number) for number in range(column_of[start], column_of[end])]
        for one, next_one in zip(way, [*way[1:], (end, column_of[end])], strict=True):
            steps[one, next_one] = None
    return list(steps)


def _order(columns: Sequence[Sequence[_Place]], steps: Sequence[tuple[_Place, _Place]]) -> list[list[_Place]]:
    """Places of each column from the top down: near those that lead to them, so that few lines cross."""
    leading: dict[_Place, list[_Place]] = defaultdict(list)
    for start, end in steps:
        leading[end].append(start)
    rows: dict[_Place, float] = {}
    ordered: list[list[_Place]] = []
    for number, boxes in enumerate(columns):
        passing = [end for end in leading if end[1] == number and end not in boxes]
        places = [*boxes, *passing]
        middle = (len(places) - 1) / 2
        wanted = {place: _mean([rows[each] for each in leading[place]], middle) for place in places}
        places.sort(key=wanted.__getitem__)
        rows.update({place: row - (len(places) - 1) / 2 for row, place in enumerate(places)})
        ordered.append(places)
    return ordered


def _mean(numbers: Sequence[float], otherwise: float) -> float:
    return sum(numbers) / len(numbers) if numbers else otherwise


def _left(column: int) -> float:
    return 1 + column * (_WIDTH + _GAP_X)


def _curve(start: _Place, end: _Place, tops: Mapping[_Place, float], column_of: Mapping[str, int]) -> str:
    """To the next column; where it passes through that it goes straight on, as wide as a box is."""
    x, y = _left(start[1]) + _WIDTH, tops[start] + _HEIGHT / 2
    to_x, to_y = _left(end[1]), tops[end] + _HEIGHT / 2
    middle = (x + to_x) / 2
    path = f"M{x:.1f} {y:.1f}C{middle:.1f} {y:.1f} {middle:.1f} {to_y:.1f} {to_x:.1f} {to_y:.1f}"
    if column_of[end[0]] != end[1]:
        path += f"h{_WIDTH}"
    return f'<path d="{path}" fill="none" stroke="{_LINE}"/>'


def _box(box: Box, left: float, top: float) -> str:
    middle = left + _WIDTH / 2
    title_at = top + (17 if box.about else 25)
    return (
        f'<rect x="{left:.1f}" y="{top:.1f}" width="{_WIDTH}" height="{_HEIGHT}" rx="5" '
        f'fill="#f6f8fb" stroke="{box.colour}"/>'
        + _text(middle, title_at, _short(box.title), _INK, "12")
        + (_text(middle, top + 32, _short(box.about), _SOFT, "10.5") if box.about else "")
    )


def _short(text: str) -> str:
    return text if len(text) <= _LETTERS else f"{text[: _LETTERS - 1]}…"


def _text(x: float, y: float, text: str, colour: str, size: str) -> str:
    return f'<text x="{x:.1f}" y="{y:.1f}" fill="{colour}" font-size="{size}">{escape(text)}</text>'
