"""Shares compared once: published examples, scipy, coverage by simulation, strata."""

from __future__ import annotations

import numpy as np
import pytest
from scipy.stats import chi2_contingency
from statsmodels.stats.proportion import proportions_ztest

from pozytywka_spark.experiments.analysis.proportions import adjusted, compare, sample, standardised


@pytest.mark.parametrize(
    ("counts", "low", "high"),
    [  # Newcombe 1998, table II, method 10
        ((56, 70, 48, 80), 0.0524, 0.3339),
        ((9, 10, 3, 10), 0.1705, 0.8090),
        ((10, 10, 0, 20), 0.6791, 1.0),
        ((5, 56, 0, 29), -0.0381, 0.1926),
    ],
)
def test_the_examples_that_newcombe_published(counts: tuple[int, ...], low: float, high: float) -> None:
    found = compare(sample(counts[0], counts[1]), sample(counts[2], counts[3]), 0.05)
    assert (float(found.low), float(found.high)) == pytest.approx((low, high), abs=5e-5)


def test_p_values_are_those_of_scipy_and_statsmodels() -> None:
    found = compare(sample([56, 301, 12], [70, 4000, 300]), sample([48, 250, 3], [80, 4100, 310]), 0.05)
    for place, (t, n, c, m) in enumerate([(56, 70, 48, 80), (301, 4000, 250, 4100), (12, 300, 3, 310)]):
        by_scipy = chi2_contingency([[t, n - t], [c, m - c]], correction=False).pvalue
        assert found.p_value[place] == pytest.approx(by_scipy, rel=1e-9)
        assert found.p_value[place] == pytest.approx(proportions_ztest([t, c], [n, m])[1], rel=1e-9)
        assert found.lift[place] == pytest.approx((t / n) / (c / m) - 1)
        assert found.lift_low[place] < found.lift[place] < found.lift_high[place]


def test_what_spotify_confidence_says_of_the_same_counts() -> None:
    """Recorded from spotify-confidence 4.1.0 (ChiSquared), which would bring 40 packages along."""
    found = compare(sample(301, 4000), sample(250, 4100), 0.05)
    assert float(found.difference) == pytest.approx(0.014274390243902438, rel=1e-12)
    assert float(found.p_value) == pytest.approx(0.010743056834331022, rel=1e-9)
    # theirs is Wald's interval, which Newcombe's approaches with many users
    interval = (float(found.low), float(found.high))
    assert interval == pytest.approx((0.003298220251776302, 0.025250560236028573), abs=1e-4)


def test_nobody_bought_and_nobody_there() -> None:
    found = compare(sample([0, 3, 0], [50, 50, 0]), sample([0, 0, 0], [60, 60, 60]), 0.05)
    assert found.p_value[0] == 1.0
    assert found.low[0] < 0 < found.high[0]
    assert np.isnan(found.lift[1])
    assert np.isfinite([found.lift_low[1], found.lift_high[1]]).all()
    assert np.isnan(found.difference[2])


@pytest.mark.parametrize(
    ("n_t", "n_c", "p_t", "p_c"),
    [
        (10_000, 10_000, 0.06, 0.05),
        (2_000, 8_000, 0.02, 0.015),
        (500, 500, 0.3, 0.22),
        (300, 1200, 0.05, 0.05),
    ],
)
def test_intervals_cover_the_true_effect(n_t: int, n_c: int, p_t: float, p_c: float) -> None:
    """93 to 97% of 4,000 experiments with a known effect, for the difference and for the lift."""
    drawn = np.random.default_rng(11)
    found = compare(
        sample(drawn.binomial(n_t, p_t, 4000), np.full(4000, n_t)),
        sample(drawn.binomial(n_c, p_c, 4000), np.full(4000, n_c)),
        0.05,
    )
    assert 0.93 <= np.mean((found.low <= p_t - p_c) & (p_t - p_c <= found.high)) <= 0.97
    lift = p_t / p_c - 1
    assert 0.93 <= np.mean((found.lift_low <= lift) & (lift <= found.lift_high)) <= 0.97
    if p_t == p_c:
        assert np.mean(found.p_value < 0.05) <= 0.06


def test_one_stratum_is_left_as_it_is() -> None:
    found = standardised(np.array([[30.0, 0.0]]), np.array([[400.0, 500.0]]), np.array([[1.0, 1.0]]))
    np.testing.assert_allclose(found.count, [30, 0])
    np.testing.assert_allclose(found.users, [400, 500])


def test_strata_of_other_shares_do_not_pass_for_an_effect() -> None:
    """Newcomers buy less and are treated more often: pooled, that looks like harm; standardised, it isn't."""
    drawn = np.random.default_rng(5)
    users = {"t": np.array([[1000.0], [4000.0]]), "c": np.array([[4000.0], [1000.0]])}
    weight, share = np.array([[0.5], [0.5]]), np.array([[0.20], [0.05]])
    bought = {
        name: drawn.binomial(n.astype(int), share, (3000, 2, 1)).astype(float) for name, n in users.items()
    }
    groups = [standardised(bought[name], users[name], weight) for name in ("t", "c")]
    found = compare(groups[0], groups[1], 0.05)
    assert 0.93 <= np.mean((found.low <= 0) & (found.high >= 0)) <= 0.97
    pooled = compare(*(sample(bought[name].sum(1), users[name].sum()) for name in ("t", "c")), 0.05)
    assert np.mean(pooled.high < 0) > 0.99


@pytest.mark.thorough
def test_holm_is_what_statsmodels_says_and_leaves_gaps_out() -> None:
    found = adjusted([0.01, float("nan"), 0.04, 0.03], 0.05, "holm")
    assert found[0] == pytest.approx(0.03)
    assert found[2:] == pytest.approx([0.06, 0.06])
    assert np.isnan(found[1])
    assert adjusted([], 0.05, "holm") == []
