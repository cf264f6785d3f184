"""A logistic model as MLflow keeps it: a JSON file.

`mlflow.pyfunc.load_model`, and with it MLflow's server, answers calibrated probabilities. Nothing is pickled.
"""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from pozytywka_spark.models.booster import Matrix, Predictor
from pozytywka_spark.models.names import LOGISTIC
from pozytywka_spark.models.predictors import from_content
from pozytywka_spark.tracking.serving_files import add_serving

NAME = "pozytywka_logistic"
FILE = "logistic.json"
PACKAGES = ("numpy", "pandas")


class ByMlflow:
    """What `mlflow.pyfunc` calls of models that releases before 0.5.0 logged: they answer uncalibrated."""

    def __init__(self, predictor: Predictor) -> None:
        self._predictor = predictor

    def predict(self, rows: pd.DataFrame, params: dict[str, Any] | None = None) -> Matrix:
        """The uncalibrated probability of each row; MLflow has put the columns in the signature's order."""
        margin = self._predictor.margins(rows.to_numpy(np.float64))
        return np.asarray(1.0 / (1.0 + np.exp(-margin)), dtype=np.float64)


def save_model(
    path: str,
    mlflow_model: Any,
    content: bytes,
    signature: Any,
    calibration: Mapping[str, Any],
    packages: Mapping[str, str],
) -> None:
    """Write the files of a model to the folder `path`, as `mlflow.models.Model.log` asks of a flavour."""
    folder = Path(path)
    folder.mkdir(parents=True, exist_ok=True)
    (folder / FILE).write_bytes(content)
    mlflow_model.signature = signature
    mlflow_model.add_flavor(NAME, data=FILE)
    requirements = [f"{name}=={packages[name]}" for name in PACKAGES if name in packages]
    add_serving(folder, mlflow_model, FILE, calibration, requirements)
    mlflow_model.save(str(folder / "MLmodel"))


def _load_pyfunc(path: str) -> ByMlflow:
    """MLflow's loader calls this by its name."""
    return ByMlflow(from_content(LOGISTIC, Path(path).read_bytes()))
