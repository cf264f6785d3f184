"""training.prefer_simple from end to end: a line is registered, explained, monitored, weighed, made again."""

from __future__ import annotations

import html
import json
from dataclasses import dataclass, replace
from datetime import date
from pathlib import Path

import mlflow
import numpy as np
import pandas as pd
import pytest
import xgboost
from pyspark.sql import SparkSession
from sklearn.metrics import log_loss, roc_auc_score
from test_promotion import register

from pozytywka_spark import cli
from pozytywka_spark.config import Settings
from pozytywka_spark.evaluation.metric_sums import user_weights
from pozytywka_spark.features.declared.catalogue import feature_order
from pozytywka_spark.lake import open_lake
from pozytywka_spark.models.booster import Trees
from pozytywka_spark.models.linear_fit import SOLVER, fit_weighted
from pozytywka_spark.models.names import LOGISTIC
from pozytywka_spark.models.predictors import Linear
from pozytywka_spark.models.serving_model import ServingModel
from pozytywka_spark.monitoring.stage import monitor
from pozytywka_spark.promotion.aliases import run_gate
from pozytywka_spark.scoring.console import show_scoring as show_scoring
from pozytywka_spark.scoring.stage import score
from pozytywka_spark.simulation.bootstrap_models import refit
from pozytywka_spark.tracking import registry, runs
from pozytywka_spark.tracking.store import connect
from pozytywka_spark.training.console import show_reproduction, show_training
from pozytywka_spark.training.reproduce import reproduce
from pozytywka_spark.training.stage import train
from tests.worlds.known_hazard import (
    KEPT,
    LAST,
    TEST_FROM,
    VALIDATION_FROM,
    hazard_rows,
    straight,
    write_tables,
)
from tests.worlds.trained import Trained, settings_in

JAN = date(2023, 1, 1)


@dataclass(frozen=True)
class World(Trained):
    """A trained world, and the model that was registered in it."""

    model: ServingModel


@pytest.fixture(scope="module")
def world(spark: SparkSession, tmp_path_factory: pytest.TempPathFactory) -> World:
    """A world whose truth is a line, trained with the simple model preferred."""
    settings = settings_in(
        tmp_path_factory.mktemp("line"),
        *("training.prefer_simple=true", f"scoring.reasons={KEPT}", "simulation.bootstrap=4"),
        "training.max_trees=40",
    )
    lake, order = open_lake(settings, spark), feature_order(settings)
    rows = hazard_rows(order, users=700, log_odds=straight)
    write_tables(settings, lake, rows)
    report = train(spark, settings, lake)
    return World(settings, lake, rows, order, report, registry.load_model(connect(settings)))


def test_the_line_is_registered_and_everything_says_so(world: World) -> None:
    assert world.report.model_kind == "logistic regression"
    assert world.report.verdict.startswith("trees do not beat logistic regression")
    assert world.report.verdict.endswith("the simpler model is registered, for training.prefer_simple=true")
    assert any("the rows that chose it out of these two" in note for note in world.report.notes)
    with cli.OUT.capture() as shown:
        show_training(world.report)
    told = " ".join(shown.get().split())
    assert world.report.verdict in told
    assert "version 1 (champion: version 1), logistic regression" in told
    tracking = connect(world.settings)
    version = registry.aliased(tracking, registry.CHAMPION)
    assert version is not None
    assert version.tags[registry.KIND] == LOGISTIC
    run = tracking.client.get_run(world.report.run_id)
    assert run.data.tags[registry.KIND] == LOGISTIC
    assert run.data.tags["pozytywka.trees_against_logistic"] in ("no better", "worse")
    models = {row["model"]: row["roc_auc"] for row in world.report.models}
    assert run.data.metrics["trees_minus_logistic_roc_auc"] == pytest.approx(
        models["xgboost"] - models["logistic"]
    )
    assert run.data.metrics["roc_auc"] == models["logistic"]


def test_the_registered_line_is_the_fitted_one_without_pickle(world: World) -> None:
    line = world.model.predictor
    assert isinstance(line, Linear)
    train_rows = world.rows[world.rows["month"] < VALIDATION_FROM][list(world.order)]
    used = np.array(line.coefficients) != 0
    np.testing.assert_allclose(np.array(line.means)[used], train_rows.mean()[used], atol=1e-9)
    np.testing.assert_allclose(np.array(line.scales)[used], train_rows.std()[used], atol=1e-9)
    # the truth's slopes, a standard deviation being 1; regularised, and with noise
    wanted = np.zeros(len(world.order))
    wanted[[0, 3, 5]] = 0.6, -0.5, 0.7
    np.testing.assert_allclose(line.coefficients, wanted, atol=0.15)
    uri = f"models:/{world.report.model_name}@champion"
    folder = Path(mlflow.artifacts.download_artifacts(uri))
    assert not [file for file in folder.rglob("*") if file.suffix in (".pkl", ".pickle", ".joblib")]
    signature = mlflow.models.get_model_info(uri).signature
    assert [(each.name, each.type.name) for each in signature.inputs] == [
        (name, "double") for name in world.order
    ]


def test_its_metrics_are_of_calibrated_scores_on_the_test_months(world: World) -> None:
    test = world.rows[(world.rows["month"] >= TEST_FROM) & (world.rows["month"] < LAST)]
    predicted = calibrated(world.model, test[list(world.order)].to_numpy())
    logged = runs.children(connect(world.settings), world.report.run_id)["logistic"]
    assert logged["roc_auc"] == pytest.approx(roc_auc_score(test["buys"], predicted), abs=1e-9)
    assert logged["log_loss"] == pytest.approx(log_loss(test["buys"], predicted), abs=1e-9)
    assert world.model.calibrator.method == "platt"


def calibrated(model: ServingModel, matrix: np.ndarray) -> np.ndarray:
    chosen = model.calibrator
    return 1 / (1 + np.exp(-(chosen.slope * model.predictor.margins(matrix) + chosen.intercept)))


def test_the_same_inputs_give_the_same_sentence_without_training(world: World, spark: SparkSession) -> None:
    again = train(spark, world.settings, world.lake)
    assert again.reused
    assert (again.verdict, again.model_kind) == (world.report.verdict, world.report.model_kind)


def test_scores_are_the_lines_and_reasons_add_up_to_the_margin(world: World, spark: SparkSession) -> None:
    report = score(spark, world.settings, world.lake, JAN)
    assert report.model_kind == "logistic regression"
    with cli.OUT.capture() as shown:
        show_scoring(report)
    assert "version 1 (logistic regression)" in " ".join(shown.get().split())
    found = world.lake.read("predictions", partitions=[{"month": JAN}]).toPandas().sort_values("user_id")
    rows = world.rows[world.rows["month"] == JAN].sort_values("user_id")
    line, matrix = world.model.predictor, rows[list(world.order)].to_numpy()
    assert isinstance(line, Linear)
    distance = np.nan_to_num((matrix - np.array(line.means)) / np.array(line.scales))
    margin = distance @ np.array(line.coefficients) + line.intercept
    np.testing.assert_allclose(found["margin"], margin, atol=1e-9)
    np.testing.assert_allclose(found["probability"], calibrated(world.model, matrix), atol=1e-12)
    np.testing.assert_allclose(found["probability_raw"], 1 / (1 + np.exp(-margin)), atol=1e-12)
    parts = [sum(reason["contribution"] for reason in reasons) for reasons in found["reasons"]]
    np.testing.assert_allclose(np.array(parts) + line.intercept, found["margin"], atol=1e-9)
    first = found["reasons"].iloc[0][0]
    assert first["text"].endswith(("(raises the chance)", "(lowers the chance)"))
    assert first["feature"] in {world.order[place] for place in (0, 3, 5)}


def test_a_month_is_monitored_by_it(world: World, spark: SparkSession) -> None:
    report = monitor(spark, world.settings, world.lake, JAN)
    found = {(row["subject"], row["metric"]): row["value"] for row in report.findings}
    rows = world.rows[world.rows["month"] == JAN]
    predicted = calibrated(world.model, rows[list(world.order)].to_numpy())
    assert found["model", "realised_roc_auc"] == pytest.approx(roc_auc_score(rows["buys"], predicted))
    assert found["score", "psi"] is not None
    assert not report.retrain_advised


def test_a_simulation_refits_lines_on_users_drawn_anew(world: World, spark: SparkSession) -> None:
    with world.lake.tasks() as tasks:
        found = refit(tasks, world.settings, world.lake, world.model)
    assert len(found) == world.settings.simulation.bootstrap
    known = world.rows[world.rows["month"] < TEST_FROM].sort_values(["user_id", "month"])
    for number, line in enumerate(found, 1):
        assert isinstance(line, Linear)
        weight = user_weights(known["user_id"].to_numpy(), world.settings.simulation.seed, number, 1)[0]
        label = known["buys"].to_numpy(float)
        matrix = known[list(world.order)].to_numpy(np.float32).astype(float)
        expected = fit_weighted(matrix, label, weight, world.settings.training.logistic_reg_param)
        np.testing.assert_allclose(line.coefficients, expected.coefficients, atol=1e-5)


def test_its_page_has_coefficients_in_the_place_of_what_only_trees_have(world: World) -> None:
    folder = Path(mlflow.artifacts.download_artifacts(run_id=world.report.run_id))
    page = html.unescape((folder / "dossier.html").read_text())
    for told in (
        "The registered model is logistic regression.",
        "Trees do not beat logistic regression",
        "the rows that chose it out of these two",
        "boosted trees'",
        "log-odds a standard deviation",
    ):
        assert told in page
    assert "SHAP" not in page
    assert "How the strongest features act" not in page
    assert "Do the reasons hold over time?" not in page
    facts = json.loads((folder / "dossier.json").read_text())
    line = world.model.predictor
    assert isinstance(line, Linear)
    known = dict(zip(world.order, line.coefficients, strict=True))
    for row in facts["explained"]["strongest"]:
        assert row["coefficient"] == known[row["feature"]]
        assert row["direction"] == ("rises" if row["coefficient"] > 0 else "falls")


def test_it_is_made_again(world: World, spark: SparkSession) -> None:
    found = reproduce(spark, world.settings, world.lake, world.report.run_id)
    assert found.same, [row for row in found.rows if not row["same"]]
    what = {row["what"] for row in found.rows}
    assert {"coefficients", "kind of model", "roc_auc", "trees_minus_logistic_roc_auc"} <= what
    assert "booster" not in what
    assert (found.exactly, found.notes) == ("to seven digits", [])


def test_a_line_that_an_older_release_fitted_is_said_to_be_of_another_solver(
    world: World, spark: SparkSession, capsys: pytest.CaptureFixture[str]
) -> None:
    tracking, run = connect(world.settings), world.report.run_id
    tracking.client.delete_tag(run, registry.SOLVER)
    try:
        found = reproduce(spark, world.settings, world.lake, run)
    finally:
        tracking.client.set_tag(run, registry.SOLVER, SOLVER)
    assert found.same, [row for row in found.rows if not row["same"]]
    assert found.exactly == "within 0.0001, by another solver"
    assert show_reproduction(found) == 0
    told = capsys.readouterr().out
    assert "fitted by another solver then (Spark ML, now scikit-learn)" in told
    assert "the same within 0.0001, by another solver" in told


def named(settings: Settings, name: str) -> Settings:
    return settings.model_copy(update={"mlflow": settings.mlflow.model_copy(update={"model_name": name})})


def trees_on(rows: pd.DataFrame, model: ServingModel, rounds: int) -> ServingModel:
    """Plain boosted trees on the train months, otherwise as the model."""
    past = rows[rows["month"] < VALIDATION_FROM]
    data = xgboost.DMatrix(past[list(model.features)].to_numpy(), past["buys"])
    grown = xgboost.train({"objective": "binary:logistic", "max_depth": 2}, data, rounds)
    return replace(model, predictor=Trees(bytes(grown.save_raw("ubj")), rounds))


def test_the_gate_weighs_a_line_and_trees_against_each_other_both_ways(world: World) -> None:
    """One stump knows little of a line of three features: the line wins whichever of them came first."""
    settings = named(world.settings, "both ways")
    tracking = connect(settings)
    weak = trees_on(world.rows, world.model, 1)
    for alias, model in ((registry.CHAMPION, weak), (registry.CHALLENGER, world.model)):
        registry.set_alias(tracking, alias, register(tracking, model))
    promoted = run_gate(settings, world.lake, dry_run=False).decision
    assert promoted.promote
    assert promoted.reasons[-1] == "the champion is boosted trees, the challenger logistic regression"
    registry.set_alias(tracking, registry.CHALLENGER, 1)
    registry.set_alias(tracking, registry.CHAMPION, 2)
    kept = run_gate(settings, world.lake, dry_run=False)
    assert (kept.champion, kept.decision.promote) == (2, False)


def test_trees_are_registered_where_they_win_though_the_simple_is_preferred(
    trained: Trained, spark: SparkSession
) -> None:
    training = trained.settings.training.model_copy(update={"prefer_simple": True, "max_trees": 60})
    settings = named(trained.settings, "crossed").model_copy(update={"training": training})
    report = train(spark, settings, trained.lake)
    assert report.model_kind == "boosted trees"
    assert report.verdict.startswith("trees beat logistic regression: ROC AUC +0.")
    assert trained.report.verdict.startswith("trees beat logistic regression: ROC AUC +0.")
    tracking = connect(settings)
    model = registry.load_model(tracking)
    assert isinstance(model.predictor, Trees)
    run = tracking.client.get_run(report.run_id)
    assert run.data.tags["pozytywka.trees_against_logistic"] == "beat"
    assert run.data.metrics["trees_better_share"] >= 0.975
