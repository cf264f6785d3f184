"""Charts as SVG: what stands where, read from the text by an XML parser."""

from __future__ import annotations

import re
import subprocess
import sys
from datetime import date
from xml.etree import ElementTree as ET

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pozytywka_spark.reports.charts import Bar, Chart, Line, day_ticks, draw, round_ticks
from pozytywka_spark.reports.page import Page

SVG = "{http://www.w3.org/2000/svg}"


def bars_of(svg: str, colour: str) -> list[tuple[float, float]]:
    """Width and height of each bar of a colour."""
    paths = [e.get("d", "") for e in ET.fromstring(svg).iter(f"{SVG}path") if e.get("fill") == colour]
    corners = re.findall(r"M(\S+) (\S+)V(\S+)H(\S+)V\S+z", "".join(paths))
    return [(float(right) - float(left), float(low) - float(high)) for left, low, high, right in corners]


def words_of(svg: str) -> list[str]:
    return [element.text or "" for element in ET.fromstring(svg).iter(f"{SVG}text")]


def test_bars_are_as_wide_and_high_as_their_numbers() -> None:
    bars = (Bar(0, 1, 0, 50, "#111"), Bar(1, 3, 0, 100, "#111"), Bar(3, 4, 25, 75, "#222"))
    svg = draw([Chart("x & y", "rows", bars=bars, legend=(("<kept>", "#111"),), rules=((2, "start"),))])
    (one, low), (two, high) = bars_of(svg, "#111")
    ((_, middle),) = bars_of(svg, "#222")
    assert two == pytest.approx(2 * one, abs=0.2)
    assert high == pytest.approx(2 * low, abs=0.2)
    assert middle == pytest.approx(low, abs=0.2)
    assert {"x & y", "rows", "<kept>", "start", "0", "100"} <= set(words_of(svg))


def test_equal_factors_are_equal_heights_on_a_logarithmic_axis() -> None:
    line = Line(((0, 10), (1, 100), (2, 1000)), "#111", dots=True)
    svg = draw([Chart("x", "y", lines=(line,), logarithmic=True)])
    heights = [float(dot.get("cy", "")) for dot in ET.fromstring(svg).iter(f"{SVG}circle")]
    assert heights[0] - heights[1] == pytest.approx(heights[1] - heights[2], abs=0.2)
    assert {"10", "100", "1,000"} <= set(words_of(svg))


def test_steps_hold_their_height_until_the_next_point() -> None:
    svg = draw([Chart("x", "y", lines=(Line(((0, 1), (5, 3), (9, 2)), "#123", steps=True),))])
    path = next(e.get("d", "") for e in ET.fromstring(svg).iter(f"{SVG}path") if e.get("stroke") == "#123")
    assert re.fullmatch(r"M\S+ \S+(H\S+V\S+){2}".replace(r"\S", r"[\d.]"), path)


def test_charts_stand_beside_each_other_and_an_empty_one_leaves_its_place() -> None:
    one = Chart("x", "y", bars=(Bar(0, 1, 0, 1, "#111"),))
    svg = draw([one, Chart("x", "y"), one], columns=2, width=600, height=200)
    places = [group.get("transform") for group in ET.fromstring(svg).iter(f"{SVG}g")]
    assert places == ["translate(0 0)", "translate(300 0)", "translate(0 200)"]
    assert ET.fromstring(svg).get("height") == "400"


@given(st.floats(-1e9, 1e9), st.floats(1e-6, 1e9))
def test_round_ticks_are_few_and_within(low: float, width: float) -> None:
    high = low + width
    ticks = [place for place, _ in round_ticks(low, high)]
    slack = width * 1e-3 + abs(low) * 1e-9
    assert len(ticks) <= 9
    assert all(low - slack <= tick <= high + slack for tick in ticks)


@pytest.mark.thorough
@given(st.dates(date(1970, 1, 1), date(2200, 1, 1)), st.dates(date(1970, 1, 1), date(2200, 1, 1)))
def test_days_have_some_ticks_within(one: date, other: date) -> None:
    first, last = min(one, other), max(one, other)
    places = [place for place, _ in day_ticks(first, last)]
    assert 1 <= len(places) <= 9
    assert first.toordinal() <= places[0] <= places[-1] <= last.toordinal()


def test_a_page_of_charts_loads_no_plotting_library() -> None:
    code = (
        "import sys, pozytywka_spark.ingest.quality.page; from pozytywka_spark.reports.page import Page\n"
        "sys.exit('matplotlib' in sys.modules)"
    )
    subprocess.run([sys.executable, "-c", code], check=True)


def test_charts_stand_in_the_page_the_same_bytes_each_time() -> None:
    def made() -> str:
        page = Page("t")
        chart = Chart("x", "y", bars=(Bar(0, 1, 0, 1, "#111"),))
        page.section("s").charts([chart], alt="what <it> shows", caption="a caption")
        return page.render()

    assert made() == made()
    assert 'alt="what &lt;it&gt; shows" src="data:image/svg+xml;base64,' in made()
    assert "<figcaption>a caption</figcaption>" in made()
