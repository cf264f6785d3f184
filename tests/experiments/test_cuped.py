"""CUPED against least squares by statsmodels; it never widens, and its intervals cover."""

from __future__ import annotations

import numpy as np
import pytest
import statsmodels.api as sm

from pozytywka_spark.experiments.analysis.cuped import NONE, Moments, adjustment, corrected
from pozytywka_spark.experiments.analysis.proportions import compare, sample


def moments(x: np.ndarray, y: np.ndarray) -> Moments:
    return Moments(float(len(y)), float(y.sum()), x.sum(0), x.T @ y, x.T @ x)


def drawn_groups(
    drawn: np.random.Generator, sizes: tuple[int, int], strength: float, effect: float, columns: int = 3
) -> list[tuple[np.ndarray, np.ndarray]]:
    """Covariates and outcomes of treatment and control; the first covariate works with `strength`."""
    groups = []
    for size, added in zip(sizes, (effect, 0.0), strict=True):
        x = drawn.gamma(2, 1, (size, columns))
        chance = np.clip(0.15 + strength * (x[:, 0] - 2) + added, 0.001, 0.999)
        groups.append((x, (drawn.random(size) < chance).astype(float)))
    return groups


def test_the_correction_is_the_coefficient_of_least_squares() -> None:
    (xt, yt), (xc, yc) = drawn_groups(np.random.default_rng(1), (900, 2100), 0.06, 0.03)
    found = adjustment([moments(xt, yt)], [moments(xc, yc)], np.array([1.0]))
    design = np.column_stack([np.repeat([1.0, 0.0], [900, 2100]), np.ones(3000), np.vstack([xt, xc])])
    fit = sm.OLS(np.concatenate([yt, yc]), design).fit()
    assert yt.mean() - yc.mean() - found.shift == pytest.approx(fit.params[0], abs=1e-10)
    robust = fit.get_robustcov_results("HC1").bse[0]
    plain = np.sqrt(yt.var() / 900 + yc.var() / 2100)
    assert found.width == pytest.approx(robust / plain, rel=0.01)
    assert found.width < 0.98


@pytest.mark.thorough
def test_it_never_widens_and_covers_whether_the_past_tells_or_not() -> None:
    """500 experiments each: a telling past, a mute one, and six mute covariates of few users."""
    drawn = np.random.default_rng(2)
    for strength, sizes, columns in ((0.06, (400, 1600), 3), (0.0, (400, 1600), 3), (0.0, (100, 200), 6)):
        widths, covered = [], []
        for _ in range(500):
            (xt, yt), (xc, yc) = drawn_groups(drawn, sizes, strength, 0.03, columns)
            found = adjustment([moments(xt, yt)], [moments(xc, yc)], np.array([1.0]))
            plain = compare(sample(yt.sum(), len(yt)), sample(yc.sum(), len(yc)), 0.05)
            _, low, high = corrected(float(plain.difference), float(plain.low), float(plain.high), found)
            widths.append((high - low) / float(plain.high - plain.low))
            covered.append(low <= 0.03 <= high)
        assert max(widths) <= 1.02
        assert 0.93 <= np.mean(covered) <= 0.97
        if strength:
            assert np.mean(widths) < 0.99


def test_strata_are_corrected_within_themselves() -> None:
    """Covariates differ between strata of other shares: that difference must not be taken off."""
    drawn = np.random.default_rng(3)
    strata = []
    for level, sizes in ((0.0, (300, 1200)), (5.0, (1200, 300))):
        strata.append([(x + level, y) for x, y in drawn_groups(drawn, sizes, 0.02, 0.0)])
    treated, control = ([moments(*stratum[place]) for stratum in strata] for place in (0, 1))
    found = adjustment(treated, control, np.array([0.5, 0.5]))
    assert abs(found.shift) < 0.02
    assert 0 < found.width < 1


def test_without_covariates_users_or_buyers_nothing_changes() -> None:
    empty = moments(np.zeros((50, 0)), np.zeros(50))
    assert adjustment([empty], [empty], np.array([1.0])) == NONE
    x = np.random.default_rng(4).random((50, 2))
    mute, lonely = moments(x, np.zeros(50)), moments(x[:1], np.ones(1))
    assert adjustment([mute], [mute], np.array([1.0])) == NONE
    assert adjustment([lonely], [mute], np.array([1.0])) == NONE
    constant = moments(np.ones((50, 2)), np.tile([0.0, 1.0], 25))
    assert adjustment([constant], [constant], np.array([1.0])).shift == pytest.approx(0.0)
