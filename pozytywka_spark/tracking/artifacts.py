"""Check that artefacts can be stored, before an hour of work, not after it."""

from __future__ import annotations

import os
import tempfile
from pathlib import Path
from urllib.parse import unquote, urlsplit

from pozytywka_spark.errors import TrackingError


def check_writable(root: str | None) -> None:
    """Write where a local artefact root is or would be made; others are the server's to judge.

    Raises `TrackingError` naming the folder.
    """
    address = urlsplit(root or "")
    if address.scheme != "file":
        return
    place = Path(unquote(address.path))
    while not place.exists():
        place = place.parent
    try:
        if not place.is_dir():
            raise NotADirectoryError(20, "Not a directory")
        if not os.access(place, os.W_OK):
            raise PermissionError(13, "Permission denied")
        with tempfile.TemporaryFile(dir=place):
            pass
    except OSError as error:
        raise TrackingError(
            f"MLflow artefacts can't be written under {place}: {error.strerror}; set mlflow.artifact_root"
        ) from error
