"""Trees as MLflow's XGBoost flavour: `mlflow.xgboost.load_model` and `mlflow.pyfunc` open them.

MLflow's `log_model` writes the same files, and first looks through every installed package for the modules
that it has, to warn of requirements that aren't met: seconds. Ours are the versions that run.
"""

from __future__ import annotations

import json
import platform
from collections.abc import Sequence
from pathlib import Path
from typing import Any

NAME = "xgboost"
FILE = "model.ubj"
_CONDA, _PYTHON, _REQUIREMENTS = "conda.yaml", "python_env.yaml", "requirements.txt"


def save_model(
    path: str, mlflow_model: Any, content: bytes, signature: Any, requirements: Sequence[str]
) -> None:
    """Write the files of a model to the folder `path`, as `mlflow.models.Model.log` asks of a flavour."""
    from importlib.metadata import version

    from mlflow import pyfunc

    folder = Path(path)
    folder.mkdir(parents=True, exist_ok=True)
    (folder / FILE).write_bytes(content)
    pip = [f"mlflow=={version('mlflow')}", *requirements]
    (folder / _REQUIREMENTS).write_text("\n".join(pip))
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
    mlflow_model.signature = signature
    kind = {"model_class": "xgboost.core.Booster", "model_format": "ubj", "code": None}
    mlflow_model.add_flavor(NAME, xgb_version=version("xgboost"), data=FILE, **kind)
    pyfunc.add_to_model(
        mlflow_model, loader_module="mlflow.xgboost", data=FILE, conda_env=_CONDA, python_env=_PYTHON
    )
    mlflow_model.save(str(folder / "MLmodel"))
