"""Guard 5 on shuffled labels: silent on honest rows, loud when a label stands in the features' order."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from pozytywka_spark.config import Settings
from pozytywka_spark.dataset.questions import Here
from pozytywka_spark.dataset.table import SIDES, TrainingTable
from pozytywka_spark.errors import GuardError
from pozytywka_spark.models.tree_parameters import tree_parameters
from pozytywka_spark.names import TRAIN
from pozytywka_spark.training import guard_shuffled_labels
from pozytywka_spark.training.guard_shuffled_labels import allowance, check_shuffled, shuffled_aucs

ORDER = ("a", "b", "c")


def made(seed: int, train: int, test: int) -> TrainingTable:
    drawn, rows = np.random.default_rng(seed), train + test
    matrix = drawn.normal(size=(rows, 3)).astype(np.float32)
    return TrainingTable(
        order=ORDER,
        user_id=np.arange(rows) // 3,
        month=np.full(rows, "2023-01-01", "datetime64[D]"),
        side=np.repeat([0, 2], [train, test]).astype(np.uint8),
        label=(drawn.random(rows) < 1 / (1 + np.exp(1.5 - 2 * matrix[:, 0]))).astype(float),
        matrix=matrix,
    )


def aucs_of(table: TrainingTable, settings: Settings) -> np.ndarray:
    parameters = {**tree_parameters(settings, ORDER, 1.0), "objective": "binary:logistic", "nthread": 1}
    return shuffled_aucs(table, parameters, settings.guards.seed)


@pytest.mark.thorough
def test_shuffled_labels_teach_nothing(settings: Settings) -> None:
    for seed in range(10):
        aucs = aucs_of(made(seed, 600, 400), settings)
        assert len(set(aucs)) == guard_shuffled_labels.SHUFFLES
        assert abs(aucs.mean() - 0.5) <= allowance(aucs)


def test_a_model_that_knows_in_spite_of_shuffling_stops_the_run(
    settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked = Here(made(1, 900, 600))
    assert "within" in check_shuffled(asked, ORDER, settings).checked

    class NotShuffled:
        def permutation(self, labels: np.ndarray) -> np.ndarray:
            return labels

    monkeypatch.setattr(guard_shuffled_labels.np.random, "default_rng", lambda _: NotShuffled())
    with pytest.raises(GuardError, match=r"trained on shuffled labels reach ROC AUC 0\.[789]"):
        check_shuffled(asked, ORDER, settings)


def test_many_rows_are_sampled_by_their_keys_alone(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(guard_shuffled_labels, "ROWS", 300)
    train = made(2, 900, 400)
    drawn = guard_shuffled_labels._sample(train, TRAIN, 5)
    assert set(drawn.side) == {SIDES.index(TRAIN)}
    assert len(drawn) == 300
    assert (np.diff(drawn.user_id) >= 0).all()  # in the table's order
    other = replace(train, matrix=-train.matrix, label=1 - train.label)
    np.testing.assert_array_equal(guard_shuffled_labels._sample(other, TRAIN, 5).user_id, drawn.user_id)
    assert set(guard_shuffled_labels._sample(train, TRAIN, 6).user_id) != set(drawn.user_id)
    whole = guard_shuffled_labels._sample(drawn, TRAIN, 5)
    np.testing.assert_array_equal(whole.matrix, drawn.matrix)
