"""Registered models that are plain files: logged once for the same inputs, loaded back as they were.

Aliases, tags and look-ups are the registry's, on the connection that `named` gives:

    tracking = named(connect(settings), "pozytywka-bandit-spotlight")
    version = register_files(tracking, "bandit spotlight", made)
    registry.set_alias(tracking, registry.CHALLENGER, version.number)
    load_files(tracking, version.number)["policy.json"]
"""

from __future__ import annotations

import tempfile
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path, PurePosixPath

from pozytywka_spark.tracking import files_flavour, registry, runs
from pozytywka_spark.tracking.notes import KIND
from pozytywka_spark.tracking.registry import Version
from pozytywka_spark.tracking.store import Tracking, as_tracking_error


@dataclass(frozen=True)
class PlainModel:
    """What to register. `kind`: the run's, such as `bandit`; `inputs`: fingerprint of all it was made of;
    `lake_root` and `versions`: the Delta versions that `maintain` then keeps; `tags`: the version's.
    """

    kind: str
    inputs: str
    files: Mapping[str, bytes]
    lake_root: str
    versions: Mapping[str, int]
    tags: Mapping[str, str] = field(default_factory=dict)
    params: Mapping[str, object] = field(default_factory=dict)
    metrics: Mapping[str, float] = field(default_factory=dict)


def named(tracking: Tracking, model_name: str) -> Tracking:
    """The same store, for the registered model of another name."""
    return replace(tracking, model_name=model_name)


def register_files(
    tracking: Tracking,
    run_name: str,
    model: PlainModel,
    more: Callable[[str], None] = lambda run_id: None,
) -> Version:
    """The version made of those inputs: the one there is, else a new one; `more` logs to its run too.

    The run carries the Delta versions before the model is registered, so that no version lacks its pins.
    Raises `TrackingError`; `ValueError` for a file name that would leave the model's folder.
    """
    for name in model.files:
        place = PurePosixPath(name)
        if place.is_absolute() or ".." in place.parts or not place.parts or name == "MLmodel":
            raise ValueError(f"file {name!r} of a model: expected a name within its folder")
    there = registry.find_version(tracking, model.inputs)
    if there is not None:
        return there
    runs.close_abandoned(tracking, registry.INPUTS, model.inputs)
    tags = {
        KIND: model.kind,
        registry.INPUTS: model.inputs,
        registry.LAKE: model.lake_root,
        **{f"{registry.DELTA}{table}": str(version) for table, version in model.versions.items()},
    }
    with runs.run(tracking, run_name, tags=tags) as run_id:
        runs.log(tracking, run_id, params=model.params, metrics=model.metrics)
        more(run_id)
        logged = _log(tracking, run_id, model.files)
        of_version = {**model.tags, registry.TRAINING_RUN: run_id, registry.INPUTS: model.inputs}
        return registry.register(tracking, run_id, logged, of_version)


def load_files(tracking: Tracking, number: int) -> dict[str, bytes]:
    """The files of that version, by name. Raises `TrackingError` if there is none, or its files are gone."""
    with as_tracking_error(tracking.uri, f"read model {tracking.model_name} version {number} from"):
        import mlflow.artifacts
        from mlflow.models import Model

        source = tracking.client.get_model_version(tracking.model_name, str(number)).source
        with tempfile.TemporaryDirectory() as folder:
            place = Path(mlflow.artifacts.download_artifacts(artifact_uri=source, dst_path=folder))
            flavours = Model.load(str(place / "MLmodel")).flavors
            names = flavours.get(files_flavour.NAME, {}).get("files", [])
            return {name: (place / name).read_bytes() for name in names}


def _log(tracking: Tracking, run_id: str, files: Mapping[str, bytes]) -> tuple[str, str]:
    with as_tracking_error(tracking.uri, "store a model in"):
        import mlflow
        from mlflow.models import Model

        with mlflow.start_run(run_id=run_id, log_system_metrics=False):
            logged = Model.log(artifact_path=None, name="model", flavor=files_flavour, content=files)
        return str(logged.model_id), str(logged.artifact_path)
