"""Contributions looked up in tables: beside Shapley's sum over all coalitions, and beside XGBoost."""

import itertools
import json
from math import factorial
from typing import Any

import numpy as np
import pytest
import xgboost

from pozytywka_spark.models import booster as boosters
from pozytywka_spark.models import tree_shap

WIDTH = 5


def grown(depth: int, trees: int = 12, rows: int = 600, **parameters: Any) -> xgboost.Booster:
    """Trees of rows in which a third of one feature is missing and others repeat their values."""
    drawn = np.random.default_rng(3)
    matrix = matrix_of(rows)
    label = (
        np.nan_to_num(matrix[:, 0]) + matrix[:, 1] * matrix[:, 2] + drawn.normal(size=rows) > 0.5
    ).astype(float)
    data = xgboost.DMatrix(matrix, label, nthread=1)
    asked = {"max_depth": depth, "objective": "binary:logistic", "nthread": 1, "subsample": 0.8}
    return xgboost.train({**asked, **parameters}, data, trees)


def matrix_of(rows: int, seed: int = 5) -> np.ndarray:
    drawn = np.random.default_rng(seed)
    matrix = drawn.normal(size=(rows, WIDTH)).astype(np.float32)
    matrix[drawn.random(rows) < 0.3, 0] = np.nan
    matrix[:, 3] = np.round(matrix[:, 3])
    return matrix


def worth(tree: dict[str, Any], row: np.ndarray, known: set[int], node: int = 0) -> float:
    """The tree's mean over the rows that it was grown on, given the known features' values."""
    left, right = tree["left_children"][node], tree["right_children"][node]
    if left < 0:
        return float(np.float32(tree["split_conditions"][node]))
    feature = tree["split_indices"][node]
    if feature in known:
        value = row[feature]
        to_left = (
            tree["default_left"][node]
            if np.isnan(value)
            else value < np.float32(tree["split_conditions"][node])
        )
        return worth(tree, row, known, left if to_left else right)
    cover = np.array(tree["sum_hessian"], np.float32).astype(float)
    return float(sum(cover[child] / cover[node] * worth(tree, row, known, child) for child in (left, right)))


def by_coalitions(booster: xgboost.Booster, matrix: np.ndarray) -> np.ndarray:
    """Shapley's definition, all coalitions of features one by one."""
    model = json.loads(bytes(booster.save_raw("json")))["learner"]["gradient_booster"]["model"]
    parts = np.zeros(matrix.shape)
    for place, row in enumerate(matrix):
        for tree, feature in itertools.product(model["trees"], range(WIDTH)):
            others = [other for other in range(WIDTH) if other != feature]
            for size in range(WIDTH):
                weight = factorial(size) * factorial(WIDTH - 1 - size) / factorial(WIDTH)
                for coalition in itertools.combinations(others, size):
                    with_it = worth(tree, row, {*coalition, feature})
                    parts[place, feature] += weight * (with_it - worth(tree, row, {*coalition}))
    return parts


@pytest.mark.parametrize("depth", [1, 3, 5])
def test_contributions_are_shapleys(depth: int) -> None:
    booster = grown(depth, trees=3)
    rows = matrix_of(8, seed=11)
    trees = tree_shap.path_trees(booster)
    assert trees is not None
    np.testing.assert_allclose(tree_shap.contributions(trees, rows), by_coalitions(booster, rows), atol=1e-13)


@pytest.mark.parametrize("depth", [2, 4, 6])
def test_contributions_are_xgboosts(depth: int) -> None:
    booster, rows = grown(depth), matrix_of(700, seed=12)
    expected = booster.predict(xgboost.DMatrix(rows), pred_contribs=True)
    found = boosters.explain(bytes(booster.save_raw("ubj")), rows.astype(np.float64))
    np.testing.assert_allclose(found, expected, atol=3e-6)
    np.testing.assert_allclose(
        found.sum(axis=1), boosters.margins(bytes(booster.save_raw("ubj")), rows), atol=1e-5
    )


def test_a_row_has_the_same_contributions_to_the_last_bit_among_others(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    trees, rows = tree_shap.path_trees(grown(4)), matrix_of(500)
    assert trees is not None
    whole = tree_shap.contributions(trees, rows)
    np.testing.assert_array_equal(tree_shap.contributions(trees, rows[40:50]), whole[40:50])
    monkeypatch.setattr(tree_shap, "_ROWS_AT_ONCE", 7)
    np.testing.assert_array_equal(tree_shap.contributions(trees, rows), whole)


def test_trees_of_one_leaf_give_nothing() -> None:
    booster = grown(3, trees=2, min_child_weight=1e9)
    rows = matrix_of(4)
    assert tree_shap.path_trees(booster) == ()
    found = boosters.explain(bytes(booster.save_raw("ubj")), rows)
    np.testing.assert_allclose(found, booster.predict(xgboost.DMatrix(rows), pred_contribs=True), atol=1e-6)
    assert not found[:, :-1].any()


@pytest.mark.parametrize("parameters", [{"max_depth": 9, "min_child_weight": 0.1}, {"booster": "dart"}])
def test_what_is_not_known_is_left_to_xgboost(parameters: dict[str, Any]) -> None:
    booster, rows = grown(3, rows=3000, **parameters), matrix_of(50)
    assert tree_shap.path_trees(booster) is None
    found = boosters.explain(bytes(booster.save_raw("ubj")), rows)
    np.testing.assert_array_equal(
        found, booster.predict(xgboost.DMatrix(rows), pred_contribs=True).astype(float)
    )
