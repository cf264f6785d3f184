"""What a training leaves for people: slices, importances, the dossier."""

from __future__ import annotations

import json
from pathlib import Path

import mlflow
import numpy as np
import pytest
import xgboost
from pyspark.sql import SparkSession
from pyspark.sql import functions as F
from sklearn.metrics import roc_auc_score
from trained import Trained

from pozytywka_spark.training.booster import load
from pozytywka_spark.training.dossier_models import worst_slice
from pozytywka_spark.training.scores import join_city, slices_of
from pozytywka_spark.training.tracking.registry import load_model
from pozytywka_spark.training.tracking.store import connect


@pytest.fixture(scope="module")
def folder(trained: Trained) -> Path:
    connect(trained.settings)
    return Path(mlflow.artifacts.download_artifacts(run_id=trained.report.run_id))


def test_the_dossier_is_one_page_that_fetches_nothing(folder: Path) -> None:
    page = (folder / "dossier.html").read_text()
    for told in (
        "In short",
        "Models beside each other",
        "Slices",
        "What moves the scores",
        "city: Radom",
    ):
        assert told in page
    assert page.count("<img") == 5
    assert "http://" not in page
    assert "https://" not in page
    assert "within" in page  # the guard's word


def test_slices_equal_scikit_learn(trained: Trained) -> None:
    tracking = connect(trained.settings)
    child = next(
        run
        for run in tracking.client.search_runs([tracking.experiment_id], "tags.mlflow.runName = 'xgboost'")
        if run.data.tags["mlflow.parentRunId"] == trained.report.run_id
    )
    file = mlflow.artifacts.download_artifacts(run_id=child.info.run_id, artifact_path="evaluation.json")
    slices = json.loads(Path(file).read_text())["slices"]
    model = load_model(tracking)
    months = trained.rows["month"].astype(str).str[:7]
    for name, chosen in (
        ("month: 2023-01", months == "2023-01"),
        ("city: Gdynia", months.isin(["2022-12", "2023-01"]) & (trained.rows["user_id"] % 3 == 0)),
    ):
        rows = trained.rows[chosen]
        margin = load(model.booster).predict(xgboost.DMatrix(rows[list(trained.order)]), output_margin=True)
        assert slices[name]["rows"] == len(rows)
        assert slices[name]["roc_auc"] == pytest.approx(roc_auc_score(rows["buys"], margin), abs=1e-9)


def test_importances_are_the_mean_strength_of_plain_xgboosts_contributions(
    trained: Trained, folder: Path
) -> None:
    found = json.loads((folder / "importances.json").read_text())["features"]
    rows = trained.rows[trained.rows["month"].astype(str).isin(["2022-12-01", "2023-01-01"])]
    booster = load(load_model(connect(trained.settings)).booster)
    contributions = booster.predict(xgboost.DMatrix(rows[list(trained.order)]), pred_contribs=True)[:, :-1]
    expected = dict(zip(trained.order, np.abs(contributions).mean(axis=0), strict=True))
    assert {row["feature"]: row["strength"] for row in found} == pytest.approx(
        {name: value for name, value in expected.items() if value > 0}, rel=1e-5
    )
    assert [row["strength"] for row in found] == sorted((row["strength"] for row in found), reverse=True)
    # the truth has a wave over the first, gated by the fourth, and a slope over the sixth
    assert {row["feature"] for row in found[:3]} == {trained.order[place] for place in (0, 3, 5)}
    assert next(row for row in found if row["feature"] == trained.order[5])["direction"] == "rises"


def test_ranges_are_half_open(spark: SparkSession) -> None:
    values = [
        (0.0, "under 30 days"),
        (29.0, "under 30 days"),
        (30.0, "30 to 89 days"),
        (365.0, "365 days or more"),
    ]
    frame = spark.createDataFrame([*values, (None, "unknown")], "tenure_days double, expected string")
    sliced = frame.withColumns({"month": F.lit("2023-01-01").cast("date")}).withColumns(
        slices_of(["tenure_days"])
    )
    assert sliced.filter(F.col("slice_tenure") != F.col("expected")).collect() == []
    assert {row["slice_month"] for row in sliced.collect()} == {"2023-01"}


def test_small_cities_are_other_and_nobody_is_lost(spark: SparkSession) -> None:
    cities = [(user, f"city {user // 3:02}") for user in range(1, 70)]
    users = spark.createDataFrame([*cities, (70, None)], "user_id bigint, city string")
    rows = spark.createDataFrame([(user,) for user in range(1, 72)], "user_id bigint")
    found = {row["user_id"]: row["city"] for row in join_city(rows, users).collect()}
    assert len(found) == 71
    assert found[70] is None
    assert found[71] is None
    assert len({city for city in found.values() if city not in (None, "other")}) == 20
    assert found[69] == "other"  # city 23 has a single user


def test_the_worst_slice_is_the_lowest_that_can_be_judged() -> None:
    def row(auc: float | None, positives: int) -> dict[str, object]:
        return {"roc_auc": auc, "positives": positives, "rows": 100}

    slices = {"a": row(0.8, 20), "b": row(0.6, 20), "c": row(0.5, 2), "d": row(None, 0), "e": row(0.1, 99)}
    assert worst_slice(slices, 10) == "b"
    assert worst_slice({"c": row(0.5, 2)}, 10) is None
