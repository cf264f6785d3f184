"""A model that is plain files (JSON, text), as MLflow keeps it: no loader, no pickle, no signature."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

NAME = "pozytywka_files"


def save_model(
    path: str,
    mlflow_model: Any,
    content: Mapping[str, bytes],
    signature: Any = None,
    requirements: Sequence[str] = (),
) -> None:
    """Write the files to the folder `path`, as `mlflow.models.Model.log` asks of a flavour."""
    folder = Path(path)
    folder.mkdir(parents=True, exist_ok=True)
    for name, data in content.items():
        place = folder / name
        place.parent.mkdir(parents=True, exist_ok=True)
        place.write_bytes(data)
    mlflow_model.add_flavor(NAME, files=sorted(content))
    mlflow_model.save(str(folder / "MLmodel"))
