"""The training stage on a world of known hazard: what it learns, logs, registers, reuses and refuses."""

from __future__ import annotations

import json
import sqlite3
from contextlib import closing
from dataclasses import replace
from pathlib import Path

import mlflow
import numpy as np
import pytest
import xgboost
from pyspark.sql import SparkSession
from pyspark.sql import functions as F
from sklearn.metrics import average_precision_score, brier_score_loss, log_loss, roc_auc_score

from pozytywka_spark.config import Settings
from pozytywka_spark.dataset import rows as training_rows
from pozytywka_spark.dataset.prepare import pin
from pozytywka_spark.errors import DataError, GuardError, TrackingError
from pozytywka_spark.features.declared.catalogue import catalogue_hash, feature_order
from pozytywka_spark.lake import Lake, open_lake
from pozytywka_spark.names import TEST
from pozytywka_spark.schemas import features_table
from pozytywka_spark.tracking import registry, runs
from pozytywka_spark.tracking.store import connect
from pozytywka_spark.training import stage
from pozytywka_spark.training.stage import train
from tests.worlds.known_hazard import hazard_rows, write_tables
from tests.worlds.trained import Trained, settings_in


def changed(settings: Settings, **sections: dict[str, object]) -> Settings:
    parts = {name: getattr(settings, name).model_copy(update=update) for name, update in sections.items()}
    return settings.model_copy(update=parts)


def test_models_stand_beside_each_other_and_trees_find_what_is_not_linear(trained: Trained) -> None:
    auc = {row["model"]: row["roc_auc"] for row in trained.report.models}
    assert list(auc) == ["majority", "logistic", "xgboost"]
    assert auc["majority"] == 0.5
    assert 0.55 < auc["logistic"] < auc["xgboost"] - 0.03
    assert [row["side"] for row in trained.report.split] == ["train", "validation", "test"]


def test_metrics_equal_scikit_learn_on_plain_xgboost_scores(trained: Trained) -> None:
    """The oracle shares nothing with the stage: MLflow's own loader, xgboost's own predict, scikit-learn."""
    tracking = connect(trained.settings)
    booster = mlflow.xgboost.load_model(f"models:/{trained.report.model_name}@challenger")
    test = trained.rows[trained.rows["month"].isin(months_of(trained, TEST))]
    margin = booster.predict(xgboost.DMatrix(test[list(trained.order)]), output_margin=True).astype(float)
    platt = mlflow.models.get_model_info(f"models:/{trained.report.model_name}@challenger").metadata[
        "calibrator"
    ]
    assert platt["method"] == "platt"
    predicted = 1 / (1 + np.exp(-(platt["slope"] * margin + platt["intercept"])))
    label = test["buys"].to_numpy(float)
    logged = runs.children(tracking, trained.report.run_id)["xgboost"]
    assert logged["rows"] == len(test)
    assert logged["positives"] == label.sum()
    expected = {
        "roc_auc": roc_auc_score(label, predicted),
        "pr_auc": average_precision_score(label, predicted),
        "log_loss": log_loss(label, predicted),
        "brier": brier_score_loss(label, predicted),
    }
    assert {name: logged[name] for name in expected} == pytest.approx(expected, rel=1e-6)
    assert logged["roc_auc_low"] < logged["roc_auc"] < logged["roc_auc_high"]


def test_nearly_as_good_as_the_true_probability(trained: Trained) -> None:
    """The truth known at the cut-off is the ceiling; 900 users leave 0.03 to it, 5,000 leave 0.007."""
    test = trained.rows[trained.rows["month"].isin(months_of(trained, TEST))]
    ceiling = roc_auc_score(test["buys"], test["truth"])
    reached = next(row["roc_auc"] for row in trained.report.models if row["model"] == "xgboost")
    assert ceiling - 0.05 < reached < ceiling + 0.01


def months_of(trained: Trained, side: str) -> list[object]:
    text = next(row["months"] for row in trained.report.split if row["side"] == side)
    first, _, last = str(text).partition(" to ")
    return [m for m in sorted(trained.rows["month"].unique()) if first <= f"{m:%Y-%m}" <= (last or first)]


def test_the_model_is_native_with_a_signature_of_doubles_and_what_scoring_needs(trained: Trained) -> None:
    connect(trained.settings)
    uri = f"models:/{trained.report.model_name}@champion"
    folder = Path(mlflow.artifacts.download_artifacts(uri))
    assert not [file for file in folder.rglob("*") if file.suffix in (".pkl", ".pickle", ".joblib")]
    info = mlflow.models.get_model_info(uri)
    assert [(column.name, column.type.name) for column in info.signature.inputs] == [
        (name, "double") for name in trained.order
    ]
    assert info.metadata["features"] == list(trained.order)
    assert info.metadata["catalogue_hash"] == catalogue_hash(trained.settings)
    booster = mlflow.xgboost.load_model(uri)
    assert info.metadata["iteration_range"] == [0, booster.num_boosted_rounds()]
    assert booster.num_boosted_rounds() < trained.settings.training.max_trees
    assert booster.feature_names == list(trained.order)


def test_the_run_says_where_the_model_came_from(trained: Trained) -> None:
    tracking = connect(trained.settings)
    run = tracking.client.get_run(trained.report.run_id)
    assert run.info.status == "FINISHED"
    then = trained.lake.read("features", version=int(run.data.tags["pozytywka.delta.features"]))
    # other tests write the same rows again as later versions
    assert training_rows.content_hash(then) == training_rows.content_hash(trained.lake.read("features"))
    assert run.data.tags[registry.LAKE] == trained.lake.root
    assert run.data.tags["pozytywka.catalogue_hash"] == catalogue_hash(trained.settings)
    folder = Path(mlflow.artifacts.download_artifacts(run_id=trained.report.run_id))
    assert json.loads((folder / "settings.json").read_text()) == trained.settings.resolved()
    names = {frozenset(metrics) - {"nothing"} for metrics in shared_metrics(trained)}
    assert len(names) == 1  # the same metric names side by side


def test_the_training_shows_its_tables_its_label_and_its_metrics(trained: Trained) -> None:
    tracking = connect(trained.settings)
    query = "tags.label = 'buys_within_30_days' and tags.tuned = 'false' and metrics.test_roc_auc > 0.5"
    found = [run.info.run_id for run in tracking.client.search_runs([tracking.experiment_id], query)]
    assert trained.report.run_id in found
    run = tracking.client.get_run(trained.report.run_id)
    months = f"{months_of(trained, 'train')[0]:%Y-%m}..{months_of(trained, 'train')[-1]:%Y-%m}"
    assert run.info.run_name == f"train v{trained.report.version} · {months} · xgboost"
    children = runs.children(tracking, trained.report.run_id)
    for name in ("roc_auc", "log_loss", "lift_at_10pct", "roc_auc_low"):
        assert run.data.metrics[f"test_{name}"] == children["xgboost"][name]
    assert run.data.metrics["test_roc_auc_logistic"] == children["logistic"]["roc_auc"]
    tables = {(entry.dataset.name, entry.tags[0].value): entry for entry in run.inputs.dataset_inputs}
    sides = {(name, side) for name in ("features", "labels") for side in ("training", "validation", "test")}
    assert set(tables) >= sides
    for (name, _), entry in tables.items():
        source = json.loads(entry.dataset.source)
        assert source["path"] == trained.lake.path(name)
        assert str(source["delta_table_version"]) == run.data.tags[f"pozytywka.delta.{name}"]
    used = {side: json.loads(tables["features", side].dataset.profile) for _, side in sides}
    assert [used["test"][key] for key in ("rows", "positives")] == [
        next(row[key] for row in trained.report.split if row["side"] == "test")
        for key in ("rows", "positives")
    ]  # fmt: skip
    columns = json.loads(tables["features", "test"].dataset.schema)["mlflow_colspec"]
    assert [column["name"] for column in columns][2:] == list(trained.order)


def test_the_version_and_the_run_tell_the_decision(trained: Trained) -> None:
    tracking = connect(trained.settings)
    version = tracking.client.get_model_version(tracking.model_name, str(trained.report.version))
    run = tracking.client.get_run(trained.report.run_id)
    for text in (version.description, run.data.tags["mlflow.note.content"]):
        assert text.lstrip("*").startswith("Promoted: version 1 took over from nobody.")
        assert f"runs/{trained.report.run_id}/artifacts/dossier.html)" in text
        assert f"| xgboost | {run.data.metrics['test_roc_auc']:.4f} (" in text
    assert (version.tags["decision"], run.data.tags["decision"]) == ("promoted", "promoted")


def shared_metrics(trained: Trained) -> list[set[str]]:
    children = runs.children(connect(trained.settings), trained.report.run_id)
    return [{name for name in metrics if not name.endswith("_by_tree")} for metrics in children.values()]


def test_the_same_inputs_are_not_trained_twice(trained: Trained, spark: SparkSession) -> None:
    # the same rows written again, in another order: another Delta version, the same content
    shuffled = trained.lake.read("labels").orderBy(F.desc("user_id"))
    from pozytywka_spark.schemas import labels_table

    trained.lake.overwrite(shuffled, labels_table(trained.settings.label.horizon_column))
    before = everything(trained)
    again = train(spark, trained.settings, trained.lake)
    assert again.reused
    assert everything(trained) == before
    assert (again.version, again.run_id) == (trained.report.version, trained.report.run_id)
    assert again.models == trained.report.models
    tracking = connect(trained.settings)
    assert len(tracking.client.search_model_versions(f"name='{tracking.model_name}'")) == 1


def everything(trained: Trained) -> list[str]:
    """All rows of MLflow's store: runs, tags, inputs, versions."""
    with closing(sqlite3.connect(Path(trained.settings.home) / "mlflow.db")) as store:
        return list(store.iterdump())


def test_content_hash_sees_values_and_repeats_but_not_order(spark: SparkSession) -> None:
    def digest(*rows: tuple[int, float | None]) -> str:
        return training_rows.content_hash(spark.createDataFrame(list(rows), "user_id bigint, x double"))

    base = digest((1, 0.5), (2, None))
    assert base == digest((2, None), (1, 0.5))
    assert (
        len({base, digest((1, 0.5)), digest((1, 0.5), (2, 0.0)), digest((1, 0.5), (2, None), (2, None))}) == 4
    )


@pytest.mark.parametrize(
    ("sections", "told"),
    [
        ({"split": {"validation_months": 9, "test_months": 9}}, "too few for this split; positives by month"),
        ({"label": {"horizon_days": 14}}, "table labels has no buys_within_14_days: run the features job"),
        ({"features": {"drop": ()}}, r"table features lacks \d+ of \d+ features"),
    ],
)
def test_what_can_not_be_trained_is_refused_by_name(
    trained: Trained, spark: SparkSession, sections: dict[str, dict[str, object]], told: str
) -> None:
    with pytest.raises(DataError, match=told):
        train(spark, changed(trained.settings, **sections), trained.lake)


def test_rows_that_stand_twice_stop_the_run(spark: SparkSession, tmp_path: Path) -> None:
    settings = settings_in(tmp_path)
    lake, order = open_lake(settings, spark), feature_order(settings)
    write_tables(settings, lake, hazard_rows(order, users=60))
    features = lake.read("features")
    lake.append(features.filter(F.col("user_id") == 1), features_table(order))
    with pytest.raises(GuardError, match=r"guard rows: train has .* mature labels, but"):
        train(spark, settings, lake)
    tracking = connect(settings)
    assert tracking.client.search_runs([tracking.experiment_id]) == []


def test_tables_that_did_not_change_are_not_read(trained: Trained, monkeypatch: pytest.MonkeyPatch) -> None:
    def read(*_: object, **__: object) -> None:
        raise AssertionError("rows were read")

    settings, lake = trained.settings, trained.lake
    pinned = pin(settings, lake)
    versions = connect(settings).client.get_run(trained.report.run_id).data.tags
    then = {name: int(versions[f"pozytywka.delta.{name}"]) for name in ("features", "labels")}
    monkeypatch.setattr(stage, "pin", lambda *_: replace(pinned, **at(lake, then)))
    monkeypatch.setattr(stage, "training_table", read)
    monkeypatch.setattr(lake, "tasks", read, raising=False)
    again = train(None, settings, lake)  # type: ignore[arg-type]  # no session is needed
    assert again.reused
    *told, decision = again.notes[1:]
    assert decision == "gate: version 1 is the champion already"
    assert replace(again, reused=False, notes=told) == replace(
        trained.report, notes=trained.report.notes[:-1]
    )
    other = changed(settings, training={"seed": 8})
    with pytest.raises(AssertionError, match="rows were read"):
        train(None, other, lake)  # type: ignore[arg-type]
    made_again = replace(pinned, versions=then, committed=dict.fromkeys(then, "2031-01-01"))
    monkeypatch.setattr(stage, "pin", lambda *_: made_again)
    with pytest.raises(AssertionError, match="rows were read"):
        train(None, settings, lake)  # type: ignore[arg-type]


def at(lake: Lake, versions: dict[str, int]) -> dict[str, dict[str, object]]:
    """Of `Pinned`: these versions and when they were committed."""
    committed = {
        name: next(each.time.isoformat() for each in lake.history(name) if each.version == version)
        for name, version in versions.items()
    }
    return {"versions": versions, "committed": committed}


@pytest.mark.parametrize("uri", ["http://127.0.0.1:9", "sqlite:////proc/nothing/mlflow.db", "nonsense://x"])
def test_a_store_out_of_reach_is_one_line(trained: Trained, uri: str) -> None:
    settings = changed(trained.settings, mlflow={"tracking_uri": uri})
    with pytest.raises(TrackingError) as refused:
        connect(settings)
    assert "\n" not in str(refused.value)
    assert uri in str(refused.value)


def test_a_password_in_the_address_is_never_told(trained: Trained) -> None:
    settings = changed(trained.settings, mlflow={"tracking_uri": "http://anna:hush@127.0.0.1:9"})
    with pytest.raises(TrackingError) as refused:
        connect(settings)
    assert "hush" not in str(refused.value)


def test_a_run_that_fails_registers_nothing(
    trained: Trained, spark: SparkSession, monkeypatch: pytest.MonkeyPatch
) -> None:
    from pozytywka_spark.training import log_training

    def killed(*_: object) -> None:
        raise KeyboardInterrupt

    tracking = connect(trained.settings)
    before = registry.aliased(tracking, registry.CHALLENGER)
    monkeypatch.setattr(log_training, "log_trees", killed)
    with pytest.raises(KeyboardInterrupt):
        train(spark, trained.settings, trained.lake, force=True)
    assert registry.aliased(tracking, registry.CHALLENGER) == before
    assert len(tracking.client.search_model_versions(f"name='{tracking.model_name}'")) == 1
    latest = tracking.client.search_runs([tracking.experiment_id], "tags.kind = 'training'")[0]
    assert latest.info.status == "KILLED"
