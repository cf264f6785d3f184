"""The model that answers now, for views of what it says and services of what it reads."""

from __future__ import annotations

from pozytywka_spark.config import Settings
from pozytywka_spark.errors import TrackingError
from pozytywka_spark.featurestore.lake_side import champion_of
from pozytywka_spark.featurestore.views import Service
from pozytywka_spark.tracking.registry import CHAMPION, load_version
from pozytywka_spark.tracking.store import connect


def surely_champion(settings: Settings) -> tuple[str, int]:
    """Its name and version. Raises `TrackingError` if there is none."""
    champion = champion_of(settings)
    if champion is None:
        mlflow = settings.mlflow
        raise TrackingError(f"no model is the {CHAMPION} at {mlflow.tracking_uri}: run the train job first")
    return champion


def check_service(settings: Settings, service: Service) -> None:
    """Raise `GuardError` if the champion, should there be one, reads other features than the service has."""
    champion = champion_of(settings)
    if champion is None:
        return
    model = load_version(connect(settings), champion[1])
    service.check_model(f"{champion[0]} version {champion[1]}", tuple(model.features), model.catalogue_hash)
