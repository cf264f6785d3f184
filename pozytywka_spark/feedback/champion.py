"""The registered model of texts: plain files in MLflow, the champion by its alias."""

from __future__ import annotations

from pozytywka_spark.config import Settings
from pozytywka_spark.errors import TrackingError
from pozytywka_spark.feedback.model import Model, model_of
from pozytywka_spark.hashing.fingerprints import SHORT
from pozytywka_spark.tracking import registry
from pozytywka_spark.tracking.plain_models import load_files, named
from pozytywka_spark.tracking.registry import Version
from pozytywka_spark.tracking.store import Tracking, connect

NAME = "pozytywka-feedback"


def connected(settings: Settings) -> Tracking:
    """The store, for the model of texts."""
    return named(connect(settings), NAME)


def champion_version(tracking: Tracking) -> Version | None:
    """None before the first training."""
    return registry.aliased(tracking, registry.CHAMPION)


def champion(settings: Settings) -> Model:
    """Raises `TrackingError` if there is none."""
    tracking = connected(settings)
    version = champion_version(tracking)
    if version is None:
        raise TrackingError(
            f"no model {NAME}@champion is registered at {tracking.uri}: run feedback train first"
        )
    return load(tracking, version)


def load(tracking: Tracking, version: Version) -> Model:
    """That version's."""
    return model_of(load_files(tracking, version.number), model_id_of(version))


def model_id_of(version: Version) -> str:
    """The name of what it was made of: another for another training, in whatever store."""
    return version.tags[registry.INPUTS][:SHORT]
