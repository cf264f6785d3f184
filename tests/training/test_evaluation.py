"""Evaluation on arrays: scikit-learn's numbers, however replicates are cut into questions."""

from __future__ import annotations

import numpy as np
import pytest
from sklearn.metrics import average_precision_score, log_loss, roc_auc_score

from pozytywka_spark.evaluation import metric_sums
from pozytywka_spark.evaluation.evaluate import _CELLS_A_QUESTION, Rows, evaluate, finished, ranges, sums


@pytest.fixture(scope="module")
def groups() -> dict[str, Rows]:
    """Two groups of the same rows under two scores, one of other rows, and one without any."""
    drawn = np.random.default_rng(2)
    score = np.round(drawn.beta(1, 20, 3000), 3)  # rare positives, many ties
    label = (drawn.random(3000) < score * 2).astype(float)
    users = drawn.integers(1, 800, 3000)
    few = np.arange(3000) % 3 == 0
    empty = Rows(users[:0], label[:0], score[:0])
    same = {"one": Rows(users, label, score), "other": Rows(users, label, drawn.random(3000))}
    return {**same, "small": Rows(users[few], label[few], score[few]), "empty": empty}


def test_every_replicate_of_every_group_equals_scikit_learn(groups: dict[str, Rows]) -> None:
    found = evaluate(groups, replicates=5, seed=3)
    assert list(found) == ["one", "other", "small"]
    for name, got in found.items():
        rows = groups[name]
        assert got.metrics["rows"] == len(rows.label)
        for place, weight in enumerate(metric_sums.user_weights(rows.user_id, 3, 0, 6)):
            expected = {
                "roc_auc": roc_auc_score(rows.label, rows.score, sample_weight=weight),
                "pr_auc": average_precision_score(rows.label, rows.score, sample_weight=weight),
                "log_loss": log_loss(rows.label, rows.score, sample_weight=weight),
                "brier": np.average(np.square(rows.label - rows.score), weights=weight),
                "mean_score": np.average(rows.score, weights=weight),
            }
            of_replicate = {name: got.replicates[name][place] for name in expected}
            assert of_replicate == pytest.approx(expected, rel=1e-12)


def test_however_replicates_are_cut_the_result_is_the_same(
    groups: dict[str, Rows], monkeypatch: pytest.MonkeyPatch
) -> None:
    whole = evaluate(groups, replicates=20, seed=3)
    cut = finished([sums(groups, 3, first, count) for first, count in ((0, 1), (1, 8), (9, 12))])
    monkeypatch.setattr(metric_sums, "_CELLS", 7_000)
    in_chunks = evaluate(groups, replicates=20, seed=3)
    for name, expected in whole.items():
        for found in (cut[name], in_chunks[name]):
            assert found.metrics == pytest.approx(expected.metrics, rel=1e-12)
            assert (found.bins, found.curve) == (expected.bins, expected.curve)
            for metric, values in expected.replicates.items():
                np.testing.assert_allclose(found.replicates[metric], values, rtol=1e-12)


def test_replicates_of_the_same_rows_pair_up(groups: dict[str, Rows]) -> None:
    """Whether groups share the array of users or hold equal ones."""
    found = evaluate(groups, replicates=20, seed=3)
    apart = evaluate({"other": Rows(*map(np.copy, groups["other"]))}, replicates=20, seed=3)
    np.testing.assert_array_equal(found["other"].replicates["roc_auc"], apart["other"].replicates["roc_auc"])
    np.testing.assert_array_equal(
        found["one"].replicates["base_rate"], found["other"].replicates["base_rate"]
    )


@pytest.mark.parametrize("rows", [0, 1000, 1_000_000, 40_000_000])
@pytest.mark.parametrize("replicates", [0, 1, 200])
def test_ranges_hold_every_replicate_once(rows: int, replicates: int) -> None:
    found = ranges(rows, replicates)
    drawn = [place for first, count in found for place in range(first, first + count)]
    assert drawn == list(range(replicates + 1))
    most = max(count for _, count in found)
    assert most == 1 or rows * most <= _CELLS_A_QUESTION
    if rows <= 1000:
        assert len(found) == 1
