"""ECOD beside PyOD's, and what must hold of scores."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from pyod.models.ecod import ECOD

from pozytywka_spark.fraud.cases.ecod import reference_of, scores


def made(seed: int, rows: int, columns: int) -> np.ndarray:
    rng = np.random.default_rng(seed)
    values = rng.normal(size=(rows, columns)) ** rng.integers(1, 4, columns)
    return np.where(rng.random(columns) < 0.5, np.round(values), values)


@pytest.mark.thorough
@pytest.mark.parametrize("seed", range(8))
@pytest.mark.parametrize(("rows", "columns"), [(2, 1), (50, 4), (3000, 20)])
def test_equal_to_pyods(seed: int, rows: int, columns: int) -> None:
    values = made(seed, rows, columns)
    theirs = ECOD().fit(values).decision_scores_
    np.testing.assert_allclose(scores(values, reference_of(values)), theirs, rtol=0, atol=1e-12)


@pytest.mark.thorough
def test_a_column_of_one_value_tells_nothing() -> None:
    values = made(1, 100, 3)
    alike = np.column_stack([values, np.full(100, 0.1)])
    np.testing.assert_allclose(
        scores(alike, reference_of(alike)), ECOD().fit(alike).decision_scores_, atol=1e-12
    )
    np.testing.assert_allclose(scores(alike, reference_of(alike)), scores(values, reference_of(values)))


def test_a_column_without_skewness_counts_both_tails() -> None:
    values = np.column_stack([np.arange(-10.0, 11.0), made(3, 21, 1)[:, 0]])
    np.testing.assert_allclose(scores(values, reference_of(values)), ECOD().fit(values).decision_scores_)


def test_what_is_not_known_counts_as_the_middle() -> None:
    values = made(2, 101, 3)
    filled = values.copy()
    values[7, 1] = np.nan
    filled[7, 1] = np.nanmedian(values[:, 1])
    np.testing.assert_allclose(scores(values, reference_of(values)), scores(filled, reference_of(filled)))


def test_a_column_that_is_never_known() -> None:
    values = made(2, 40, 2)
    nothing = np.column_stack([values, np.full(40, np.nan)])
    np.testing.assert_allclose(scores(nothing, reference_of(nothing)), scores(values, reference_of(values)))


@given(st.integers(0, 1000))
@settings(max_examples=30, deadline=None)
def test_rows_are_scored_alone_as_together(seed: int) -> None:
    values = made(seed, 60, 3)
    reference = reference_of(values)
    together = scores(values, reference)
    for row in (0, 31, 59):
        assert scores(values[row : row + 1], reference)[0] == together[row]


def test_beyond_the_reference_counts_as_its_farthest() -> None:
    values = np.arange(100.0)[:, None]
    reference = reference_of(values)
    beyond, farthest = scores(np.array([[1e9], [99.0]]), reference)
    assert beyond == farthest == scores(values, reference).max()
