"""Services as the store holds them, for readers that have no lake."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from pozytywka_spark.featurestore.record import SERVICES, ServiceRecord
from pozytywka_spark.featurestore.views import Declared, Service

if TYPE_CHECKING:
    from pozytywka_spark.featurestore.stores import Store


def write_services(store: Store, declared: Declared) -> None:
    """Put down what each service reads, if it is another than what stands there."""
    content = plain_services(declared)
    if store.get_note(SERVICES) != content:
        store.set_note(SERVICES, content)


def plain_services(declared: Declared) -> dict[str, Any]:
    """All services as JSON."""
    return {name: record_of_service(each).plain() for name, each in declared.services.items()}


def record_of_service(service: Service) -> ServiceRecord:
    """A service as readers need it."""
    columns = tuple((part.view, name) for part in service.parts for name in part.columns)
    return ServiceRecord(service.name, columns, service.catalogue_hash)
