"""Can MLflow be reached and written? Tried with a tag, which is all that is left."""

from __future__ import annotations

from pozytywka_spark.config import Settings
from pozytywka_spark.names import SQLITE
from pozytywka_spark.tracking.artifacts import check_writable
from pozytywka_spark.tracking.store import (
    artifact_root,
    as_tracking_error,
    connect,
    hide_secrets,
    sqlite_file,
)


def probe(settings: Settings) -> str:
    """What was found of the store; a SQLite file that is not there yet is left to the first run to make.

    Raises `TrackingError` if the store or a local artefact root can't be reached or written.
    """
    uri = settings.mlflow.tracking_uri
    check_writable(artifact_root(settings))
    if uri.startswith(SQLITE) and not sqlite_file(uri).exists():
        return f"{uri}: not there yet, can be made"
    tracking = connect(settings)
    with as_tracking_error(uri, "write to"):
        tracking.client.set_experiment_tag(tracking.experiment_id, "pozytywka.doctor", "can write")
    return f"{hide_secrets(uri)}: read and written"
