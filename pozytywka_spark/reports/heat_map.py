"""A matrix of numbers from -1 to 1 as SVG text: a coloured square each, with the names of rows and columns.

svg = heat_map(["plays", "skips"], np.array([[1.0, 0.8], [0.8, 1.0]]))
"""

from __future__ import annotations

from collections.abc import Sequence
from html import escape
from itertools import groupby

import numpy as np
import numpy.typing as npt

_SIDE, _FONT = 9, 8  # of a square, of its names, in pixels
_WORD = 0.56 * _FONT  # about as wide is a letter
_STEPS = 20  # shades on each side of white
_RED, _WHITE, _BLUE, _NOTHING = (180, 35, 24), (255, 255, 255), (37, 99, 168), "#e1e5ec"
_INK = "#1d2433"


def heat_map(names: Sequence[str], values: npt.NDArray[np.float64]) -> str:
    """Red for -1, white for 0, blue for 1, grey for what is no number; the names stand left and below."""
    margin = 12 + round(max(map(len, names), default=0) * _WORD)
    side = len(names) * _SIDE
    width, height = margin + side + 60, side + margin
    rows = [_text(margin - 4, place * _SIDE + _FONT, name, "end") for place, name in enumerate(names)]
    columns = [
        f'<text transform="translate({margin + place * _SIDE + _FONT - 1} {side + 4}) rotate(-90)" '
        f'text-anchor="end" fill="{_INK}">{escape(name)}</text>'
        for place, name in enumerate(names)
    ]
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" width="{width}" height="{height}" '
        f'viewBox="0 0 {width} {height}" font-family="sans-serif" font-size="{_FONT}">'
        f'<rect width="100%" height="100%" fill="#fff"/><g transform="translate({margin} 0)">'
        f"{''.join(_squares(values))}</g>{''.join(rows)}{''.join(columns)}{_scale(margin + side + 12)}</svg>"
    )


def _squares(values: npt.NDArray[np.float64]) -> list[str]:
    """One path for each colour, neighbours of one colour in a row as one: there are thousands of squares."""
    shades = np.where(np.isnan(values), _STEPS + 1, np.rint(np.clip(values, -1, 1) * _STEPS)).astype(int)
    paths: dict[int, list[str]] = {}
    for row, line in enumerate(shades.tolist()):
        column = 0
        for shade, run in groupby(line):
            long = len(list(run))
            step = f"M{column * _SIDE} {row * _SIDE}h{long * _SIDE}v{_SIDE}h{-long * _SIDE}z"
            paths.setdefault(shade, []).append(step)
            column += long
    return [f'<path d="{"".join(path)}" fill="{_colour(shade)}"/>' for shade, path in sorted(paths.items())]


def _colour(shade: int) -> str:
    if shade > _STEPS:
        return _NOTHING
    end, share = (_BLUE if shade > 0 else _RED), abs(shade) / _STEPS
    mixed = (round(white + (full - white) * share) for white, full in zip(_WHITE, end, strict=True))
    return "#{:02x}{:02x}{:02x}".format(*mixed)


def _scale(left: int) -> str:
    """What the colours mean, from 1 at the top."""
    bars = [
        f'<rect x="{left}" y="{10 + (_STEPS - shade) * 4}" width="12" height="4" fill="{_colour(shade)}"/>'
        for shade in range(-_STEPS, _STEPS + 1)
    ]
    words = [
        _text(left + 16, 10 + (_STEPS - value * _STEPS) * 4 + 5, f"{value:g}")
        for value in (1, 0.5, 0, -0.5, -1)
    ]
    return "".join([*bars, *words])


def _text(x: float, y: float, word: str, anchor: str = "start") -> str:
    return f'<text x="{x:g}" y="{y:g}" text-anchor="{anchor}" fill="{_INK}">{escape(word)}</text>'
