"""A matrix as squares of colour."""

from __future__ import annotations

import re
from xml.etree import ElementTree as ET

import numpy as np

from pozytywka_spark.reports.heat_map import heat_map

SVG = "{http://www.w3.org/2000/svg}"


def test_each_square_has_its_colour_and_place() -> None:
    nan = float("nan")
    values = np.array([[1.0, 1.0, -1.0], [0.0, nan, 0.5], [-1.0, 0.001, 1.0]])
    root = ET.fromstring(heat_map(["a", "b & c", "<d>"], values))
    squares = {}
    for path in root.iter(f"{SVG}path"):
        for x, y, width in re.findall(r"M(\d+) (\d+)h(\d+)", path.get("d", "")):
            for column in range(int(x) // 9, (int(x) + int(width)) // 9):
                squares[int(y) // 9, column] = path.get("fill")
    blue, white, red, grey = "#2563a8", "#ffffff", "#b42318", "#e1e5ec"
    assert squares == {
        (0, 0): blue, (0, 1): blue, (0, 2): red,
        (1, 0): white, (1, 1): grey, (1, 2): "#92b1d4",
        (2, 0): red, (2, 1): white, (2, 2): blue,
    }  # fmt: skip
    words = [element.text for element in root.iter(f"{SVG}text")]
    assert words[:6] == ["a", "b & c", "<d>"] * 2
    assert {"1", "0", "-1"} <= set(words[6:])
