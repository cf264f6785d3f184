"""Trees as MLflow keeps them: the native file, which `mlflow.xgboost.load_model` opens as the raw booster.

`mlflow.pyfunc.load_model`, and with it MLflow's server, answers calibrated probabilities.
"""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from pozytywka_spark.tracking.serving_files import add_serving

NAME = "xgboost"
FILE = "model.ubj"
PACKAGES = ("xgboost", "numpy", "pandas")


def save_model(
    path: str,
    mlflow_model: Any,
    content: bytes,
    signature: Any,
    calibration: Mapping[str, Any],
    packages: Mapping[str, str],
) -> None:
    """Write the files of a model to the folder `path`, as `mlflow.models.Model.log` asks of a flavour."""
    from importlib.metadata import version

    folder = Path(path)
    folder.mkdir(parents=True, exist_ok=True)
    (folder / FILE).write_bytes(content)
    mlflow_model.signature = signature
    kind = {"model_class": "xgboost.core.Booster", "model_format": "ubj", "code": None}
    mlflow_model.add_flavor(NAME, xgb_version=version("xgboost"), data=FILE, **kind)
    requirements = [f"{name}=={packages[name]}" for name in PACKAGES if name in packages]
    add_serving(folder, mlflow_model, FILE, calibration, requirements)
    mlflow_model.save(str(folder / "MLmodel"))
