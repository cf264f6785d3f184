"""A tuned training from end to end: trials logged, best used, told of, made again after a vacuum."""

from __future__ import annotations

import json
from pathlib import Path

import mlflow
import pytest
from pyspark.sql import SparkSession

from pozytywka_spark.config import Settings
from pozytywka_spark.schemas import features_table
from pozytywka_spark.tracking.retention import as_rows, maintain
from pozytywka_spark.tracking.store import connect
from pozytywka_spark.training.reproduce import reproduce
from pozytywka_spark.training.stage import TrainingReport, train
from pozytywka_spark.training.tuning.tune import SPACE
from tests.worlds.trained import Trained


def changed(settings: Settings, **sections: dict[str, object]) -> Settings:
    parts = {name: getattr(settings, name).model_copy(update=update) for name, update in sections.items()}
    return settings.model_copy(update=parts)


@pytest.fixture(scope="module")
def settings(trained: Trained) -> Settings:
    return changed(
        trained.settings,
        tuning={"enabled": True, "trials": 4, "startup_trials": 2},
        training={"max_trees": 40, "early_stopping_rounds": 8},
        evaluation={"bootstrap": 20},
        lake={"retention_hours": 0.0},
    )


@pytest.fixture(scope="module")
def tuned(settings: Settings, trained: Trained, spark: SparkSession) -> TrainingReport:
    return train(spark, changed(settings, mlflow={"model_name": "tuned"}), trained.lake)


@pytest.fixture(scope="module")
def folder(tuned: TrainingReport, settings: Settings) -> Path:
    connect(settings)
    return Path(mlflow.artifacts.download_artifacts(run_id=tuned.run_id))


def test_trials_are_child_runs_and_the_best_is_what_was_fitted(
    tuned: TrainingReport, settings: Settings, folder: Path
) -> None:
    tracking = connect(settings)
    children = tracking.client.search_runs(
        [tracking.experiment_id], f"tags.`mlflow.parentRunId` = '{tuned.run_id}'"
    )
    trials = {run.data.tags["mlflow.runName"]: run for run in children if "pozytywka.trial" in run.data.tags}
    assert sorted(trials) == ["trial 001", "trial 002", "trial 003", "trial 004"]
    complete = [run for run in trials.values() if run.data.tags["pozytywka.trial"] == "complete"]
    best = min(complete, key=lambda run: run.data.metrics["log_loss_folds"])
    used = json.loads((folder / "tuned.json").read_text())
    assert set(used) == set(SPACE)
    assert {name: str(value) for name, value in used.items()} == dict(best.data.params)
    content = json.loads((folder / "dossier.json").read_text())
    assert {name: content["made"]["training"][name] for name in used} == used
    assert tuned.tuning[0]["trials"] == 4
    assert tuned.tuning[0]["log loss after"] <= tuned.tuning[0]["log loss before"]


def test_a_tuned_run_says_so(tuned: TrainingReport, settings: Settings, folder: Path) -> None:
    tracking = connect(settings)
    run = tracking.client.get_run(tuned.run_id)
    assert run.info.run_name.startswith("train v1 tuned · ")
    assert run.data.tags["tuned"] == "true"
    used = json.loads((folder / "tuned.json").read_text())
    assert {key: run.data.params[f"tuned.{key}"] for key in used} == {k: str(v) for k, v in used.items()}
    assert "parameters from 4 trials" in run.data.tags["mlflow.note.content"]
    version = tracking.client.get_model_version("tuned", "1")
    assert version.tags["tuned"] == "true"
    assert "parameters from 4 trials" in version.description


def test_the_dossier_tells_of_the_search_and_of_the_gate(folder: Path) -> None:
    page = (folder / "dossier.html").read_text()
    for told in (
        "given up early",
        "The five best",
        "Promoted: version 1 took over from nobody",
        "--rollback",
    ):
        assert told in page


def test_a_run_is_made_again_after_the_tables_moved_on_and_were_vacuumed(
    tuned: TrainingReport, settings: Settings, trained: Trained, spark: SparkSession
) -> None:
    table = features_table(trained.order)
    before = trained.lake.version("features")
    trained.lake.overwrite(trained.lake.read("features").limit(10), table)
    try:
        kept = {row["table"]: row for row in as_rows(maintain(settings, trained.lake))}
        found = reproduce(
            spark, changed(settings, mlflow={"model_name": "tuned"}), trained.lake, tuned.run_id
        )
    finally:
        trained.lake.overwrite(trained.lake.read("features", version=before), table)
    assert str(before) in str(kept["features"]["versions kept for models"])
    assert set(kept) >= {"features", "labels", "users"}
    same = {row["what"]: row["same"] for row in found.rows}
    assert {"booster", "catalogue", "rows, settings, code and libraries", "roc_auc", "log_loss_low"} <= set(
        same
    )
    assert found.same, [row for row in found.rows if not row["same"]]
