"""Counts by bins: cuts, AUC and bounds, against the same from the single values."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.stats import binomtest
from sklearn.metrics import roc_auc_score

from pozytywka_spark.feedback.bins import (
    BINS,
    FEWEST,
    Cut,
    bin_of,
    chance_at,
    lowest_cut,
    precision_bounds,
    roc_auc,
)


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
