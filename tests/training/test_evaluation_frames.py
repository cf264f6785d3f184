"""Evaluation on Spark: bucketed, distributed, and still exactly scikit-learn's."""

from __future__ import annotations

import numpy as np
import pytest
from pyspark.sql import SparkSession
from sklearn.metrics import average_precision_score, roc_auc_score

from pozytywka_spark.training.evaluation_frames import evaluate, evaluate_buckets, with_bucket

SCHEMA = "name string, user_id bigint, label double, score double"


def test_many_buckets_equal_one_and_scikit_learn(spark: SparkSession) -> None:
    drawn = np.random.default_rng(2)
    score = np.round(drawn.beta(1, 20, 3000), 3)  # rare positives, many ties
    label = (drawn.random(3000) < score * 2).astype(float)
    users = drawn.integers(1, 800, 3000)
    name = np.where(np.arange(3000) % 3 == 0, "small", "large")
    rows = list(zip(name.tolist(), users.tolist(), label.tolist(), score.tolist(), strict=True))
    scored = spark.createDataFrame(rows, SCHEMA).repartition(4)
    bucketed = with_bucket(scored, rows_a_bucket=300).persist()
    assert bucketed.select("bucket").distinct().count() >= 6
    cut, whole = evaluate_buckets(bucketed, replicates=20, seed=3), evaluate(scored, replicates=20, seed=3)
    bucketed.unpersist()
    for group in ("small", "large"):
        chosen = name == group
        found = cut[group].metrics
        assert found["roc_auc"] == pytest.approx(roc_auc_score(label[chosen], score[chosen]), rel=1e-12)
        assert found["pr_auc"] == pytest.approx(
            average_precision_score(label[chosen], score[chosen]), rel=1e-12
        )
        assert found == pytest.approx(whole[group].metrics, rel=1e-12)
        assert cut[group].interval("pr_auc") == pytest.approx(whole[group].interval("pr_auc"), rel=1e-12)
        assert [point["recall"] for point in cut[group].curve] == pytest.approx(
            [point["recall"] for point in whole[group].curve]
        )
