"""What can't be reproduced is told; that a run can is in test_tuned_run."""

from __future__ import annotations

import pytest
from pyspark.sql import SparkSession

from pozytywka_spark.errors import TrackingError
from pozytywka_spark.models.predictors import Linear
from pozytywka_spark.models.serving_model import ServingModel
from pozytywka_spark.tracking.store import connect
from pozytywka_spark.training.reproduce import compare_predictors, reproduce, settings_of
from tests.worlds.trained import Trained


def test_an_unknown_run_is_named(trained: Trained, spark: SparkSession) -> None:
    with pytest.raises(TrackingError, match="run 0123 is not a finished training"):
        reproduce(spark, trained.settings, trained.lake, "0123")
    tracking = connect(trained.settings)
    child = tracking.client.search_runs([tracking.experiment_id], "tags.mlflow.runName = 'majority'")[0]
    with pytest.raises(TrackingError, match="is not a finished training"):
        reproduce(spark, trained.settings, trained.lake, child.info.run_id)


def test_logged_settings_keep_todays_places_and_unknown_ones_are_told(trained: Trained) -> None:
    logged = trained.settings.resolved()
    logged["training"] = logged["training"] | {"seed": 99}
    logged["lake"] = {"root": "/nowhere", "engine": "delta-rs"}
    again = settings_of(logged, trained.settings)
    assert (again.training.seed, again.lake) == (99, trained.settings.lake)
    assert again.training.max_bin == trained.settings.training.max_bin
    del logged["training"]["max_bin"]  # a run of before there was such a setting
    assert settings_of(logged, trained.settings).training.max_bin == 256
    logged["training"] = logged["training"] | {"boost": 1}
    with pytest.raises(TrackingError, match=r"setting training\.boost is not one of today's code"):
        settings_of(logged, trained.settings)


def line_of(coefficients: tuple[float, ...], means: tuple[float, ...] = (1000.0, 0.5)) -> ServingModel:
    predictor = Linear(means, (200.0, 0.1), coefficients, -3.0)
    return ServingModel(predictor, ("a", "b"), "catalogue", "buys", 30, 0.1)


@pytest.mark.parametrize(
    ("now", "same", "same_of_two_solvers"),
    [
        (line_of((0.2, 0.04)), True, True),
        (line_of((0.2 + 5e-8, 0.04)), True, True),
        (line_of((0.2, 0.04 + 1e-5)), False, True),  # a twentieth of a thousandth of the largest, 0.2
        (line_of((0.2, 0.04 + 3e-5)), False, False),
        (line_of((0.2, 0.04), (1000.0 + 0.01, 0.5)), False, True),  # of a deviation of 200
        (line_of((0.2, 0.04), (1000.0, 0.5 + 1e-4)), False, False),  # of a deviation of 0.1
    ],
)
def test_coefficients_of_another_solver_are_equal_within_their_scale(
    now: ServingModel, same: bool, same_of_two_solvers: bool
) -> None:
    [row] = compare_predictors(line_of((0.2, 0.04)), now)
    assert row["same"] is same
    [row] = compare_predictors(line_of((0.2, 0.04)), now, other_solver=True)
    assert row["same"] is same_of_two_solvers
    assert "of their scale" in row["now"]
