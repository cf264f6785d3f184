"""A training whose trees grow on two workers that wait for each other, from frames of Spark's."""

from __future__ import annotations

import pytest
from pyspark.sql import SparkSession
from trained import Trained

from pozytywka_spark.training.reproduce import reproduce
from pozytywka_spark.training.stage import train
from pozytywka_spark.training.tracking.store import connect


def test_two_workers_learn_what_one_does_and_can_be_done_again(trained: Trained, spark: SparkSession) -> None:
    settings = trained.settings.model_copy(
        update={
            "training": trained.settings.training.model_copy(update={"num_workers": 2}),
            "mlflow": trained.settings.mlflow.model_copy(update={"model_name": "across"}),
        }
    )
    report = train(spark, settings, trained.lake)
    run = connect(settings).client.get_run(report.run_id)
    assert run.data.params["workers"] == "2"
    assert "training.num_workers asks for 2" in run.data.params["planner"]
    one, two = ({row["model"]: row["roc_auc"] for row in each.models} for each in (trained.report, report))
    assert two["xgboost"] == pytest.approx(one["xgboost"], abs=0.02)
    assert two["logistic"] == pytest.approx(one["logistic"], abs=1e-9)  # of the table either way
    found = reproduce(spark, settings, trained.lake, report.run_id)
    assert found.same, [row for row in found.rows if not row["same"]]
