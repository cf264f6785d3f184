"""Scores and p-values of values beside their forecasts."""

from __future__ import annotations

import numpy as np
import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import stats

from pozytywka_spark.forecasting.surprise import (
    LEAST_UP,
    Spreads,
    level_of,
    p_value,
    scores,
    sigma_of,
    spread_of_scores,
    with_scores,
)


def score(actual: float, mean: float, sigma: float, *, whole: bool = True) -> float:
    return float(scores(*(np.array([each]) for each in (actual, mean, sigma)), whole=whole)[0])


def test_a_count_without_more_variance_is_poisson() -> None:
    for value, mean in ((0, 3.0), (2, 8.0), (40, 55.0)):
        below = stats.poisson.cdf(value, mean)
        assert score(value, mean, 0.0) == pytest.approx(min(stats.norm.ppf(below), 0.0), abs=1e-3)
    for value, mean in ((9, 3.0), (20, 8.0), (4, 0.03)):
        above = stats.poisson.sf(value - 1, mean)
        assert score(value, mean, 0.0) == pytest.approx(-stats.norm.ppf(above), abs=1e-3)


def test_what_comes_in_clumps_may_well_be_nothing() -> None:
    """Revenue of four purchases of 20 is 0 as often as nobody buys; a gamma distribution doesn't know."""
    mean, sigma = 80.0, 20 * 4**0.5
    assert score(0.0, mean, sigma, whole=False) == pytest.approx(stats.norm.ppf(np.exp(-4)), abs=1e-6)
    assert stats.gamma.cdf(1.0, 4, scale=20) < 1e-5
    # sessions of some 22 plays each: without any the chance is that of no session
    plays, sessions = 1100.0, 50
    assert score(0.0, plays, plays / sessions**0.5) == pytest.approx(
        stats.norm.ppf(np.exp(-sessions)), rel=1e-6
    )


def test_scores_of_quiet_days_are_normal() -> None:
    dice = np.random.default_rng(5)
    sessions = dice.poisson(60, 8_000)
    plays = np.array([dice.integers(1, 45, number).sum() for number in sessions])
    of = scores(plays, np.full(8_000, 60 * 22.5), np.full(8_000, plays.std()), whole=True)
    assert np.mean(of < -stats.norm.ppf(0.99)) == pytest.approx(0.01, abs=0.004)
    assert np.mean(of > stats.norm.ppf(0.99)) == pytest.approx(0.01, abs=0.004)


@settings(max_examples=60, deadline=None)
@given(
    st.floats(0, 1e7), st.floats(0, 1e7), st.floats(0, 1e6), st.booleans(), st.floats(0, 1e5)
)  # fmt: skip
def test_scores_are_numbers_that_rise_with_the_value(
    actual: float, mean: float, sigma: float, whole: bool, more: float
) -> None:
    low, high = score(actual, mean, sigma, whole=whole), score(actual + more, mean, sigma, whole=whole)
    assert np.isfinite([low, high]).all()
    assert low <= high + 1e-6


def test_a_series_of_nothing_bears_one_event_and_not_many() -> None:
    assert p_value(score(0.0, 0.0, 0.0), 1.0) > 0.5
    assert p_value(score(1.0, 0.0, 0.0), 1.0) > 0.01
    assert p_value(score(6.0, 0.0, 0.0), 1.0) < 1e-6


def test_sides() -> None:
    assert p_value(-4.0, 1.0) == pytest.approx(2 * stats.norm.sf(4))
    assert p_value(4.0, 1.0) == pytest.approx(2 * stats.norm.sf(4 / LEAST_UP))
    assert p_value(-4.0, 2.0) == p_value(4.0, 2.0) == pytest.approx(2 * stats.norm.sf(2))


def test_a_forecast_that_is_sure_makes_no_alarm_of_a_few_percent() -> None:
    assert p_value(score(95_000.0, 100_000.0, 10.0, whole=False), 1.0) > 0.01
    assert p_value(score(112_000.0, 100_000.0, 10.0, whole=False), 1.0) > 5e-4
    assert p_value(score(80_000.0, 100_000.0, 10.0, whole=False), 1.0) < 1e-8


def test_levels_and_spreads_of_intervals() -> None:
    rows = pl.DataFrame(
        [("all", "all", 0.0), ("Radom", "all", 90.0), ("all", "pop", 116.449), ("Radom", "pop", 200.0)],
        {"city": pl.String, "group_id": pl.String, "high_90": pl.Float64},
        orient="row",
    )
    made = rows.select(level_of().alias("level"), sigma_of(pl.lit(100.0), pl.col("high_90")).alias("sigma"))
    assert made["level"].to_list() == ["total", "city", "group", "both"]
    assert made["sigma"].to_list() == pytest.approx([0, 0, 10, 60.7957], abs=1e-3)


def test_the_backtest_says_how_wide_scores_are() -> None:
    """Intervals half as wide as they should be: scores are twice as wide, in the level where that is so."""
    dice = np.random.default_rng(1)
    values = 1e6 + 1e5 * dice.standard_normal(4000)
    rows = pl.DataFrame({"measure": "plays", "city": "all", "group_id": "all", "actual": values})
    narrow = rows.with_columns(mean=pl.lit(1e6), high_90=pl.lit(1e6 + 1.645 * 5e4))
    fitting = narrow.with_columns(city=pl.lit("Radom"), high_90=pl.lit(1e6 + 1.645 * 1e5))
    spreads = spread_of_scores(with_scores(pl.concat([narrow, fitting])))
    assert spreads.at("total", "plays") == pytest.approx(2, rel=0.05)
    assert spreads.at("city", "plays") == pytest.approx(1, abs=0.05)
    assert (
        spreads.at("both", "plays")
        == Spreads().usual
        == spread_of_scores(with_scores(narrow.clear())).at("city", "likes")
    )
    assert with_scores(narrow.clear()).height == 0
