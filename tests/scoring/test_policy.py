"""Policies: who is selected, against pandas."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
from pyspark.sql import SparkSession

from pozytywka_spark.config import Policy
from pozytywka_spark.scoring.policy import with_selected


@pytest.fixture(scope="module")
def scored() -> pd.DataFrame:
    probability = np.sort(np.random.default_rng(3).beta(1, 8, 300))[::-1]
    return pd.DataFrame({"rank": np.arange(1, 301), "probability": probability})


def selected(spark: SparkSession, scored: pd.DataFrame, policy: Policy) -> list[int]:
    rows = list(zip(scored["rank"].tolist(), scored["probability"].tolist(), strict=True))
    frame = spark.createDataFrame(rows, "rank bigint, probability double").transform(with_selected, policy)
    assert frame.columns == ["rank", "probability", "selected"]
    return sorted(row["rank"] for row in frame.collect() if row["selected"])


def test_budget_takes_the_best(spark: SparkSession, scored: pd.DataFrame) -> None:
    assert selected(spark, scored, Policy(kind="budget", budget_users=17)) == list(range(1, 18))


def test_value_takes_whoever_pays(spark: SparkSession, scored: pd.DataFrame) -> None:
    expected = scored.loc[scored["probability"] * 30 > 4, "rank"].tolist()
    assert 0 < len(expected) < 300
    assert selected(spark, scored, Policy(kind="value", value_of_sale=30, cost_of_contact=4)) == expected


def test_precision_takes_as_many_as_keep_it(spark: SparkSession, scored: pd.DataFrame) -> None:
    found = selected(spark, scored, Policy(kind="precision", precision=0.25))
    means = scored["probability"].expanding().mean()
    assert found == list(range(1, len(found) + 1))
    assert means[len(found) - 1] >= 0.25
    assert means[len(found) + 2] < 0.25  # at most a step's users more would break it


@pytest.mark.parametrize("policy", [Policy(), Policy(kind="precision", precision=1.0)])
def test_nobody(spark: SparkSession, scored: pd.DataFrame, policy: Policy) -> None:
    assert selected(spark, scored, policy) == []
