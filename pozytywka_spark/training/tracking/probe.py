"""Can MLflow be reached and written? Tried with a tag, which is all that is left."""

from __future__ import annotations

import os
import tempfile
from pathlib import Path
from urllib.parse import unquote, urlsplit

from pozytywka_spark.config import Settings
from pozytywka_spark.errors import TrackingError
from pozytywka_spark.training.tracking.store import artifact_root, connect, hide_secrets, told

_SQLITE = "sqlite:///"


def probe(settings: Settings) -> str:
    """What was found of the store; a SQLite file that is not there yet is left to the first run to make.

    Raises `TrackingError` if the store or a local artefact root can't be reached or written.
    """
    uri = settings.mlflow.tracking_uri
    _probe_artifacts(artifact_root(settings))
    if uri.startswith(_SQLITE) and not Path(uri.removeprefix(_SQLITE)).exists():
        return f"{uri}: not there yet, can be made"
    tracking = connect(settings)
    with told(uri, "write to"):
        tracking.client.set_experiment_tag(tracking.experiment_id, "pozytywka.doctor", "can write")
    return f"{hide_secrets(uri)}: read and written"


def _probe_artifacts(root: str | None) -> None:
    """Write where a local artefact root is or would be made; others are the server's to judge."""
    address = urlsplit(root or "")
    if address.scheme != "file":
        return
    place = Path(unquote(address.path))
    while not place.exists():
        place = place.parent
    try:
        if not os.access(place, os.W_OK):
            raise PermissionError(13, "Permission denied")
        with tempfile.TemporaryFile(dir=place):
            pass
    except OSError as error:
        raise TrackingError(
            f"MLflow artefacts can't be written under {place}: {error.strerror}; set mlflow.artifact_root"
        ) from error
