"""The model registry: native models, versions, the aliases champion and challenger."""

from __future__ import annotations

import json
import tempfile
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from pozytywka_spark.errors import TrackingError
from pozytywka_spark.models.names import LOGISTIC, XGBOOST
from pozytywka_spark.models.serving_model import ServingModel, from_metadata, kind_of
from pozytywka_spark.tracking import linear_flavour, trees_flavour
from pozytywka_spark.tracking.store import Tracking, as_tracking_error

CHAMPION, CHALLENGER = "champion", "challenger"
INPUTS = "pozytywka.inputs"
TRAINING_RUN = "pozytywka.training_run"
DELTA = "pozytywka.delta."
LAKE = "pozytywka.lake_root"
LOGGED = "pozytywka.logged_model"  # of a finished run: the model it logged, to register it by
KIND = "pozytywka.model_kind"
SOLVER = "pozytywka.logistic_solver"  # of a training run; older releases fitted by Spark ML and said nothing
GUARDS, PASSED = "pozytywka.guards", "passed"
PREVIOUS = "pozytywka.gate.previous"  # of a version: the champion that it took over from


@dataclass(frozen=True)
class Version:
    """A registered model version; `training_run` is the parent run that made it."""

    number: int
    training_run: str
    tags: Mapping[str, str]


def log_model(
    tracking: Tracking, run_id: str, model: ServingModel, packages: Mapping[str, str]
) -> tuple[str, str]:
    """Log the model natively (UBJ or JSON, no pickle), its signature doubles; its identity and place there.

    `mlflow models serve` answers its calibrated probabilities. Of `packages` (name to version) those are its
    requirements that it needs: MLflow's inference would load the model in a second process.
    """
    with as_tracking_error(tracking.uri, "store a model in"):
        import mlflow
        from mlflow.models import Model, ModelSignature
        from mlflow.types import ColSpec, Schema

        inputs = Schema([ColSpec("double", name, required=False) for name in model.features])
        signature = ModelSignature(inputs, Schema([ColSpec("double", "probability")]))
        metadata = model.metadata()
        with mlflow.start_run(run_id=run_id, log_system_metrics=False):
            logged = Model.log(
                artifact_path=None,
                name="model",
                flavor=_FLAVOURS[model.kind],
                content=model.predictor.content(),
                signature=signature,
                calibration={name: metadata[name] for name in ("kind", "calibrator")},
                packages=packages,
                metadata=metadata,
            )
        return str(logged.model_id), str(logged.artifact_path)


_FLAVOURS = {XGBOOST: trees_flavour, LOGISTIC: linear_flavour}
_FILES = {kind: (flavour.NAME, flavour.FILE) for kind, flavour in _FLAVOURS.items()}


def register(tracking: Tracking, run_id: str, logged: tuple[str, str], tags: Mapping[str, str]) -> Version:
    """A new version of the model from a logged one, its tags set in the same transaction."""
    identity, source = logged
    client = tracking.client
    with as_tracking_error(tracking.uri, "register a model in"):
        from mlflow.exceptions import MlflowException

        try:
            client.create_registered_model(tracking.model_name)
        except MlflowException as error:
            if error.error_code != "RESOURCE_ALREADY_EXISTS":
                raise
        made = client.create_model_version(
            tracking.model_name, source, run_id, tags=dict(tags), model_id=identity
        )
    return _version(made)


def find_logged(tracking: Tracking, inputs: str) -> tuple[str, dict[str, str]] | None:
    """The last finished training run of those inputs and the model it logged, registered or not."""
    with as_tracking_error(tracking.uri, "search"):
        runs = tracking.client.search_runs(
            [tracking.experiment_id],
            f"tags.`{INPUTS}` = '{inputs}' and attributes.status = 'FINISHED'",
            max_results=10,
        )
    for entry in runs:
        if LOGGED in entry.data.tags:
            return str(entry.info.run_id), dict(json.loads(entry.data.tags[LOGGED]))
    return None


def find_version(tracking: Tracking, inputs: str, tag: str = INPUTS) -> Version | None:
    """The latest version trained on the inputs of that fingerprint (in that tag), if any."""
    with as_tracking_error(tracking.uri, "search"):
        versions = tracking.client.search_model_versions(
            f"name = '{tracking.model_name}' and tag.`{tag}` = '{inputs}'",
            order_by=["version_number DESC"],
        )
    return _version(versions[0]) if versions else None


def version_of(tracking: Tracking, training_run: str) -> Version | None:
    """The version that a training run registered, if any."""
    with as_tracking_error(tracking.uri, "search"):
        versions = tracking.client.search_model_versions(
            f"name = '{tracking.model_name}' and tag.`{TRAINING_RUN}` = '{training_run}'"
        )
    return _version(versions[0]) if versions else None


def numbered(tracking: Tracking, number: int) -> Version:
    """The version of that number. Raises `TrackingError` if there is none."""
    with as_tracking_error(tracking.uri, f"look up version {number} of {tracking.model_name} in"):
        return _version(tracking.client.get_model_version(tracking.model_name, str(number)))


def aliased(tracking: Tracking, alias: str) -> Version | None:
    """The version that bears `alias`, None if none does or there is no such model."""
    with as_tracking_error(tracking.uri, "look up a model in"):
        from mlflow.exceptions import MlflowException

        try:
            return _version(tracking.client.get_model_version_by_alias(tracking.model_name, alias))
        except MlflowException as error:
            if error.error_code in ("RESOURCE_DOES_NOT_EXIST", "INVALID_PARAMETER_VALUE"):
                return None
            raise


def set_alias(tracking: Tracking, alias: str, version: int) -> None:
    """Move `alias` to `version`."""
    with as_tracking_error(tracking.uri, "set an alias in"):
        tracking.client.set_registered_model_alias(tracking.model_name, alias, str(version))


def set_tag(tracking: Tracking, version: int, key: str, value: str) -> None:
    """Tag a version."""
    with as_tracking_error(tracking.uri, "tag a model in"):
        tracking.client.set_model_version_tag(tracking.model_name, str(version), key, value)


def take_over(tracking: Tracking, version: int, before: int | None) -> None:
    """Make a version the champion; it remembers the one before it, for the way back."""
    if before is not None:
        set_tag(tracking, version, PREVIOUS, str(before))
    set_alias(tracking, CHAMPION, version)


def load_model(tracking: Tracking, alias: str = CHAMPION) -> ServingModel:
    """The model that bears `alias`. Raises `TrackingError` if there is none, or its files are gone."""
    version = aliased(tracking, alias)
    if version is None:
        raise TrackingError(
            f"no model {tracking.model_name}@{alias} is registered at {tracking.uri}: run the train job first"
        )
    return load_version(tracking, version.number)


def load_version(tracking: Tracking, number: int) -> ServingModel:
    """The model of that version number."""
    with as_tracking_error(tracking.uri, f"read model {tracking.model_name} version {number} from"):
        import mlflow.artifacts
        from mlflow.models import Model

        entry = tracking.client.get_model_version(tracking.model_name, str(number))
        with tempfile.TemporaryDirectory() as folder:
            place = Path(mlflow.artifacts.download_artifacts(artifact_uri=entry.source, dst_path=folder))
            description = Model.load(str(place / "MLmodel"))
            metadata = description.metadata or {}
            flavour, usual = _FILES.get(kind_of(metadata), _FILES[XGBOOST])
            file = description.flavors.get(flavour, {}).get("data", usual)
            return from_metadata(
                metadata,
                (place / file).read_bytes(),
                name=tracking.model_name,
                version=number,
                run_id=entry.tags.get(TRAINING_RUN) or entry.run_id,
            )


def _version(entry: Any) -> Version:
    return Version(int(entry.version), entry.tags.get(TRAINING_RUN) or entry.run_id, dict(entry.tags))


def pinned_versions(tracking: Tracking, root: str) -> dict[str, set[int]]:
    """By table of the lake at `root`: the Delta versions that registered models, of whatever name, came from.

    A vacuum keeps them, so that each of those trainings can be done again.
    """
    pins: dict[str, set[int]] = {}
    with as_tracking_error(tracking.uri, "search"):
        for training_run in _training_runs(tracking):
            tags = tracking.client.get_run(training_run).data.tags
            if tags.get(LAKE, root) != root:
                continue
            for key, value in tags.items():
                if key.startswith(DELTA):
                    pins.setdefault(key.removeprefix(DELTA), set()).add(int(value))
    return pins


def _training_runs(tracking: Tracking) -> set[str]:
    """The runs behind all registered versions, page by page."""
    run_ids: set[str] = set()
    page: str | None = None
    while True:
        entries = tracking.client.search_model_versions("", max_results=1000, page_token=page)
        run_ids |= {_version(entry).training_run for entry in entries}
        page = entries.token
        if not page:
            return {run for run in run_ids if run}
