"""Accuracy where the truth is known: the probability that made the labels is the best any model can do."""

from __future__ import annotations

import pytest
from known_hazard import LAST, TEST_FROM, hazard_rows, training_frame, training_table
from pyspark.sql import SparkSession
from sklearn.metrics import roc_auc_score
from trained import settings_in

from pozytywka_spark.config import Settings
from pozytywka_spark.training import calibration, linear
from pozytywka_spark.training.booster import with_margin
from pozytywka_spark.training.estimators import fit_trees
from pozytywka_spark.training.fitting import measure
from pozytywka_spark.training.planner import Plan
from pozytywka_spark.training.serving import ServingModel

ORDER = tuple(f"x{place}" for place in range(9))


@pytest.mark.slow
def test_close_to_the_truth_calibrated_and_better_than_a_line(
    spark: SparkSession, settings: Settings
) -> None:
    rows = hazard_rows(ORDER, users=12_000)
    settings = settings_in(settings.home, "evaluation.bootstrap=0", "training.max_trees=200")
    frame = training_frame(spark, rows, ORDER).persist()
    table = training_table(rows, ORDER)
    trees = fit_trees(table, settings, Plan(1, 1, "one"), 0.13)
    models = {}
    for each in (trees.predictor, linear.as_linear(linear.fit_logistic(table, settings), ORDER)):
        margins = with_margin(frame.filter("side = 'validation'"), each, ORDER, ["label"])
        fitted = calibration.fit_calibrator(margins, settings.calibration)
        models[each.kind] = ServingModel(each, ORDER, "", "label", 30, 0.13, calibrator=fitted)
    found = measure(frame, models, settings).models
    frame.unpersist()
    test = rows[(rows["month"] >= TEST_FROM) & (rows["month"] < LAST)]
    ceiling = roc_auc_score(test["buys"], test["truth"])
    ours, line = found["xgboost test"].metrics, found["logistic test"].metrics
    assert ours["rows"] == len(test)
    assert ceiling - 0.02 <= ours["roc_auc"] <= ceiling + 0.005
    assert ours["calibration_error"] <= 0.01
    assert line["roc_auc"] < ours["roc_auc"] - 0.05  # the truth is a wave behind a gate: no line finds it
    assert line["log_loss"] > ours["log_loss"] + 0.01
