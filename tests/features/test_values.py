"""Arithmetic of measures: what it computes, how it is stated, what it needs."""

from __future__ import annotations

from collections.abc import Callable

import polars as pl
import pytest

from pozytywka_spark.errors import UsageError
from pozytywka_spark.features.declared.values import Formula, Measure, Value

PLAYS, SKIPS, LIKES = (
    Measure(name=name, aggregate=pl.len, arithmetic=f"count of {name}")
    for name in ("plays", "skips", "likes")
)
ROWS = pl.DataFrame(
    {
        "plays": [8, 0, None, 4],
        "skips": [2, 3, 1, None],
        "likes": [3, 1, 1, 1],
        "plays_over_3": [16, 3, 0, 4],
        "skips_over_3": [4, 3, 1, 6],
    }
)


@pytest.mark.parametrize(
    ("value", "stated", "made"),
    [
        (PLAYS, "plays", [8, 0, None, 4]),
        (PLAYS + SKIPS, "plays + skips", [10, 3, None, None]),
        (PLAYS - 1, "plays - 1", [7, -1, None, 3]),
        (PLAYS * 2.5, "plays * 2.5", [20.0, 0.0, None, 10.0]),
        (SKIPS / PLAYS, "skips / plays", [0.25, None, None, None]),
        (PLAYS / 16, "plays / 16", [0.5, 0.0, None, 0.25]),
        (SKIPS / PLAYS / 2, "skips / plays / 2", [0.125, None, None, None]),
        (SKIPS / (PLAYS - 4), "skips / (plays - 4)", [0.5, -0.75, None, None]),
        (SKIPS / (PLAYS / LIKES), "skips / (plays / likes)", [0.75, None, None, None]),
        ((PLAYS + LIKES) * SKIPS, "(plays + likes) * skips", [22, 3, None, None]),
        (PLAYS + LIKES * SKIPS, "plays + likes * skips", [14, 3, None, None]),
        (PLAYS - (LIKES - SKIPS), "plays - (likes - skips)", [7, 2, None, None]),
        (PLAYS - LIKES - SKIPS, "plays - likes - skips", [3, -4, None, None]),
        (SKIPS.over(3) / PLAYS.over(3), "skips_over_3 / plays_over_3", [0.25, 1.0, None, 1.5]),
        (PLAYS * 3 / PLAYS.over(3), "plays * 3 / plays_over_3", [1.5, 0.0, None, 3.0]),
        (PLAYS * 3_600_000_000, "plays * 3600000000", [28_800_000_000, 0, None, 14_400_000_000]),
    ],
    ids=lambda each: each if isinstance(each, str) else "",
)
def test_it_is_computed_and_stated_alike(value: Value, stated: str, made: list[float | None]) -> None:
    formula = value.as_formula()
    assert formula.arithmetic == stated
    assert ROWS.select(formula.expression().alias("made"))["made"].to_list() == made


def test_it_needs_each_measure_once_in_order_of_use_and_one_span() -> None:
    assert (SKIPS / (PLAYS + SKIPS)).measures == (SKIPS, PLAYS)
    assert (SKIPS / PLAYS).months == 1
    assert (PLAYS * 3 / PLAYS.over(3)).months == (PLAYS.over(3) / PLAYS).months == 3


def test_two_spans_in_one_value_are_refused() -> None:
    with pytest.raises(UsageError) as error:
        PLAYS.over(3) / PLAYS.over(6)
    assert str(error.value) == (
        "plays_over_3 and plays_over_6 look over 3 and 6 months; one feature looks over one span"
    )


@pytest.mark.parametrize("nothing", [0, 0.0])
def test_nothing_is_divided_by_zero(nothing: float) -> None:
    with pytest.raises(UsageError, match="plays / 0: there is nothing to divide by"):
        PLAYS / nothing


def test_a_formula_written_out_is_one_term_in_others() -> None:
    def expression() -> pl.Expr:
        return PLAYS.column().clip(lower_bound=5)

    most = Formula(arithmetic="max(plays, 5)", measures=(PLAYS,), expression=expression)
    made: Callable[[], pl.Expr] = (SKIPS / most).expression
    assert (SKIPS / most).arithmetic == "skips / max(plays, 5)"
    assert ROWS.select(made().alias("made"))["made"].to_list() == [0.25, 0.6, None, None]
