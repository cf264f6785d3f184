"""Guard 5 on shuffled labels: silent on honest rows, loud when a label stands in the features' order."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
from pyspark.sql import SparkSession

from pozytywka_spark.config import Settings
from pozytywka_spark.errors import GuardError
from pozytywka_spark.training import shuffled
from pozytywka_spark.training.shuffled import allowance, check_shuffled, shuffled_aucs

ORDER = ("a", "b", "c")


def frame(seed: int, rows: int) -> pd.DataFrame:
    drawn = np.random.default_rng(seed)
    found = pd.DataFrame({name: drawn.normal(size=rows) for name in ORDER})
    found["label"] = (drawn.random(rows) < 1 / (1 + np.exp(1.5 - 2 * found["a"]))).astype(float)
    found["user_id"] = np.arange(rows) // 3
    return found


def test_shuffled_labels_teach_nothing(settings: Settings) -> None:
    for seed in range(10):
        aucs = shuffled_aucs(frame(seed, 600), frame(seed + 100, 400), ORDER, settings)
        assert abs(aucs.mean() - 0.5) <= allowance(aucs)


def test_a_model_that_knows_in_spite_of_shuffling_stops_the_run(
    spark: SparkSession, settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    rows = pd.concat([frame(1, 900).assign(side="train"), frame(2, 600).assign(side="test")])
    rows["month"] = pd.Timestamp("2023-01-01").date()
    schema = "a double, b double, c double, label double, user_id bigint, side string, month date"
    made = spark.createDataFrame([tuple(row) for row in rows.itertuples(index=False)], schema)
    assert "within" in check_shuffled(made, ORDER, settings).checked

    class NotShuffled:
        def permutation(self, labels: np.ndarray) -> np.ndarray:
            return labels

    monkeypatch.setattr(shuffled.np.random, "default_rng", lambda _: NotShuffled())
    with pytest.raises(GuardError, match=r"trained on shuffled labels reach ROC AUC 0\.[789]"):
        check_shuffled(made, ORDER, settings)
