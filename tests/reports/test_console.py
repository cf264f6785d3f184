import re
import subprocess
import sys

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pozytywka_spark.features.page.catalogue_page import catalogue_rows
from pozytywka_spark.reports.console import table_lines

ROWS = [
    {"what": "rows", "n": 1_234_567, "rate": 0.5, "note": None, "ok": True},
    {"what": "[bold] and [0, 1)", "n": 1, "rate": 0.25, "note": "a\nb", "ok": False},
]


def test_a_table_that_fits_stands_as_it_is() -> None:
    assert table_lines("counts", ROWS, 80) == [
        "counts",
        "what                       n    rate  note  ok",
        "rows               1,234,567  0.5000  –     yes",
        "[bold] and [0, 1)          1  0.2500  a     no",
        "                                      b",
    ]


def test_keys_may_stand_in_another_order() -> None:
    assert table_lines("t", [{"a": 1, "b": "x"}, {"b": "y", "a": 2}], 80) == ["t", "a  b", "1  x", "2  y"]
    assert table_lines("t", [{"a": 1, "b": "x" * 9}, {"b": "y", "a": 2}], 10)[-2:] == ["a  2", "b  y"]


def test_long_texts_are_wrapped_at_blanks() -> None:
    rows = [{"feature": "skip_rate", "meaning": "skips per play of the month, by anyone", "n": 5}]
    assert table_lines("t", rows, 45) == [
        "t",
        "feature    meaning                          n",
        "skip_rate  skips per play of the month, by  5",
        "           anyone",
    ]


def test_what_fits_in_no_table_is_shown_as_records() -> None:
    assert table_lines("t", ROWS, 30) == [
        "t",
        "",
        "what  rows",
        "n     1,234,567",
        "rate  0.5000",
        "note  –",
        "ok    yes",
        "",
        "what  [bold] and [0, 1)",
        "n     1",
        "rate  0.2500",
        "note  a",
        "      b",
        "ok    no",
    ]


@pytest.mark.thorough
@given(
    st.lists(
        st.fixed_dictionaries({f"column_{n}": st.text("ab[]/ ", max_size=90) for n in range(4)}), min_size=1
    ),
    st.integers(10, 200),
)
def test_nothing_is_ever_cut(rows: list[dict[str, str]], width: int) -> None:
    """Without blanks, for lines may break at them: every value's characters are there."""
    shown = "".join(table_lines("", rows, width))
    for character in "ab[]/":
        assert shown.count(character) >= sum(v.count(character) for row in rows for v in row.values())


@pytest.mark.thorough
@pytest.mark.parametrize("width", [60, 100, 180])
def test_the_catalogue_is_whole_at_any_width(width: int) -> None:
    rows = catalogue_rows()
    shown = "\n".join(table_lines("features", rows, width))
    assert "…" not in shown
    words = set(re.findall(r"\S+", shown))
    for row in rows:
        for value in row.values():
            assert set(str(value).split()) <= words


def test_without_a_terminal_no_line_is_cut() -> None:
    """As in a log or a pipe: through the very function that all jobs use."""
    table = "show_table('t', [{'text': 'x' * 500, 'other': 'y' * 300}])"
    program = f"from pozytywka_spark.cli import show_table; {table}"
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)
    assert "x" * 500 in done.stdout
    assert "y" * 300 in done.stdout
