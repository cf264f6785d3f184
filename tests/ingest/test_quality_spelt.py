"""Values as Spark's cast to text spells them, and tallies that add up; no Spark."""

from __future__ import annotations

from datetime import UTC, datetime

import polars as pl
import pytest
from hypothesis import given
from hypothesis import strategies as st

from pozytywka_spark.ingest.quality.checks import (
    INFO,
    Check,
    Tally,
    add_up,
    as_result,
    column_finding,
    finding_of,
    from_result,
    tally_checks,
    tally_columns,
)
from pozytywka_spark.ingest.quality.spark_text import as_spelt, double_text, time_text
from pozytywka_spark.schemas import USERS
from tests.worlds.quality_worlds import silver_frame

# as Java 17 prints doubles, and Spark 4.2 casts times to text
DOUBLES = [
    (0.0, "0.0"), (1.0, "1.0"), (-60.0, "-60.0"), (218.072, "218.072"), (0.2060129, "0.2060129"),
    (1.9999999999999998e-4, "1.9999999999999998E-4"), (0.001, "0.001"), (9.99e-4, "9.99E-4"),
    (-1e-5, "-1.0E-5"), (9_999_999.5, "9999999.5"), (1e7, "1.0E7"), (123_456_789.25, "1.2345678925E8"),
    (-2.5e20, "-2.5E20"), (1e100, "1.0E100"),
]  # fmt: skip
TIMES = [
    (datetime(2023, 1, 3, 5, 9, 55, tzinfo=UTC), "2023-01-03 05:09:55"),
    (datetime(2023, 1, 3, 5, 14, 2, 707_000, tzinfo=UTC), "2023-01-03 05:14:02.707"),
    (datetime(2023, 1, 3, 5, 14, 20, 1, tzinfo=UTC), "2023-01-03 05:14:20.000001"),
    (datetime(1969, 12, 31, 23, 59, 59, 900_000, tzinfo=UTC), "1969-12-31 23:59:59.9"),
    (datetime(1970, 1, 1, tzinfo=UTC), "1970-01-01 00:00:00"),
]


@pytest.mark.parametrize(("value", "text"), DOUBLES)
def test_doubles_are_spelt_as_java_does(value: float, text: str) -> None:
    assert double_text(value) == text
    assert as_spelt(value, "double") == text


@pytest.mark.parametrize(("time", "text"), TIMES)
def test_times_lose_the_zeros_at_their_end(time: datetime, text: str) -> None:
    micros = round(time.timestamp() * 1_000_000)
    assert time_text(micros) == text
    assert as_spelt(micros, "timestamp") == text


@given(st.floats(allow_nan=False, allow_infinity=False))
def test_a_double_spelt_is_the_same_number(value: float) -> None:
    assert float(double_text(value)) == value


TALLIES = st.builds(
    Tally,
    st.integers(0, 9),
    st.integers(0, 9),
    *(st.one_of(st.none(), st.text("abc", max_size=2)) for _ in "lh"),
)
PARTIALS = st.dictionaries(st.tuples(st.just("users"), st.sampled_from("xyz")), TALLIES)


@pytest.mark.thorough
@given(st.lists(PARTIALS, max_size=4), st.integers(0, 4))
def test_partials_add_up_in_any_grouping(partials: list[dict], place: int) -> None:
    whole = add_up(partials)
    assert add_up([add_up(partials[place:]), add_up(partials[:place])]) == whole
    assert from_result(as_result(whole)) == whole
    assert sum(tally.rows for tally in whole.values()) == sum(
        t.rows for each in partials for t in each.values()
    )


def test_rows_beside_the_table_count_by_weight_only() -> None:
    rows = pl.DataFrame({"user_id": [3, 20, 100, None], "own": [True, False, True, False], "n": [0, 5, 2, 1]})
    checks = [
        Check("users", "any", INFO, "", pl.lit(True)),
        Check("users", "odd", INFO, "", pl.when(pl.col("n") > 0).then(pl.col("n") % 2 == 1)),
        Check("events", "weighed", INFO, "", ~pl.col("own"), weight=pl.col("n")),
    ]
    assert tally_checks(rows, "user_id", checks, pl.col("own")) == {
        ("users", "any"): Tally(2, 2, "100", "3"),
        ("users", "odd"): Tally(0, 2, None, None),
        ("events", "weighed"): Tally(6, 8, "20", "20"),
    }
    assert finding_of(checks[2], Tally(6, 8, "20", "20")).examples == ("20",)


def test_columns_are_told_by_nulls_and_by_bounds_of_what_is_ordered() -> None:
    rows = silver_frame("users", [(7, "Radom", None, None), (101, None, ["a"], True)])
    assert tally_columns(rows, USERS) == {
        ("users", "column user_id"): Tally(0, 2, 7, 101),
        ("users", "column city"): Tally(1, 2),
        ("users", "column favourite_genres"): Tally(1, 2),
        ("users", "column premium_user"): Tally(1, 2),
    }
    told = column_finding("users", "user_id", Tally(0, 2, 7, 101), "bigint")
    assert (told.check, told.meaning) == ("column user_id", "null; values from 7 to 101")
