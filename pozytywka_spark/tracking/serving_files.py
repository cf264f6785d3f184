"""The files by which MLflow's server answers calibrated probabilities: a model from code, no pickle.

MLflow's own `log_model` writes the same, and first looks through every installed package for the modules
that a model has, to warn of requirements that aren't met: seconds. Ours are the versions that run.
"""

from __future__ import annotations

import json
import platform
from collections.abc import Mapping, Sequence
from importlib.resources import files
from pathlib import Path
from typing import Any

MODEL, CALIBRATION = "model", "calibration"  # what the code asks for by these names
_CALIBRATION_FILE, _CODE = "calibration.json", "calibrated_model.py"
_CONDA, _PYTHON, _REQUIREMENTS = "conda.yaml", "python_env.yaml", "requirements.txt"
_LOADER = "mlflow.pyfunc.loaders.code_model"


def add_serving(
    folder: Path,
    mlflow_model: Any,
    file: str,
    calibration: Mapping[str, Any],
    requirements: Sequence[str],
) -> None:
    """Add to a model's folder what serves it, and to `mlflow_model` that it does.

    `file`: the predictor's, in the folder; `calibration`: `kind` and `calibrator` of `ServingModel.metadata`;
    `requirements`: packages as pip takes them, MLflow comes beside.
    """
    from mlflow import pyfunc

    (folder / _CALIBRATION_FILE).write_text(json.dumps(calibration, allow_nan=False), encoding="utf-8")
    source = files(__package__).joinpath(_CODE).read_text(encoding="utf-8")
    call = "\n\nfrom mlflow.models import set_model  # noqa: E402\n\nset_model(CalibratedModel())\n"
    (folder / _CODE).write_text(source + call, encoding="utf-8")
    _write_environment(folder, requirements)
    places = {MODEL: file, CALIBRATION: _CALIBRATION_FILE}
    pyfunc.add_to_model(
        mlflow_model,
        loader_module=_LOADER,
        conda_env=_CONDA,
        python_env=_PYTHON,
        model_code_path=_CODE,
        artifacts={name: {"path": place, "uri": place} for name, place in places.items()},
    )


def _write_environment(folder: Path, requirements: Sequence[str]) -> None:
    from importlib.metadata import version

    pip = [f"mlflow=={version('mlflow')}", *requirements]
    (folder / _REQUIREMENTS).write_text("\n".join([*pip, ""]))
    # JSON is YAML
    python = platform.python_version()
    conda = {
        "name": "mlflow-env",
        "channels": ["conda-forge"],
        "dependencies": [f"python={python}", "pip", {"pip": pip}],
    }
    (folder / _CONDA).write_text(json.dumps(conda, indent=2))
    environment = {"python": python, "build_dependencies": ["pip"], "dependencies": [f"-r {_REQUIREMENTS}"]}
    (folder / _PYTHON).write_text(json.dumps(environment, indent=2))
