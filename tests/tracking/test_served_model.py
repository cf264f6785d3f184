"""A champion served by MLflow alone: calibrated, the same as the table predictions, with nothing of ours."""

import json
import os
import signal
import socket
import subprocess
import sys
import time
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from importlib.metadata import version as installed
from pathlib import Path

import mlflow
import numpy as np
import pandas as pd
import pytest
from pyspark.sql import SparkSession

from pozytywka_spark.config import Settings
from pozytywka_spark.models.booster import Trees
from pozytywka_spark.models.calibration import ISOTONIC, PLATT, Calibrator
from pozytywka_spark.models.predictors import Linear
from pozytywka_spark.models.serving_model import ServingModel
from pozytywka_spark.scoring.stage import score
from pozytywka_spark.tracking import registry, runs
from pozytywka_spark.tracking.store import connect
from tests.worlds.trained import Trained

ORDER = ("slope", "wave", "left_out")
LINE = Linear((0.5, 10.0, 0.0), (2.0, 3.0, 1.0), (1.5, -0.7, 0.0), -2.0)
CALIBRATORS = (
    Calibrator(),
    Calibrator(PLATT, 0.8, -0.3),
    Calibrator(ISOTONIC, margins=(-3.0, -1.0, 0.5), probabilities=(0.01, 0.2, 0.7)),
)
PACKAGES = {name: installed(name) for name in ("xgboost", "numpy", "pandas", "pyspark")}


def small_trees(matrix: np.ndarray) -> Trees:
    import xgboost

    label = (matrix[:, 0] > 0.4).astype(float)
    options = {"objective": "binary:logistic", "max_depth": 3, "nthread": 1}
    grown = xgboost.train(options, xgboost.DMatrix(matrix, label), num_boost_round=7)
    return Trees(bytes(grown.save_raw("ubj")), 7)


@pytest.fixture(scope="module")
def matrix() -> np.ndarray:
    drawn = np.random.default_rng(28)
    values = drawn.normal(0, 4, (300, 3))
    values[drawn.random(values.shape) < 0.2] = np.nan
    return values


def log(settings: Settings, model: ServingModel) -> tuple[str, int]:
    """Its address in the registry, and its version."""
    tracking = connect(settings)
    with runs.run(tracking, "by hand", tags={}) as run:
        logged = registry.log_model(tracking, run, model, PACKAGES)
    number = registry.register(tracking, run, logged, {}).number
    return f"models:/{tracking.model_name}/{number}", number


@pytest.mark.thorough
@pytest.mark.parametrize("calibrator", CALIBRATORS, ids=lambda each: each.method)
@pytest.mark.parametrize("kind", ["trees", "line"])
def test_what_mlflow_loads_answers_calibrated_probabilities(
    settings: Settings, matrix: np.ndarray, kind: str, calibrator: Calibrator
) -> None:
    predictor = LINE if kind == "line" else small_trees(matrix)
    model = ServingModel(predictor, ORDER, "hash", "buys_within_30_days", 30, 0.1, calibrator=calibrator)
    address, number = log(settings, model)
    rows = pd.DataFrame(matrix, columns=list(ORDER))
    answered = mlflow.pyfunc.load_model(address).predict(rows[["wave", "left_out", "slope"]])
    np.testing.assert_array_equal(answered, calibrator.apply(predictor.margins(matrix)))
    # what scoring reads back is the same model
    back = registry.load_version(connect(settings), number)
    assert back == replace(model, name=back.name, version=number, run_id=back.run_id)
    if kind == "trees":
        raw = mlflow.xgboost.load_model(address)
        assert bytes(raw.save_raw("ubj")) == predictor.content()


@pytest.mark.thorough
def test_a_logged_model_has_no_pickle_and_asks_for_nothing_of_ours(
    settings: Settings, matrix: np.ndarray, tmp_path: Path
) -> None:
    model = ServingModel(small_trees(matrix), ORDER, "hash", "buys_within_30_days", 30, 0.1)
    address, _ = log(settings, model)
    info = mlflow.models.get_model_info(address)
    assert [(column.name, column.type.name) for column in info.signature.outputs] == [
        ("probability", "double")
    ]
    folder = Path(mlflow.artifacts.download_artifacts(address, dst_path=str(tmp_path / "model")))
    names = {file.name for file in folder.rglob("*") if file.is_file()} - {"registered_model_meta"}
    assert names == {
        "MLmodel", "calibrated_model.py", "calibration.json", "conda.yaml", "model.ubj", "python_env.yaml",
        "requirements.txt",
    }  # fmt: skip
    asked = [line.partition("==")[0] for line in (folder / "requirements.txt").read_text().splitlines()]
    assert asked == ["mlflow", "xgboost", "numpy", "pandas"]
    assert "pozytywka_spark" not in (folder / "calibrated_model.py").read_text().replace("`", "")


def free_port() -> int:
    with socket.socket() as found:
        found.bind(("127.0.0.1", 0))
        return int(found.getsockname()[1])


@contextmanager
def served(settings: Settings, address: str, folder: Path) -> Iterator[str]:
    """MLflow's own server of a model, in processes that can't import this project; its URL."""
    (folder / "sitecustomize.py").write_text("import sys\nsys.modules['pozytywka_spark'] = None\n")
    port, log = free_port(), folder / "server.log"
    environment = {
        **os.environ,
        "PATH": f"{Path(sys.executable).parent}:{os.environ['PATH']}",
        "PYTHONPATH": str(folder),
        "MLFLOW_TRACKING_URI": settings.mlflow.tracking_uri,
        "OMP_NUM_THREADS": "1",
        "MLFLOW_DISABLE_TELEMETRY": "true",
    }
    command = [str(Path(sys.executable).with_name("mlflow")), "models", "serve", "-m", address]
    command += ["--env-manager", "local", "--host", "127.0.0.1", "--port", str(port), "--workers", "1"]
    with log.open("w") as told:
        server = subprocess.Popen(
            command, env=environment, cwd=folder, stdout=told, stderr=told, start_new_session=True
        )
    try:
        url = f"http://127.0.0.1:{port}"
        for _ in range(600):
            try:
                with urllib.request.urlopen(f"{url}/ping", timeout=2):
                    break
            except OSError:
                assert server.poll() is None, log.read_text()[-2000:]
                time.sleep(0.1)
        else:
            raise TimeoutError(log.read_text()[-2000:])
        yield url
    finally:
        if server.poll() is None:
            os.killpg(server.pid, signal.SIGTERM)
        server.wait(30)


def test_mlflows_server_answers_what_predictions_say(
    trained: Trained, spark: SparkSession, tmp_path: Path
) -> None:
    report = score(spark, trained.settings, trained.lake)
    found = trained.lake.read("predictions").toPandas()
    found = found[(found["month"] == report.month) & (found["model_version"] == report.model_version)]
    rows = trained.rows[trained.rows["month"] == report.month].sort_values("user_id")
    body = json.dumps({"dataframe_split": json.loads(rows[list(trained.order)].to_json(orient="split"))})
    assert "null" in body
    address = f"models:/{report.model_name}@champion"
    with served(trained.settings, address, tmp_path) as url:
        request = urllib.request.Request(
            f"{url}/invocations", body.encode(), {"Content-Type": "application/json"}
        )
        with urllib.request.urlopen(request, timeout=60) as answer:
            probabilities = json.loads(answer.read())["predictions"]
    expected = found.sort_values("user_id")
    assert expected["user_id"].tolist() == rows["user_id"].tolist()
    np.testing.assert_allclose(probabilities, expected["probability"], atol=1e-6, rtol=0)
    assert np.abs(expected["probability"] - expected["probability_raw"]).max() > 1e-4, (
        "calibration does something"
    )
