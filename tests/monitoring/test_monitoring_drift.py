"""Distances against scipy and pandas; what chance gives; the alarm's two conditions."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.spatial.distance import jensenshannon
from scipy.stats import ks_2samp

from pozytywka_spark.config import Monitoring
from pozytywka_spark.monitoring import drift
from pozytywka_spark.monitoring.counts import COARSE, FINE, Counts
from pozytywka_spark.monitoring.drift import Distance, distances_of

PER_TENTH = FINE // COARSE
bins = st.lists(st.integers(0, 40), min_size=FINE, max_size=FINE).filter(any)


def counts(values: np.ndarray, edges: np.ndarray, nulls: int = 0) -> Counts:
    """As Spark counts: a value's bin is the number of edges below it."""
    placed = np.searchsorted(edges, values, side="left")
    return Counts(np.bincount(placed, minlength=FINE).astype(float), float(nulls))


def sample(seed: int, shift: float, rows: int) -> np.ndarray:
    return np.random.default_rng(seed).normal(shift, 1, rows)


@pytest.mark.thorough
@given(bins, bins)
def test_distances_equal_scipy_and_pandas_on_the_same_bins(first: list[int], second: list[int]) -> None:
    reference, month = Counts(np.array(first, float)), Counts(np.array(second, float))
    values = [np.repeat(np.arange(FINE), side) for side in (first, second)]
    assert drift.ks(reference.bins, month.bins) == pytest.approx(ks_2samp(*values).statistic)
    tenths = [
        pd.Series(side // PER_TENTH).value_counts().reindex(range(COARSE), fill_value=0) for side in values
    ]
    assert drift.js(reference.tenths, month.tenths) == pytest.approx(jensenshannon(*tenths, base=2), abs=1e-7)
    table = pd.DataFrame({"p": tenths[0], "q": tenths[1]})
    table = table[table.sum(axis=1) > 0] + 0.5
    table = table / table.sum()
    psi = ((table["q"] - table["p"]) * np.log(table["q"] / table["p"])).sum()
    assert drift.psi(reference.tenths, month.tenths) == pytest.approx(psi)


def test_kolmogorov_smirnov_of_fine_bins_is_within_a_bin_of_the_exact_one() -> None:
    reference, month = sample(1, 0.0, 4000), sample(2, 0.3, 900)
    edges = np.quantile(reference, np.arange(1, FINE) / FINE)
    found = drift.ks(counts(reference, edges).bins, counts(month, edges).bins)
    exact = ks_2samp(reference, month).statistic
    assert exact - 1 / FINE <= found <= exact + 1e-12


@pytest.mark.thorough
def test_chance_alone_passes_the_noise_limit_as_often_as_said() -> None:
    """1,000 pairs of the same distribution: each distance passes its 5% limit in about 5% of them."""
    edges = np.quantile(sample(0, 0.0, 100_000), np.arange(1, FINE) / FINE)
    passed = dict.fromkeys(drift.DISTANCES, 0)
    for seed in range(1000):
        known = [sample(2 * seed + side, 0.0, rows) for side, rows in ((0, 1500), (1, 400))]
        nulls = np.random.default_rng(seed).binomial((1500, 400), 0.1)
        pair = [counts(values, edges, int(n)) for values, n in zip(known, nulls, strict=True)]
        for found in distances_of(*pair, users=1e9, chance=0.05, limits=Monitoring()):
            passed[found.metric] += found.value > found.noise
    assert {name: number for name, number in passed.items() if not 10 <= number <= 75} == {}


def test_a_users_months_count_once() -> None:
    """With 6 rows a user in the reference the noise is that of its users, not of its rows."""
    pair = (Counts(np.full(FINE, 60.0)), Counts(np.full(FINE, 10.0)))
    many, few = (distances_of(*pair, users, 0.01, Monitoring())[0].noise for users in (1e9, 500))
    assert many == pytest.approx((1 / 3000 + 1 / 500) / (1 / 500 + 1 / 500) * few)


@pytest.mark.parametrize(
    ("value", "threshold", "noise", "alert"),
    [
        (0.30, 0.15, 0.10, True),
        (0.12, 0.15, 0.10, False),  # beyond chance, but small
        (0.30, 0.15, 0.40, False),  # large, but so few users that chance gives it
        (0.15, 0.15, 0.10, False),  # at the limit is not beyond it
        (None, 0.15, 0.10, False),  # nothing known
    ],
)
def test_an_alarm_is_beyond_threshold_and_chance(
    value: float | None, threshold: float, noise: float, alert: bool
) -> None:
    assert Distance("psi", value, threshold, noise).alert is alert


def test_a_month_without_values_has_no_distance_but_a_null_rate() -> None:
    found = distances_of(Counts(np.full(FINE, 20.0)), Counts(np.zeros(FINE), 300.0), 1000, 0.01, Monitoring())
    assert [(each.metric, each.value) for each in found] == [
        ("psi", None), ("ks", None), ("js", None), ("null_rate", 1.0),
    ]  # fmt: skip
    assert [each.alert for each in found] == [False, False, False, True]
