"""The evaluation's arithmetic against scikit-learn."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sklearn.metrics import average_precision_score, brier_score_loss, log_loss, roc_auc_score

from pozytywka_spark.evaluation import metric_sums
from pozytywka_spark.evaluation.metrics import Evaluation, finish


def evaluated(score: np.ndarray, label: np.ndarray, weight: np.ndarray) -> Evaluation:
    ranked = metric_sums.ranked(score, label)
    found = metric_sums.parts(ranked, weight[:, ranked.order])
    return finish(found["pos"], found["neg"], found)


def drawn_rows(seed: int, rows: int, distinct: int) -> tuple[np.ndarray, np.ndarray]:
    drawn = np.random.default_rng(seed)
    score = drawn.integers(0, distinct, rows) / distinct * 0.999 + 0.0001
    label = (drawn.random(rows) < score).astype(float)
    label[:2] = [0.0, 1.0]
    return score, label


@pytest.mark.thorough
@settings(max_examples=30)
@given(
    seed=st.integers(0, 10_000),
    rows=st.integers(2, 400),
    distinct=st.sampled_from([1, 3, 50, 10**9]),
)
def test_equal_to_scikit_learn_however_many_rows_are_tied(seed: int, rows: int, distinct: int) -> None:
    score, label = drawn_rows(seed, rows, distinct)
    weight = np.ones((1, rows))
    found = evaluated(score, label, weight).metrics
    expected = {
        "roc_auc": roc_auc_score(label, score),
        "pr_auc": average_precision_score(label, score),
        "log_loss": log_loss(label, score),
        "brier": brier_score_loss(label, score),
        "base_rate": label.mean(),
        "mean_score": score.mean(),
    }
    assert {name: found[name] for name in expected} == pytest.approx(expected, rel=1e-12, abs=1e-12)


@pytest.mark.thorough
@settings(max_examples=20)
@given(seed=st.integers(0, 10_000), rows=st.integers(2, 300))
def test_weighted_replicates_equal_scikit_learn_with_sample_weight(seed: int, rows: int) -> None:
    score, label = drawn_rows(seed, rows, 40)
    users = np.random.default_rng(seed).integers(1, 50, rows)
    weight = metric_sums.user_weights(users, seed, 0, 6)
    found = evaluated(score, label, weight).replicates
    for replicate, weights in enumerate(weight):
        if 0 < (weights * label).sum() < weights.sum():
            assert found["roc_auc"][replicate] == pytest.approx(
                roc_auc_score(label, score, sample_weight=weights)
            )
            assert found["pr_auc"][replicate] == pytest.approx(
                average_precision_score(label, score, sample_weight=weights)
            )
            assert found["log_loss"][replicate] == pytest.approx(
                log_loss(label, score, sample_weight=weights)
            )


def test_top_shares_count_ties_pro_rata() -> None:
    score = np.array([0.9, 0.8, 0.5, 0.5, 0.5, 0.5] + [0.1] * 14)
    label = np.array([1, 0, 1, 1, 0, 0] + [0] * 13 + [1], dtype=float)
    found = evaluated(score, label, np.ones((1, 20))).metrics
    assert found["precision_at_5pct"] == 1.0  # the best row is a buyer
    assert found["precision_at_10pct"] == 0.5
    assert found["lift_at_10pct"] == pytest.approx(0.5 / (4 / 20))
    assert found["recall_at_10pct"] == pytest.approx(1 / 4)
    assert found["recall_at_1pct"] == pytest.approx(0.2 / 4)  # a fifth of the best row
    curve = evaluated(score, label, np.ones((1, 20))).curve
    at_20 = next(point for point in curve if point["share"] == 0.2)
    assert at_20["recall"] == pytest.approx(
        (1 + 2 * 2 / 4) / 4
    )  # two of the four tied rows, half of them buyers


def test_calibration_error_is_the_mean_distance_over_bins_of_equal_size() -> None:
    score, label = drawn_rows(3, 1000, 10**9)
    order = np.argsort(-score)
    bins = [np.abs(score[rows].mean() - label[rows].mean()) for rows in np.array_split(order, 10)]
    found = evaluated(score, label, np.ones((1, 1000)))
    assert found.metrics["calibration_error"] == pytest.approx(np.mean(bins))
    assert [bin_["rows"] for bin_ in found.bins] == [100.0] * 10


def test_a_group_of_one_class_has_no_auc_but_a_loss() -> None:
    found = evaluated(np.array([0.2, 0.3]), np.zeros(2), np.ones((1, 2))).metrics
    assert np.isnan(found["roc_auc"])
    assert np.isnan(found["pr_auc"])
    assert found["log_loss"] == pytest.approx(-np.log([0.8, 0.7]).mean())


def test_a_users_weight_is_the_same_wherever_its_rows_are() -> None:
    users = np.arange(1, 2001)
    together = metric_sums.user_weights(users, 5, 0, 50)
    apart = np.concatenate(
        [metric_sums.user_weights(users[::-1], 5, first, 10) for first in range(0, 50, 10)]
    )[:, ::-1]
    np.testing.assert_array_equal(together, apart)
    assert (together[0] == 1).all()
    assert together[1:].mean() == pytest.approx(1, abs=0.01)
    assert together[1:].var() == pytest.approx(1, abs=0.02)
    correlation = np.corrcoef(together[1:20])
    assert np.abs(correlation - np.eye(19)).max() < 0.12
    assert (metric_sums.user_weights(users, 6, 1, 1) != together[1]).any()


@pytest.mark.thorough
def test_intervals_cover_the_true_auc_of_clustered_rows() -> None:
    """Rows of a user share their score: an interval that took rows for independent would be too narrow."""
    drawn = np.random.default_rng(0)
    true_auc, covered, trials = 0.7602, 0, 100  # P(X > Y) of normals one deviation apart
    for _ in range(trials):
        label = np.repeat((drawn.random(150) < 0.4).astype(float), 5)
        score = np.repeat(drawn.normal(size=150), 5) + label
        score = 1 / (1 + np.exp(-score))
        weight = metric_sums.user_weights(np.repeat(np.arange(150), 5), int(drawn.integers(10**6)), 0, 101)
        low, high = evaluated(score, label, weight).interval("roc_auc")
        covered += low <= true_auc <= high
    assert 0.88 <= covered / trials <= 0.99
