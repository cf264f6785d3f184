"""The linear item model against the textbook's formula and against what it must minimise."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy import sparse

from pozytywka_spark.feed.item_model import DAY_US, ItemModel, fit, weighted_plays


def drawn(seed: int, users: int = 30, tracks: int = 12) -> sparse.csr_matrix:
    return sparse.random(users, tracks, density=0.3, format="csr", random_state=seed, dtype=np.float32)


@pytest.mark.thorough
@given(st.integers(0, 1000), st.floats(0.5, 50.0))
def test_the_weights_are_those_of_the_formula(seed: int, ridge: float) -> None:
    plays = drawn(seed)
    model = fit(plays, ridge=ridge, most_tracks=100)
    dense = plays.toarray()[:, model.track].astype(float)
    inverse = np.linalg.inv(dense.T @ dense + ridge * np.eye(len(model.track)))
    expected = np.eye(len(model.track)) - inverse / np.diag(inverse)
    np.testing.assert_allclose(model.weight, expected, atol=1e-5)
    assert (np.diag(model.weight) == 0).all()


def test_each_column_is_a_ridge_regression_on_the_other_tracks() -> None:
    plays = drawn(5)
    model = fit(plays, ridge=2.0, most_tracks=100)
    dense = plays.toarray()[:, model.track].astype(float)
    for column in range(len(model.track)):
        others = np.delete(np.arange(len(model.track)), column)
        gram = dense[:, others].T @ dense[:, others] + 2.0 * np.eye(len(others))
        expected = np.linalg.solve(gram, dense[:, others].T @ dense[:, column])
        np.testing.assert_allclose(model.weight[others, column], expected, atol=1e-5)


def test_only_the_most_played_tracks_take_part() -> None:
    plays = sparse.csr_matrix(np.array([[1, 0, 1, 0, 1], [1, 0, 0, 0, 1], [1, 1, 0, 0, 1]], dtype=np.float32))
    model = fit(plays, ridge=1.0, most_tracks=3)
    assert model.track.tolist() == [0, 1, 4]
    scores = model.scores(plays)
    pairs = model.scores_of(plays, np.array([0, 1, 2, 2]), np.array([4, 2, 1, 3]))
    assert pairs.tolist() == [scores[0, 2], 0.0, scores[2, 1], 0.0]


def test_neighbours_come_best_first_and_only_those_that_speak_for_it() -> None:
    weight = np.array([[0, 0.2, 0.7], [-0.1, 0, 0.1], [0.3, -0.2, 0]], dtype=np.float32)
    track, value = ItemModel(np.array([2, 5, 9], dtype=np.int32), weight).neighbours(2)
    assert track.tolist() == [[9, 5], [9, -1], [2, -1]]
    np.testing.assert_allclose(value, [[0.7, 0.2], [0.1, 0], [0.3, 0]], atol=1e-6)


def test_plays_fade_and_repeated_ones_say_no_more_than_one_of_now() -> None:
    age = np.array([0, 30, 60, 60, 1, 2]) * DAY_US
    plays = weighted_plays((2, 3), np.array([0, 0, 0, 0, 1, 1]), np.array([0, 1, 2, 2, 1, 1]), age, 30.0)
    np.testing.assert_allclose(plays.toarray(), [[1, 0.5, 0.5], [0, 1, 0]], atol=1e-6)


def test_nothing_played_is_a_model_of_nothing() -> None:
    model = fit(sparse.csr_matrix((3, 4), dtype=np.float32), ridge=1.0, most_tracks=10)
    assert len(model.track) == 0
    pairs = model.scores_of(sparse.csr_matrix((3, 4)), np.array([1]), np.array([2]))
    assert pairs.tolist() == [0.0]


def test_plays_after_the_cut_off_are_refused() -> None:
    with pytest.raises(ValueError, match="after the cut-off"):
        weighted_plays((1, 1), np.array([0]), np.array([0]), np.array([-1]), 30.0)
