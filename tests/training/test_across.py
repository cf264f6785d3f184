"""The other ways to train: trees across workers, more rows than fit, questions asked in tasks."""

from __future__ import annotations

import pytest
from pyspark.sql import SparkSession

from pozytywka_spark.config import Settings
from pozytywka_spark.tracking import registry
from pozytywka_spark.tracking.store import connect
from pozytywka_spark.training.reproduce import reproduce
from pozytywka_spark.training.stage import TrainingReport, train
from tests.worlds.trained import Trained


def other(trained: Trained, name: str, bootstrap: int = 5, **training: object) -> Settings:
    settings = trained.settings
    return settings.model_copy(
        update={
            "training": settings.training.model_copy(update=training),
            "evaluation": settings.evaluation.model_copy(update={"bootstrap": bootstrap}),
            "mlflow": settings.mlflow.model_copy(update={"model_name": name}),
        }
    )


def aucs(report: TrainingReport) -> dict[str, float]:
    return {row["model"]: row["roc_auc"] for row in report.models}


def test_two_workers_learn_what_one_does_and_can_be_done_again(trained: Trained, spark: SparkSession) -> None:
    settings = other(trained, "across", num_workers=2)
    report = train(spark, settings, trained.lake)
    run = connect(settings).client.get_run(report.run_id)
    assert run.data.params["workers"] == "2"
    assert "training.num_workers asks for 2" in run.data.params["planner"]
    one, two = aucs(trained.report), aucs(report)
    assert two["xgboost"] == pytest.approx(one["xgboost"], abs=0.02)
    assert two["logistic"] == pytest.approx(one["logistic"], abs=1e-9)  # of the table either way
    found = reproduce(spark, settings, trained.lake, report.run_id)
    assert found.same, [row for row in found.rows if not row["same"]]


def test_more_rows_than_fit_train_trees_on_all_of_them_and_the_rest_on_a_sample(
    trained: Trained, spark: SparkSession
) -> None:
    settings = other(trained, "sampled", rows_in_memory=4000)
    report = train(spark, settings, trained.lake)
    rows = sum(row["rows"] for row in trained.report.split)
    note = next(note for note in report.notes if "of the users (training.rows_in_memory)" in note)
    assert f"look at {4000 / rows:.1%} of the users" in note
    assert report.split == trained.report.split
    run = connect(settings).client.get_run(report.run_id)
    assert "too many rows for a task's memory" in run.data.params["planner"]
    tested = next(row["rows"] for row in report.split if row["side"] == "test")
    assert 0.5 < run.data.metrics["rows"] / (tested * 4000 / rows) < 1.5
    # about 140 buyers are left on the test side
    assert aucs(report)["xgboost"] == pytest.approx(aucs(trained.report)["xgboost"], abs=0.08)


def test_tasks_make_the_model_that_this_process_makes(trained: Trained, spark: SparkSession) -> None:
    settings = other(trained, "tasks", trained.settings.evaluation.bootstrap, small_table_mb=0)
    report = train(spark, settings, trained.lake, force=True)
    assert not report.reused
    made, known = (registry.load_model(connect(each)) for each in (settings, trained.settings))
    assert made.predictor == known.predictor
    assert made.calibrator == known.calibrator
    assert report.models == trained.report.models
    assert report.decisions == trained.report.decisions
