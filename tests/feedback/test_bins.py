"""Counts by bins: cuts, AUC and bounds, against the same from the single values."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.stats import binomtest
from sklearn.linear_model import LogisticRegression
from sklearn.metrics import roc_auc_score

from pozytywka_spark.feedback.bins import (
    BINS,
    FEWEST,
    STEPS,
    Cut,
    bin_of,
    chance_at,
    lowest_cut,
    precision_bounds,
    roc_auc,
)
from pozytywka_spark.feedback.calibration import Sigmoid, careful_cut, sigmoid_of


def counted(places: list[int]) -> np.ndarray:
    return np.bincount(np.array(places, dtype=np.int64), minlength=BINS)


@given(st.lists(st.tuples(st.integers(0, 40), st.booleans()), max_size=300), st.sampled_from([0.5, 0.9]))
def test_the_lowest_cut_is_the_lowest(texts: list[tuple[int, bool]], precision: float) -> None:
    places = [place for place, _ in texts]
    right = [place for place, fine in texts if fine]
    wanted = None
    for least in sorted(set(places), reverse=True):
        above = [fine for place, fine in texts if place >= least]
        wrong = above.count(False)
        allowed = max((1 - precision) * (len(above) + 1) - 1, 0)
        if wrong <= allowed + 1e-9 and len(above) >= FEWEST:
            wanted = Cut(least, len(above), len(above) - wrong)
    assert lowest_cut(counted(places), counted(right), precision) == wanted


def test_by_so_few_texts_no_cut_is_made_even_if_all_are_right() -> None:
    assert lowest_cut(counted([7] * 19), counted([7] * 19), 0.95) is None
    assert lowest_cut(counted([7] * 20), counted([7] * 20), 0.95) == Cut(7, 20, 20)
    assert lowest_cut(counted([7] * 20), counted([7] * 19), 0.95) is None
    assert lowest_cut(counted([7] * 39), counted([7] * 38), 0.95) == Cut(7, 39, 38)
    assert lowest_cut(counted([]), counted([]), 0.95) is None


@pytest.mark.thorough
@given(
    st.lists(st.integers(0, 9), min_size=1, max_size=50), st.lists(st.integers(0, 9), min_size=1, max_size=50)
)
def test_auc_is_that_of_the_single_values(first: list[int], second: list[int]) -> None:
    wanted = roc_auc_score([0] * len(first) + [1] * len(second), first + second)
    assert roc_auc(counted(first), counted(second)) == pytest.approx(wanted)


def test_auc_needs_both() -> None:
    assert roc_auc(counted([]), counted([1])) is None


@given(st.lists(st.floats(0, 1), min_size=1))
def test_a_chance_lies_in_its_bin(chances: list[float]) -> None:
    for place, chance in zip(bin_of(np.array(chances)), chances, strict=True):
        assert chance_at(int(place)) <= chance + 1e-9 or place == 0
        assert chance < chance_at(int(place) + 1) + 1e-9 or place == BINS - 1


@pytest.mark.parametrize(("right", "texts"), [(0, 5), (5, 5), (97, 100), (299, 300)])
def test_bounds_are_clopper_and_pearsons(right: int, texts: int) -> None:
    wanted = binomtest(right, texts).proportion_ci(0.95, "exact")
    assert precision_bounds(right, texts) == pytest.approx((wanted.low, wanted.high))


def _at(log_odds: np.ndarray) -> list[int]:
    return (np.floor(log_odds * STEPS) + BINS // 2).astype(int).tolist()


def test_a_sigmoid_is_that_of_a_regression_on_targets_less_than_certain() -> None:
    drawn = np.random.default_rng(2)
    first, second = drawn.normal(-3.0, 1.0, 900), drawn.normal(-0.5, 1.0, 60)
    found = sigmoid_of(counted(_at(first)), counted(_at(second)))
    log_odds = np.concatenate([first, second])
    target = np.repeat([1 / 902, 61 / 62], [900, 60])
    # either class of each text, by how much of the target is its
    rows, classes = np.tile(log_odds, 2)[:, None], np.repeat([0, 1], 960)
    wanted = LogisticRegression(C=1e9, tol=1e-8).fit(rows, classes, np.concatenate([1 - target, target]))
    assert found.slope == pytest.approx(wanted.coef_[0, 0], rel=0.01)
    assert found.offset == pytest.approx(wanted.intercept_[0], rel=0.01)
    turned = sigmoid_of(counted(_at(second))[::-1], counted(_at(first))[::-1])
    assert (turned.slope, turned.offset) == pytest.approx((found.slope, -found.offset), rel=1e-3)


def test_where_a_class_has_none_or_is_the_wrong_way_round_the_model_is_believed() -> None:
    many, none = counted([2000] * 30), counted([])
    assert sigmoid_of(many, none) == sigmoid_of(none, many) == Sigmoid()
    assert sigmoid_of(counted([2500] * 30), counted([1500] * 30)) == Sigmoid()


@pytest.mark.thorough
@given(
    st.lists(st.integers(1700, 2100), max_size=200),
    st.lists(st.integers(1900, 2300), max_size=60),
    st.sampled_from([0.9, 0.99]),
)
def test_a_careful_cut_is_never_below_the_lowest(
    first: list[int], second: list[int], precision: float
) -> None:
    no, yes = counted(first), counted(second)
    careful, lowest = careful_cut(no, yes, precision), lowest_cut(no + yes, yes, precision)
    if careful is None:
        return
    assert lowest is not None
    assert careful.least >= lowest.least
    assert careful.texts == sum(place >= careful.least for place in first + second)
    assert careful.right == sum(place >= careful.least for place in second)


@pytest.mark.thorough
def test_new_texts_between_those_counted_are_expected() -> None:
    """Cuts made by few spam are right about many more, where the lowest cut is wrong too often."""
    drawn = np.random.default_rng(4)
    right = {True: [], False: []}
    for _ in range(40):
        no, yes = (counted(_at(drawn.normal(mean, 0.5, many))) for mean, many in ((-3, 5000), (0, 150)))
        later, later_yes = drawn.normal(-3, 0.5, 50_000), drawn.normal(0, 0.5, 1500)
        for careful in (True, False):
            cut = careful_cut(no, yes, 0.99) if careful else lowest_cut(no + yes, yes, 0.99)
            assert cut is not None
            called, wrong = (sum(place >= cut.least for place in _at(some)) for some in (later_yes, later))
            right[careful].append(called / (called + wrong))
    assert np.mean(right[True]) > 0.995
    assert min(right[True]) > min(right[False])
