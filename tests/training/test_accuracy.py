"""Accuracy where the truth is known: the probability that made the labels is the best any model can do."""

from __future__ import annotations

from functools import partial

import pytest
from sklearn.metrics import roc_auc_score

from pozytywka_spark.config import Settings
from pozytywka_spark.dataset.questions import Here
from pozytywka_spark.models.serving_model import ServingModel
from pozytywka_spark.spark.resources import Plan
from pozytywka_spark.training.fit_and_measure import fit_both, measure
from pozytywka_spark.training.linear import as_linear
from tests.worlds.known_hazard import LAST, TEST_FROM, hazard_rows, training_table
from tests.worlds.trained import settings_in

ORDER = tuple(f"x{place}" for place in range(9))
ONE = Plan(1, 1, "one")


@pytest.mark.thorough
def test_close_to_the_truth_calibrated_and_better_than_a_line(settings: Settings) -> None:
    rows = hazard_rows(ORDER, users=12_000)
    settings = settings_in(settings.home, "evaluation.bootstrap=0", "training.max_trees=200")
    asked = Here(training_table(rows, ORDER))
    [((line, line_calibrator), boosted)] = asked.ask(
        [partial(fit_both, settings=settings, plan=ONE, base_rate=0.13)]
    )
    assert boosted is not None
    fitted = ((as_linear(line, ORDER), line_calibrator), (boosted[0].predictor, boosted[1]))
    models = {
        predictor.kind: ServingModel(predictor, ORDER, "", "label", 30, 0.13, calibrator=calibrator)
        for predictor, calibrator in fitted
    }
    found = measure(asked, models, settings).models
    test = rows[(rows["month"] >= TEST_FROM) & (rows["month"] < LAST)]
    ceiling = roc_auc_score(test["buys"], test["truth"])
    ours, straight = found["xgboost test"].metrics, found["logistic test"].metrics
    assert ours["rows"] == len(test)
    assert ceiling - 0.02 <= ours["roc_auc"] <= ceiling + 0.005
    assert ours["calibration_error"] <= 0.01
    assert straight["roc_auc"] < ours["roc_auc"] - 0.05  # the truth is a wave behind a gate: no line finds it
    assert straight["log_loss"] > ours["log_loss"] + 0.01
