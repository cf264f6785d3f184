"""Sums of a month that leave 64 bits, or nearly."""

from __future__ import annotations

import polars as pl
import pytest

from pozytywka_spark.errors import DataError
from pozytywka_spark.features.build.month_kernel import measure_month
from pozytywka_spark.features.build.plan import Named
from tests.features.build.made_month import SECOND, measured
from tests.worlds.month_world import MARCH, bought, catalogue, counted, dimensions, events, plan


@pytest.mark.parametrize("length", [2**62, 2**62 - 1])
def test_a_sum_that_leaves_64_bits_is_refused_by_user_and_month(length: int) -> None:
    tables = catalogue()
    tables["tracks"] = tables["tracks"].with_columns(duration_ms=pl.Series([length, length, None]))
    text = """
    1 2023-03-05 10:00:00 P 11 t1
    7 2023-03-05 10:00:00 P 71 t1
    7 2023-03-05 10:00:10 P 71 t2
    """
    only = plan(Named("duration_ms_total", pl.col("duration_ms").sum(), "event"), counted("plays", 3))
    if length == 2**62:
        with pytest.raises(DataError, match="duration_ms leaves 64 bits for user 7 in 2023-03"):
            measure_month(events(text), bought(), dimensions(tables), only, MARCH)
    else:
        found = measure_month(events(text), bought(), dimensions(tables), only, MARCH)
        assert measured(found, "duration_ms_total") == [(1, length), (7, 2 * length)]


def test_a_sum_of_negative_numbers_is_guarded_too() -> None:
    tables = catalogue()
    tables["tracks"] = tables["tracks"].with_columns(duration_ms=pl.Series([-(2**62) - 1] * 3))
    text = "7 2023-03-05 10:00:00 P 71 t1\n7 2023-03-05 10:00:10 P 71 t2"
    only = plan(Named("duration_ms_total", pl.col("duration_ms").sum(), "event"))
    with pytest.raises(DataError, match="user 7"):
        measure_month(events(text), bought(), dimensions(tables), only, MARCH)


def test_what_is_made_in_128_bits_must_fit_64() -> None:
    wide = pl.col("kind").cast(pl.Int128).sum() * 2**61
    only = plan(counted("plays", 3), Named("wide", wide, "event"))
    text = "6 2023-03-05 10:00:00 P 61 t1\n7 2023-03-05 10:00:00 L 71 t1"
    with pytest.raises(DataError, match="wide leaves 64 bits for user 7 in 2023-03"):
        measure_month(events(text), bought(), dimensions(), only, MARCH)


def test_an_expression_that_fails_by_itself_says_so() -> None:
    only = plan(Named("text", (pl.col("kind").cast(pl.String) + " many").first(), "event"))
    with pytest.raises(pl.exceptions.InvalidOperationError, match="many"):
        measure_month(events("6 2023-03-05 10:00:00 P 61 t1"), bought(), dimensions(), only, MARCH)


def test_a_duration_beyond_any_month_lasts_until_the_cut_off() -> None:
    tables = catalogue()
    tables["tracks"] = tables["tracks"].with_columns(duration_ms=pl.Series([2**61, None, None]))
    text = "7 2023-03-31 23:59:00 P 71 t1"
    only = plan(Named("listened_us", pl.col("listened").sum(), "gap"))
    found = measure_month(events(text), bought(), dimensions(tables), only, MARCH)
    assert measured(found, "listened_us") == [(7, 60 * SECOND)]
