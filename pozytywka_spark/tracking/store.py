"""The connection to an MLflow store, and its failures in one line."""

from __future__ import annotations

import os
import re
import sqlite3
from collections.abc import Iterator
from contextlib import closing, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs

from pozytywka_spark.config import Settings
from pozytywka_spark.errors import TrackingError
from pozytywka_spark.lake.storage import paths
from pozytywka_spark.names import SQLITE
from pozytywka_spark.tracking import ready_store
from pozytywka_spark.tracking.artifacts import check_writable

# of a new experiment: the UI opens it as one of models to train, and tells how to find things in it
_ABOUT = {
    "mlflow.experimentKind": "custom_model_development",
    "mlflow.note.content": "Who will buy premium: trainings, monitoring, experiments and simulations.\n\n"
    "In the search box: `tags.kind = 'training'`, `tags.decision = 'promoted'`, "
    "`tags.label = 'buys_within_30_days'`, `tags.tuned = 'true'`, `metrics.test_roc_auc > 0.7`. "
    "Kinds are training, monitoring, experiment, uplift and simulation.",
}


@dataclass(frozen=True)
class Tracking:
    """A connection to a store: `client` is MLflow's, `uri` tells a person where it is."""

    client: Any
    uri: str
    experiment_id: str
    model_name: str


def connect(settings: Settings) -> Tracking:
    """The store of `mlflow.tracking_uri`, with the experiment and its artefact root made if absent.

    Raises `TrackingError` if it can't be reached or written.
    """
    mlflow_settings = settings.mlflow
    uri = mlflow_settings.tracking_uri
    file = sqlite_file(uri) if uri.startswith(SQLITE) else None
    _quiet()
    made_here = False
    if file:
        with as_tracking_error(uri, "open"):
            made_here = _try_file(file, _patience(uri))
    with as_tracking_error(uri, "open"):
        import mlflow

        mlflow.set_tracking_uri(uri)
        mlflow.set_registry_uri(uri)
        client = mlflow.MlflowClient(uri, uri)
        experiment = client.get_experiment_by_name(mlflow_settings.experiment)
        if file and made_here:
            ready_store.keep(file)
        if experiment is None:
            identity = client.create_experiment(mlflow_settings.experiment, artifact_root(settings), _ABOUT)
        elif experiment.lifecycle_stage != "active":
            raise TrackingError(
                f"MLflow experiment {mlflow_settings.experiment} was deleted in {hide_secrets(uri)}: "
                "restore it or set mlflow.experiment"
            )
        else:
            identity = experiment.experiment_id
    check_writable(experiment.artifact_location if experiment else artifact_root(settings))
    return Tracking(client, hide_secrets(uri), identity, mlflow_settings.model_name)


def artifact_root(settings: Settings) -> str | None:
    """Where artefacts go: as set, else beside the SQLite file, else (None) where the server says."""
    root, uri = settings.mlflow.artifact_root, settings.mlflow.tracking_uri
    if root is None and uri.startswith(SQLITE):
        root = str(sqlite_file(uri).parent / "mlflow-artifacts")
    if root is None or "://" in root:
        return root
    return Path(paths.absolute(root)).as_uri()


def hide_secrets(text: str) -> str:
    """The text without the user and the password of any address in it."""
    return re.sub(r"//[^/@\s]+@", "//", text)


@contextmanager
def as_tracking_error(uri: str, action: str) -> Iterator[None]:
    """Whatever MLflow raises, as one line that says what was being done and where."""
    try:
        yield
    except TrackingError:
        raise
    except Exception as error:  # SQLAlchemy's, requests', MLflow's and the file system's have no common root
        lines = str(error).strip().splitlines() or [type(error).__name__]
        raise TrackingError(
            f"can't {action} MLflow at {hide_secrets(uri)}: {hide_secrets(lines[0])[:300]}; "
            "is mlflow.tracking_uri right, the server up and the place writable?"
        ) from error


def sqlite_file(uri: str) -> Path:
    """The file of a SQLite address, whose options may follow it."""
    return Path(paths.absolute(uri.removeprefix(SQLITE).partition("?")[0]))


def _patience(uri: str) -> float:
    """Seconds to wait for a lock: the address's own `timeout`, else SQLite's five."""
    return float(parse_qs(uri.partition("?")[2]).get("timeout", ["5"])[0])


def _try_file(path: Path, patience: float) -> bool:
    """Open the SQLite file, which is made with its folder if absent: MLflow tries a bad one for 100 s.

    Whether it is new and without tables, which MLflow lays then.
    """
    path.parent.mkdir(parents=True, exist_ok=True)
    ready_store.copy_kept(path)
    is_new = not path.exists()
    with closing(sqlite3.connect(path, timeout=patience)) as store:
        store.execute("PRAGMA user_version")
    return is_new


def _quiet() -> None:
    """No telemetry leaves the machine, nothing chats, a dead server is given up in seconds, not minutes."""
    for key, value in {
        "MLFLOW_LOGGING_LEVEL": "ERROR",
        "MLFLOW_DISABLE_TELEMETRY": "true",
        "DO_NOT_TRACK": "true",
        "MLFLOW_HTTP_REQUEST_MAX_RETRIES": "2",
        "MLFLOW_HTTP_REQUEST_TIMEOUT": "20",
        "MLFLOW_ENABLE_ARTIFACTS_PROGRESS_BAR": "false",
        "GIT_PYTHON_REFRESH": "quiet",
    }.items():
        os.environ.setdefault(key, value)
