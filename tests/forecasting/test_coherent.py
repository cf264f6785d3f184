"""Means that add up: against projections made by hand, with troubles of the library's."""

from __future__ import annotations

import time

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pozytywka_spark.forecasting.coherent import incoherence, reconciled, summing
from pozytywka_spark.forecasting.one_bucket import forecast_bucket
from pozytywka_spark.forecasting.spec import Spec
from tests.forecasting.frames import daily, weekly_rhythm

SOON = 1e9  # a deadline that lies ahead of any monotonic clock
NO_ERRORS = np.full((3, 1), np.nan)
TWO = np.array([[1.0, 1.0], [1.0, 0.0], [0.0, 1.0]])


def test_names_say_what_adds_up() -> None:
    sums = summing(["p|A|1", "p|A|all", "p|B|1", "p|all|1", "p|all|all", "p|B|all", "p|A|2", "p|all|2"])
    assert sums is not None
    order, matrix = sums
    assert order == ["p|all|all", "p|A|all", "p|all|1", "p|B|all", "p|all|2", "p|A|1", "p|A|2", "p|B|1"]
    assert matrix.tolist() == [
        [1, 1, 1], [1, 1, 0], [1, 0, 1], [0, 0, 1], [0, 1, 0], [1, 0, 0], [0, 1, 0], [0, 0, 1]
    ]  # fmt: skip
    assert summing(["p|A|all", "p|B|all"]) is None


def test_the_nearest_means_that_add_up() -> None:
    """The total has twice a part's variance: of the 4 that are missing, it gives up half, each part a
    quarter.
    """
    adding, late = reconciled(np.array([[10.0], [8.0], [6.0]]), TWO, NO_ERRORS, np.zeros(3), SOON)
    assert adding == pytest.approx(np.array([[12.0], [7.0], [5.0]]))
    assert late == 0


def test_who_errs_less_moves_less() -> None:
    errors = np.repeat(np.array([[0.01], [3.0], [3.0]]), 400, axis=1)
    adding, _ = reconciled(np.array([[10.0], [8.0], [6.0]]), TWO, errors, np.zeros(3), SOON)
    assert adding[0, 0] == pytest.approx(10.0, abs=0.01)


def test_nothing_goes_below_zero_but_where_it_may() -> None:
    base = np.array([[1.0], [0.0], [9.0]])
    adding, late = reconciled(base, TWO, NO_ERRORS, np.zeros(3), SOON)
    assert (adding >= 0).all()
    assert adding[0, 0] == pytest.approx(adding[1, 0] + adding[2, 0])
    assert late == 0
    free, _ = reconciled(base, TWO, NO_ERRORS, np.full(3, -np.inf), SOON)
    assert free[1, 0] < 0


def test_without_time_means_are_added_from_the_bottom_and_that_is_counted() -> None:
    base = np.array([[1.0, 3.0], [0.0, 1.0], [9.0, 2.0]])
    adding, late = reconciled(base, TWO, NO_ERRORS, np.zeros(3), time.monotonic() - 1)
    assert adding.tolist() == [[9.0, 3.0], [0.0, 1.0], [9.0, 2.0]]
    assert late > 0


@settings(max_examples=60, deadline=None)
@given(
    st.integers(1, 4), st.integers(1, 4), st.integers(0, 2**32 - 1), st.sampled_from([0.0, 1.0, 1e-9, 1e12])
)
def test_any_hierarchy_adds_up_and_is_never_negative(
    cities: int, groups: int, seed: int, size: float
) -> None:
    leaves = [f"m|{city}|{group}" for city in range(cities) for group in range(groups)]
    names = {
        *leaves,
        "m|all|all",
        *(f"m|{c}|all" for c in range(cities)),
        *(f"m|all|{g}" for g in range(groups)),
    }
    sums = summing(sorted(names))
    assert sums is not None
    order, matrix = sums
    draws = np.random.default_rng(seed)
    base = np.maximum(draws.normal(0.3, 1, (len(order), 3)), 0) * size
    errors = draws.normal(0, 1, (len(order), 6)) * size
    adding, _ = reconciled(base, matrix, errors, np.zeros(len(order)), SOON)
    assert (adding >= 0).all()
    assert incoherence(dict(zip(order, adding, strict=True))) < 1e-9


def hierarchy(days: int = 90) -> dict[str, np.ndarray]:
    leaves = {
        f"plays|{city}|all": np.round(weekly_rhythm(days, 40.0 * (at + 1), 0.1, at))
        for at, city in enumerate("AB")
    }
    nothing = {"plays|C|all": np.zeros(days)}
    return {**leaves, **nothing, "plays|all|all": sum(leaves.values(), np.zeros(days))}


def test_a_bucket_adds_up_zeros_and_all_and_its_errors_are_those_of_what_adds_up() -> None:
    made = forecast_bucket(daily(hierarchy()), Spec(horizon=14, origins=2, models=("theta",)), coherent=True)
    means = {
        key[0]: rows["mean"].to_numpy()
        for key, rows in made.forecasts.partition_by("series", as_dict=True).items()
    }
    assert incoherence(means) < 1e-6
    assert made.failures.is_empty()
    errors = made.errors.filter(model="combined").pivot("series", index=["origin", "ahead"], values="mean")
    parts = errors["plays|A|all"] + errors["plays|B|all"] + errors["plays|C|all"]
    assert parts.to_numpy() == pytest.approx(errors["plays|all|all"].to_numpy())


def test_sums_that_are_none_are_left_alone_and_noted() -> None:
    series = hierarchy()
    series["plays|all|all"] = series["plays|all|all"] + 50
    made = forecast_bucket(daily(series), Spec(horizon=7, origins=2, models=()), coherent=True)
    assert made.failures.rows() == [
        ("plays|all|all", "coherence", "left as they are: plays|all|all isn't the sum of its parts")
    ]
