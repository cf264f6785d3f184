"""What a training leaves for people: slices, importances, the dossier."""

from __future__ import annotations

import json
from pathlib import Path

import mlflow
import numpy as np
import pytest
import xgboost
from sklearn.metrics import roc_auc_score

from pozytywka_spark.dossier.model_sections import worst_slice
from pozytywka_spark.dossier.page import dossier
from pozytywka_spark.models.booster import load
from pozytywka_spark.tracking.registry import load_model
from pozytywka_spark.tracking.store import connect
from tests.worlds.trained import Trained


@pytest.fixture(scope="module")
def folder(trained: Trained) -> Path:
    connect(trained.settings)
    return Path(mlflow.artifacts.download_artifacts(run_id=trained.report.run_id))


def folder_run(folder: Path) -> str:
    return str(json.loads((folder / "dossier.json").read_text())["run"])


def test_the_dossier_is_one_page_that_fetches_nothing(folder: Path) -> None:
    page = (folder / "dossier.html").read_text()
    for told in (
        "In short",
        "The gate",
        "Promoted: version 1 took over from nobody.",  # written again after the gate
        "Models beside each other",
        "Whom to address",
        "probability from 0.1",
        "Slices",
        "orst slice with at least 10 buyers: ",
        "Trees beat logistic regression: ROC AUC +",
        "The registered model is boosted trees.",
        "What moves the scores",
        "How the strongest features act",
        "Do the reasons hold over time?",
        "no search was made",
        "reproduce " + folder_run(folder),
        "city: Radom",
    ):
        assert told in page
    assert page.count("<img") == 11
    assert "http://" not in page
    assert "https://" not in page
    assert "within" in page  # the guard's word


def test_slices_equal_scikit_learn(trained: Trained, folder: Path) -> None:
    slices = json.loads((folder / "dossier.json").read_text())["slices"]
    model = load_model(connect(trained.settings))
    months = trained.rows["month"].astype(str).str[:7]
    for name, chosen in (
        ("month: 2023-01", months == "2023-01"),
        ("city: Gdynia", months.isin(["2022-12", "2023-01"]) & (trained.rows["user_id"] % 3 == 0)),
    ):
        rows = trained.rows[chosen]
        margin = load(model.predictor.content()).predict(
            xgboost.DMatrix(rows[list(trained.order)]), output_margin=True
        )
        assert slices[name]["rows"] == len(rows)
        assert slices[name]["roc_auc"] == pytest.approx(roc_auc_score(rows["buys"], margin), abs=1e-9)
        low, high = slices[name]["roc_auc_interval"]
        assert low < slices[name]["roc_auc"] < high


def test_importances_are_the_mean_strength_of_plain_xgboosts_contributions(
    trained: Trained, folder: Path
) -> None:
    explained = json.loads((folder / "dossier.json").read_text())["explained"]
    found = explained["strongest"]
    rows = trained.rows[trained.rows["month"].astype(str).isin(["2022-12-01", "2023-01-01"])]
    booster = load(load_model(connect(trained.settings)).predictor.content())
    contributions = booster.predict(xgboost.DMatrix(rows[list(trained.order)]), pred_contribs=True)[:, :-1]
    expected = dict(zip(trained.order, np.abs(contributions).mean(axis=0), strict=True))
    assert {row["feature"]: row["strength"] for row in found} == pytest.approx(
        {name: value for name, value in expected.items() if value > 0}, rel=1e-5
    )
    assert [row["strength"] for row in found] == sorted((row["strength"] for row in found), reverse=True)
    # the truth has a wave over the first, gated by the fourth, and a slope over the sixth
    assert {row["feature"] for row in found[:3]} == {trained.order[place] for place in (0, 3, 5)}
    assert next(row for row in found if row["feature"] == trained.order[5])["direction"] == "rises"
    assert explained["rows"] == explained["held"] == len(rows)
    slope = [row["contribution"] for row in explained["dependence"][trained.order[5]]]
    assert slope[-1] > slope[0] + 1  # the truth is a line of 0.7 over it


def test_the_reasons_of_a_world_that_does_not_change_are_stable(folder: Path) -> None:
    holds = json.loads((folder / "dossier.json").read_text())["stability"]
    assert len(holds["folds"]) == 3
    # six of the nine features are noise, whose order nobody can keep
    assert all(fold["rank_correlation"] > 0.3 for fold in holds["folds"])
    assert all(row["rank_high"] <= 3 for row in holds["features"][:3])
    assert all(row["share_low"] <= row["share_high"] for row in holds["features"])


def test_a_decided_page_is_made_from_the_logged_facts_alone(folder: Path) -> None:
    facts = json.loads((folder / "dossier.json").read_text())
    outcome = json.loads((folder / "gate.json").read_text())
    assert dossier(facts, outcome) == (folder / "dossier.html").read_text()
    kept = {"verdict": "Kept: <b>", "reasons": ["because"], "changes": ["more users"], "table": []}
    page = dossier(facts, kept)
    assert "Kept: &lt;b&gt;" in page
    assert "What would change the decision" in page
    assert "more users" in page
    # a run logged before there was a verdict: its page can still be made
    older = {key: value for key, value in facts.items() if key != "verdict"}
    older["made"] = {key: value for key, value in facts["made"].items() if key != "kind"}
    undecided = dossier(older, None)
    assert "has not decided" in undecided
    assert "beat logistic regression" not in undecided


def test_the_worst_slice_is_the_lowest_that_can_be_judged() -> None:
    def row(auc: float | None, positives: int) -> dict[str, object]:
        return {"roc_auc": auc, "positives": positives, "rows": 100}

    slices = {"a": row(0.8, 20), "b": row(0.6, 20), "c": row(0.5, 2), "d": row(None, 0), "e": row(0.1, 99)}
    assert worst_slice(slices, 10) == "b"
    assert worst_slice({"c": row(0.5, 2)}, 10) is None
