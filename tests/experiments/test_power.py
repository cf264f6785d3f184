"""Power beforehand: statsmodels' own answer, and experiments drawn at the effect it names."""

from __future__ import annotations

import math

import numpy as np
import pytest
from statsmodels.stats.power import NormalIndPower
from statsmodels.stats.proportion import proportion_effectsize

from pozytywka_spark.experiments.analysis.plan import row_of
from pozytywka_spark.experiments.analysis.power import sequential_alpha, smallest_effect, users_needed
from pozytywka_spark.experiments.analysis.proportions import compare, sample


@pytest.mark.parametrize(
    ("baseline", "n_t", "n_c"), [(0.05, 5000, 5000), (0.02, 2000, 8000), (0.3, 400, 400)]
)
def test_the_effect_it_names_is_found_as_often_as_it_says(baseline: float, n_t: int, n_c: int) -> None:
    effect = smallest_effect(baseline, n_t, n_c, 0.05, 0.8)
    size = proportion_effectsize(baseline + effect, baseline)
    assert NormalIndPower().power(size, n_t, 0.05, ratio=n_c / n_t) == pytest.approx(0.8, abs=1e-3)
    drawn = np.random.default_rng(6)
    found = compare(
        sample(drawn.binomial(n_t, baseline + effect, 4000), np.full(4000, n_t)),
        sample(drawn.binomial(n_c, baseline, 4000), np.full(4000, n_c)),
        0.05,
    )
    assert np.mean(found.p_value < 0.05) == pytest.approx(0.8, abs=0.05)


def test_users_needed_and_smallest_effect_undo_each_other() -> None:
    effect = smallest_effect(0.04, 3000, 7000, 0.05, 0.8)
    assert users_needed(0.04, effect, 0.3, 0.05, 0.8) == pytest.approx(10_000, rel=1e-3)


def test_what_cannot_be_found_is_said() -> None:
    assert math.isnan(smallest_effect(0.0, 100, 100, 0.05, 0.8))
    assert math.isnan(smallest_effect(0.05, 1, 100, 0.05, 0.8))
    assert math.isnan(smallest_effect(0.9, 5, 5, 0.05, 0.8))
    assert math.isnan(users_needed(0.6, 0.6, 0.5, 0.05, 0.8))
    row = row_of(3, 0.0, 10, 40, 0.05, 0.8, 10.0)
    assert row["one look"] is None
    assert row["users +10%"] is None


def test_looking_at_any_time_costs_and_is_as_strict_as_the_band_at_its_tightest() -> None:
    assert 0.001 < sequential_alpha(0.05) < 0.01
    row = row_of(3, 0.05, 1000, 4000, 0.05, 0.8, None)
    assert float(row["any look"]) > float(row["one look"]) > 0
    assert float(row["lift"]) == pytest.approx(float(row["one look"]) / 0.05, rel=0.01)
