"""Trees across two executors' tasks agree with those of one."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
from pyspark.sql import DataFrame, SparkSession
from pyspark.sql import functions as F
from sklearn.metrics import log_loss, roc_auc_score

from pozytywka_spark.config import Settings
from pozytywka_spark.errors import UsageError
from pozytywka_spark.models.booster import load
from pozytywka_spark.spark.resources import Plan
from pozytywka_spark.training.across_executors import fit_across
from pozytywka_spark.training.estimators import FittedTrees, fit_trees
from tests.worlds.known_hazard import hazard_rows, training_frame, training_table
from tests.worlds.trained import settings_in

ORDER = tuple(f"x{place}" for place in range(9))
EXACT = ["training.subsample=1", "training.colsample_bytree=1", "training.max_trees=12"]


@pytest.fixture(scope="module")
def rows() -> pd.DataFrame:
    return hazard_rows(ORDER, users=600)


@pytest.fixture(scope="module")
def frame(spark: SparkSession, rows: pd.DataFrame) -> DataFrame:
    return training_frame(spark, rows, ORDER).persist()


def both(frame: DataFrame, rows: pd.DataFrame, settings: Settings) -> tuple[FittedTrees, FittedTrees]:
    """Trees of one task on the table, and of two on the frame."""
    one = fit_trees(training_table(rows, ORDER), settings, Plan(1, 1, "one"), 0.13)
    return one, fit_across(frame, ORDER, settings, Plan(2, 1, "two", across=True), 0.13)


def structure(booster: bytes) -> pd.DataFrame:
    return load(booster).trees_to_dataframe()


def test_two_workers_agree_with_one_within_noise(
    frame: DataFrame, rows: pd.DataFrame, settings: Settings
) -> None:
    settings = settings_in(settings.home, "training.max_trees=40", "training.colsample_bytree=0.8")
    test = training_table(rows, ORDER).of("test")
    scores = [1 / (1 + np.exp(-each.predictor.margins(test.matrix))) for each in both(frame, rows, settings)]
    aucs = [roc_auc_score(test.label, score) for score in scores]
    losses = [log_loss(test.label, score) for score in scores]
    assert (scores[0] != scores[1]).any()  # each samples its own rows
    assert aucs[0] == pytest.approx(aucs[1], abs=0.02)
    assert losses[0] == pytest.approx(losses[1], abs=0.004)
    assert np.corrcoef(scores)[0, 1] > 0.95


def test_two_workers_give_the_same_trees_where_nothing_is_sampled_or_approximated(
    frame: DataFrame, rows: pd.DataFrame, settings: Settings
) -> None:
    """Few distinct values: each worker cuts at every one, and sums hardly depend on who adds."""
    coarse = frame.withColumns({name: F.rint(F.col(name) * 2) / 2 for name in ORDER})
    rows = rows.assign(**{name: np.rint(rows[name] * 2) / 2 for name in ORDER})
    settings = settings_in(settings.home, *EXACT)
    one, two = (structure(found.booster) for found in both(coarse, rows, settings))
    same = ["Tree", "Node", "ID", "Feature", "Split", "Yes", "No", "Missing"]
    pd.testing.assert_frame_equal(one[same], two[same], check_exact=True)
    np.testing.assert_allclose(one["Gain"], two["Gain"], rtol=1e-4, atol=1e-6)
    assert len(one) > 50


def test_one_worker_on_a_frame_gives_the_trees_of_the_table_however_the_rows_lie(
    frame: DataFrame, rows: pd.DataFrame, settings: Settings
) -> None:
    """What a machine does whose memory doesn't hold the table."""
    settings = settings_in(settings.home, "training.max_trees=15")
    scattered = frame.repartition(5, F.xxhash64("user_id", "month")).sortWithinPartitions(F.hash("month"))
    across = fit_across(scattered, ORDER, settings, Plan(1, 1, "one", across=True), 0.13)
    here = fit_trees(training_table(rows, ORDER), settings, Plan(1, 1, "one"), 0.13)
    pd.testing.assert_frame_equal(structure(across.booster), structure(here.booster), check_exact=True)
    assert across.trees == here.trees
    np.testing.assert_allclose(across.validation_loss, here.validation_loss, rtol=1e-6)


def test_a_constraint_on_no_feature_is_refused(frame: DataFrame, settings: Settings) -> None:
    wrong = settings_in(settings.home, "training.monotone={nonsense: 1}")
    with pytest.raises(UsageError, match=r"training\.monotone: no such feature: nonsense"):
        fit_across(frame, ORDER, wrong, Plan(2, 1, "two"), 0.13)
