"""The sequential reading: false alarms with a look every month, coverage at all looks, and what it reads."""

from __future__ import annotations

import numpy as np
import pytest
from statsmodels.duration.survfunc import SurvfuncRight

from pozytywka_spark.experiments.analysis.proportions import compare, sample
from pozytywka_spark.experiments.analysis.sequential import (
    AtRisk,
    Band,
    expected_variance,
    mixture_width,
    read,
)

ALPHA, EXPERIMENTS = 0.05, 2000


def cohort(drawn: np.random.Generator, users: int, hazard: np.ndarray) -> AtRisk:
    """Experiments × one stratum × months of a group that all enters at the start."""
    left, free, bought = np.full(EXPERIMENTS, users), [], []
    for chance in hazard:
        free.append(left)
        bought.append(drawn.binomial(left, chance))
        left = left - bought[-1]
    return AtRisk(*(np.stack(values, -1)[:, None, :].astype(float) for values in (free, bought)))


def reading(treated: AtRisk, control: AtRisk, share: float = 0.1) -> Band:
    users = (treated.free[0, :, 0].sum(), control.free[0, :, 0].sum())
    return read(treated, control, ALPHA, mixture_width(expected_variance(*users, share), ALPHA))


@pytest.mark.parametrize(
    ("n_t", "n_c", "hazard", "months"),
    [(5000, 5000, 0.02, 24), (1000, 4000, 0.01, 24), (2000, 18000, 0.002, 36), (300, 300, 0.2, 12),
     (200, 800, 0.01, 36)],
)  # fmt: skip
def test_looking_every_month_raises_at_most_five_false_alarms_in_a_hundred(
    n_t: int, n_c: int, hazard: float, months: int
) -> None:
    """2,000 experiments without any effect; the same looks with plain intervals cry wolf far oftener."""
    drawn = np.random.default_rng(7)
    chances = np.full(months, hazard)
    treated, control = cohort(drawn, n_t, chances), cohort(drawn, n_c, chances)
    band = reading(treated, control)
    alarms = ((band.low > 0) | (band.high < 0)).any(-1)
    assert alarms.mean() <= ALPHA
    np.testing.assert_array_equal(alarms, band.p_value[:, -1] < ALPHA)
    users = (np.full((EXPERIMENTS, months), size) for size in (n_t, n_c))
    counts = (np.cumsum(group.bought[:, 0], -1) for group in (treated, control))
    plain = compare(*(sample(count, size) for count, size in zip(counts, users, strict=True)), ALPHA)
    assert ((plain.low > 0) | (plain.high < 0)).any(-1).mean() > 0.15


@pytest.mark.parametrize(("lift", "users"), [(1.4, 5000), (0.5, 2000), (1.1, 20_000)])
def test_the_band_covers_the_true_difference_at_every_look_at_once(lift: float, users: int) -> None:
    drawn = np.random.default_rng(8)
    hazard = np.linspace(0.02, 0.01, 12)
    band = reading(cohort(drawn, users, hazard * lift), cohort(drawn, 2 * users, hazard))
    truth = np.cumprod(1 - hazard) - np.cumprod(1 - hazard * lift)
    assert ((band.low <= truth) & (truth <= band.high)).all(-1).mean() >= 0.95
    found = (band.low > 0) if lift > 1 else (band.high < 0)
    assert found[:, -1].mean() > (0.95 if lift != 1.1 else 0.2)


def test_users_who_enter_later_and_under_other_shares_are_compared_among_themselves() -> None:
    """Two strata: the second enters in month 4, treated four times as often, and buys far less."""
    drawn = np.random.default_rng(9)
    early = np.full(12, 0.03)
    late = np.array([0.0] * 4 + [0.005] * 8)
    groups = []
    for first, second in ((1000, 4000), (4000, 1000)):
        strata = [cohort(drawn, first, early), cohort(drawn, second, late)]
        strata[1].free[:, :, :4] = 0
        groups.append(
            AtRisk(*(np.concatenate([getattr(s, name) for s in strata], 1) for name in ("free", "bought")))
        )
    band = reading(*groups)
    assert ((band.low > 0) | (band.high < 0)).any(-1).mean() <= ALPHA
    merged = [AtRisk(g.free.sum(1, keepdims=True), g.bought.sum(1, keepdims=True)) for g in groups]
    misled = reading(*merged)
    assert (misled.high < 0).any(-1).mean() > 0.99


def test_of_one_cohort_it_is_the_plain_difference_and_kaplan_meier_the_free_share() -> None:
    drawn = np.random.default_rng(3)
    hazard = np.full(6, 0.05)
    treated, control = cohort(drawn, 400, hazard), cohort(drawn, 700, hazard)
    found = reading(treated, control).difference[0]
    shares = [np.cumsum(group.bought[0, 0]) / size for group, size in ((treated, 400), (control, 700))]
    np.testing.assert_allclose(found, shares[0] - shares[1], atol=1e-12)
    twice = [AtRisk(np.repeat(g.free, 2, axis=1), np.repeat(g.bought, 2, axis=1)) for g in (treated, control)]
    np.testing.assert_allclose(reading(*twice).difference[0], found, atol=1e-12)  # two equal strata
    month = np.repeat(
        np.arange(1, 8), [*treated.bought[0, 0].astype(int), 400 - int(treated.bought[0, 0].sum())]
    )
    survival = SurvfuncRight(month, month < 7)
    np.testing.assert_allclose(1 - survival.surv_prob, shares[0], atol=1e-12)


def test_no_purchase_in_a_month_and_nobody_left_are_readable() -> None:
    group = AtRisk(np.array([[10.0, 10.0, 0.0]]), np.array([[0.0, 10.0, 0.0]]))
    other = AtRisk(np.array([[12.0, 12.0, 12.0]]), np.zeros((1, 3)))
    band = read(group, other, ALPHA, mixture_width(expected_variance(10, 12, 0.1), ALPHA))
    for values in (band.difference, band.low, band.high, band.p_value):
        assert np.isfinite(values).all()
    assert (band.low <= band.difference).all()
    assert band.p_value[0] == 1.0
