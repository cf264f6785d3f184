"""The model that answers now, for views of what it says and services of what it reads."""

from __future__ import annotations

from pozytywka_spark.config import Settings
from pozytywka_spark.errors import TrackingError
from pozytywka_spark.featurestore.views import Service
from pozytywka_spark.tracking.registry import CHAMPION, aliased, load_version
from pozytywka_spark.tracking.store import connect


def champion_of(settings: Settings) -> tuple[str, int]:
    """Its name and version. Raises `TrackingError` if there is none."""
    tracking = connect(settings)
    there = aliased(tracking, CHAMPION)
    if there is None:
        raise TrackingError(
            f"no model {tracking.model_name}@{CHAMPION} is registered at {tracking.uri}: "
            "run the train job first"
        )
    return tracking.model_name, there.number


def check_service(settings: Settings, service: Service) -> None:
    """Raise `GuardError` if the champion, should there be one, reads other features than the service has."""
    tracking = connect(settings)
    there = aliased(tracking, CHAMPION)
    if there is None:
        return
    model = load_version(tracking, there.number)
    service.check_model(f"{model.name} version {model.version}", tuple(model.features), model.catalogue_hash)
