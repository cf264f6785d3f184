"""What MLflow's server runs: calibrated probabilities from a logged model's files, by numpy and xgboost.

A model is logged with the source of this file (see `serving_files`), so that whoever serves it needs no
package of this project, and nothing is pickled. Its arithmetic is that of `models/predictors.py` and
`models/calibration.py`; tests hold it beside them.
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import pandas as pd
from mlflow.pyfunc import PythonModel, PythonModelContext

Matrix = npt.NDArray[np.float64]


class CalibratedModel(PythonModel):  # type: ignore[misc]  # MLflow has no types
    """Trees or a logistic model, and the calibrator that was fitted with it."""

    def load_context(self, context: PythonModelContext) -> None:
        """Read the model's files: `model`, the predictor's own, and `calibration`, what is needed beside."""
        self._calibration = json.loads(Path(context.artifacts["calibration"]).read_text(encoding="utf-8"))
        place = context.artifacts["model"]
        if self._calibration["kind"] == "xgboost":
            import xgboost

            self._trees = xgboost.Booster(model_file=place)
        else:
            self._line = json.loads(Path(place).read_text(encoding="utf-8"))

    def predict(
        self, context: PythonModelContext, model_input: pd.DataFrame, params: dict[str, Any] | None = None
    ) -> Matrix:
        """The calibrated probability of each row; MLflow has put the columns in the signature's order."""
        matrix = model_input.to_numpy(np.float64)
        trees = self._calibration["kind"] == "xgboost"
        return self._calibrated(self._of_trees(matrix) if trees else self._of_line(matrix))

    def _of_trees(self, matrix: Matrix) -> Matrix:
        margins = self._trees.inplace_predict(matrix, predict_type="margin", missing=np.nan)
        return np.asarray(margins, dtype=np.float64)

    def _of_line(self, matrix: Matrix) -> Matrix:
        means, scales, coefficients = (
            np.asarray(self._line[name], dtype=np.float64) for name in ("means", "scales", "coefficients")
        )
        distance = (matrix - means) / scales
        parts = np.where(np.isnan(distance), 0.0, distance) * coefficients
        return np.asarray(parts.sum(axis=1) + self._line["intercept"], dtype=np.float64)

    def _calibrated(self, margin: Matrix) -> Matrix:
        how = self._calibration["calibrator"]
        if how["method"] == "isotonic":
            return np.asarray(np.interp(margin, how["margins"], how["probabilities"]))
        with np.errstate(over="ignore"):  # 1 / infinity is the 0 that is meant
            return np.asarray(1.0 / (1.0 + np.exp(-(how["slope"] * margin + how["intercept"]))))
