"""The online store of the settings, and what it says of a view."""

from __future__ import annotations

from typing import TYPE_CHECKING

from pozytywka_spark.config import Settings
from pozytywka_spark.errors import UsageError
from pozytywka_spark.featurestore.record import ViewRecord, record_of
from pozytywka_spark.featurestore.stores.opening import is_local
from pozytywka_spark.featurestore.target import Target
from pozytywka_spark.lake.tasks import Tasks

if TYPE_CHECKING:
    from pozytywka_spark.featurestore.stores import Store


def target_of(settings: Settings) -> Target:
    """Where the settings' store is."""
    section = settings.featurestore
    address = section.address or f"lmdb:{settings.home}/featurestore"
    return Target(address, section.password_variable)


def record_in(store: Store, view: str) -> ViewRecord | None:
    """What the store says of a view; None where it was never written."""
    meta = store.get_meta(view)
    return None if meta is None else record_of(meta)


def check_reached(target: Target, tasks: Tasks) -> None:
    """Raise `UsageError` if tasks run where the store's folder isn't."""
    if is_local(target.address) and not tasks.here:
        raise UsageError(
            f"featurestore.address={target.address}: a store in a folder is of one machine, and tasks run on "
            "others: set it to redis://host:port/db"
        )
