"""What serves, in numpy: additive to the margin, kept as a file without pickle, read back to the last bit."""

from __future__ import annotations

import json
from pathlib import Path

import mlflow
import numpy as np
import pandas as pd
import pytest
import xgboost
from sklearn.linear_model import LogisticRegression

from pozytywka_spark.config import Settings
from pozytywka_spark.errors import TrackingError
from pozytywka_spark.evaluation import metric_sums
from pozytywka_spark.models.booster import Trees
from pozytywka_spark.models.calibration import PLATT, Calibrator
from pozytywka_spark.models.linear_fit import fit_weighted
from pozytywka_spark.models.names import LOGISTIC, XGBOOST
from pozytywka_spark.models.predictors import Linear, from_content
from pozytywka_spark.models.serving_model import ServingModel, from_metadata
from pozytywka_spark.names import LABEL
from pozytywka_spark.simulation.bootstrap_models import Recipe, fit_replicate, recipe
from pozytywka_spark.tracking import registry, runs
from pozytywka_spark.tracking.store import connect

ORDER = ("slope", "wave", "left_out")
LINE = Linear((0.1, 1e9, 0.0), (0.7, 3e8, 1.0), (1 / 3, -0.2, 0.0), -2.1)


@pytest.fixture(scope="module")
def matrix() -> np.ndarray:
    drawn = np.random.default_rng(0)
    found = np.column_stack([drawn.normal(size=400), drawn.normal(1e9, 3e8, 400), np.full(400, np.nan)])
    found[::7, 0] = np.nan
    return found


def serving(predictor: Linear | Trees) -> ServingModel:
    calibrator = Calibrator(PLATT, 0.9, 0.1)
    return ServingModel(predictor, ORDER, "hash", "buys", 30, 0.1, "2022-11", calibrator)


def test_a_lines_contributions_are_its_terms_and_add_up_to_the_margin(matrix: np.ndarray) -> None:
    margins, parts = LINE.margins(matrix), LINE.contributions(matrix)
    np.testing.assert_allclose(parts.sum(axis=1), margins, atol=1e-12)
    assert (parts[:, -1] == -2.1).all()
    row = matrix[1]
    assert parts[1, 0] == pytest.approx((row[0] - 0.1) / 0.7 / 3, rel=1e-12)
    assert parts[1, 1] == pytest.approx(-0.2 * (row[1] - 1e9) / 3e8, rel=1e-12)
    assert (parts[:, 2] == 0).all()  # left out, and missing everywhere
    assert parts[0, 0] == 0  # a missing value stands for the mean


def test_a_line_is_read_back_to_the_last_bit() -> None:
    assert from_content(LOGISTIC, LINE.content()) == LINE
    assert json.loads(LINE.content())["coefficients"] == list(LINE.coefficients)


@pytest.mark.parametrize(
    ("kind", "content", "told"),
    [
        (
            "forest",
            b"",
            "a model of kind forest can't be used by this version of the code, only boosted trees",
        ),
        (LOGISTIC, b"{", "the file of a logistic model can't be read"),
        (LOGISTIC, b'{"means": [1]}', "the file of a logistic model can't be read"),
        (LOGISTIC, b'{"means": [1], "scales": [1, 2], "coefficients": [1], "intercept": 0}', "is damaged"),
        (LOGISTIC, b'{"means": [1], "scales": [0], "coefficients": [1], "intercept": 0}', "is damaged"),
    ],
)
def test_a_file_that_is_no_model_is_told(kind: str, content: bytes, told: str) -> None:
    with pytest.raises(TrackingError, match=told):
        from_content(kind, content)


def test_models_registered_before_there_were_two_kinds_are_trees() -> None:
    trees = Trees(b"ubj", 17)
    metadata = serving(trees).metadata()
    assert (metadata["kind"], metadata["iteration_range"]) == (XGBOOST, [0, 17])
    before = {key: value for key, value in metadata.items() if key != "kind"} | {"format": 2}
    found = from_metadata(before, b"ubj", name="", version=0, run_id="")
    assert found == serving(trees)
    with pytest.raises(TrackingError, match=r"format 9, expected 3\): train again"):
        from_metadata(metadata | {"format": 9}, b"ubj", name="", version=0, run_id="")


@pytest.mark.thorough
def test_a_logistic_model_goes_through_mlflow_unchanged_and_anyone_can_load_it(
    settings: Settings, matrix: np.ndarray
) -> None:
    tracking = connect(settings)
    with runs.run(tracking, "by hand", tags={}) as run:
        logged = registry.log_model(tracking, run, serving(LINE), {"numpy": np.__version__})
    version = registry.register(tracking, run, logged, {})
    found = registry.load_version(tracking, version.number)
    assert (found.predictor, found.features, found.calibrator) == (LINE, ORDER, serving(LINE).calibrator)
    assert (found.kind, found.kind_in_words) == (LOGISTIC, "logistic regression")
    uri = f"models:/{tracking.model_name}/{version.number}"
    info = mlflow.models.get_model_info(uri)
    assert [(column.name, column.type.name) for column in info.signature.inputs] == [
        (name, "double") for name in ORDER
    ]
    assert (info.metadata["kind"], info.metadata["features"]) == (LOGISTIC, list(ORDER))
    folder = Path(mlflow.artifacts.download_artifacts(uri))
    suffixes = {file.suffix for file in folder.rglob("*") if file.is_file()}
    assert suffixes <= {"", ".json", ".txt", ".yaml", ".py"}, "nothing is pickled"
    shuffled = pd.DataFrame(matrix, columns=list(ORDER))[["wave", "left_out", "slope"]]
    plain = mlflow.pyfunc.load_model(uri).predict(shuffled)  # by the signature's order, not the caller's
    np.testing.assert_allclose(plain, found.calibrator.apply(LINE.margins(matrix)), atol=1e-12)


def test_a_weighted_fit_is_scikit_learns_on_repeated_rows(matrix: np.ndarray) -> None:
    drawn = np.random.default_rng(1)
    weight = drawn.poisson(1.0, len(matrix)).astype(float)
    label = (drawn.random(len(matrix)) < 1 / (1 + np.exp(-LINE.margins(matrix) - 1))).astype(float)
    found = fit_weighted(matrix, label, weight, 0.01)
    repeated = pd.DataFrame(np.repeat(matrix, weight.astype(int), axis=0), columns=list(ORDER))
    again = np.repeat(label, weight.astype(int))
    np.testing.assert_allclose(found.means[:2], repeated.mean()[:2])
    np.testing.assert_allclose(found.scales[:2], repeated.std()[:2])
    scaled = ((repeated - repeated.mean()) / repeated.std())[["slope", "wave"]].fillna(0)
    oracle = LogisticRegression(C=1 / (0.01 * len(again)), tol=1e-10, max_iter=1000).fit(scaled, again)
    np.testing.assert_allclose(found.coefficients[:2], oracle.coef_[0], atol=1e-6)
    assert found.coefficients[2] == 0
    np.testing.assert_allclose(
        found.margins(repeated.to_numpy()), oracle.decision_function(scaled), atol=1e-5
    )


def test_draws_that_teach_nothing_give_the_base_rate() -> None:
    same = np.ones((4, 1))
    label = np.array([1.0, 0.0, 0.0, 0.0])
    assert fit_weighted(same, label, np.ones(4), 0.01).margins(same) == pytest.approx(np.log(1 / 3))
    varying = np.arange(4.0)[:, None]
    assert np.isfinite(fit_weighted(varying, np.zeros(4), np.ones(4), 0.01).margins(varying)).all()


def test_replicates_of_a_simulation_are_of_the_champions_kind(settings: Settings, matrix: np.ndarray) -> None:
    import pyarrow as pa

    drawn = np.random.default_rng(2)
    users = np.arange(len(matrix))
    label = (drawn.random(len(matrix)) < 0.3).astype(np.float32)
    columns = {name: matrix[:, place] for place, name in enumerate(ORDER)}
    table = pa.table({"user_id": users, LABEL: label, **columns})
    line = recipe(settings, serving(LINE))
    assert line.trees == 0
    found = fit_replicate(table, line, ORDER, 7, 1)
    weight = metric_sums.user_weights(users, 7, 1, 1)[0]
    expected = fit_weighted(matrix, label.astype(float), weight, settings.training.logistic_reg_param)
    np.testing.assert_allclose(found.margins(matrix), expected.margins(matrix), atol=1e-6)
    trees = fit_replicate(table, Recipe(3, {"max_depth": 2}, 0.01), ORDER, 7, 1)
    assert isinstance(trees, Trees)
    booster = xgboost.Booster()
    booster.load_model(bytearray(trees.content()))
    assert (trees.trees, booster.num_boosted_rounds()) == (3, 3)
