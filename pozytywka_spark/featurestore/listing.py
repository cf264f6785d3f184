"""What is declared, beside what the online store has of it."""

from __future__ import annotations

from typing import Any

from pozytywka_spark.config import Settings
from pozytywka_spark.errors import StoreError, require
from pozytywka_spark.featurestore.declared import declared_of
from pozytywka_spark.featurestore.online import target_of
from pozytywka_spark.featurestore.status import ViewStatus, status
from pozytywka_spark.lake.api import Lake


def list_views(settings: Settings, lake: Lake) -> dict[str, Any]:
    """`views` and `services`, each with what it is; of a store that isn't there yet no figures, and `store`
    says why.
    """
    require("featurestore")
    declared = declared_of(settings, lake)
    reason, of_view = "", dict[str, ViewStatus]()
    try:
        of_view = {each.view: each for each in status(settings, lake)}
    except StoreError as error:
        reason = str(error)
    views = []
    for view in declared.views.values():
        known = of_view.get(view.name)
        views.append(
            {
                "view": view.name,
                "meaning": view.meaning,
                "entity": view.entity,
                "table": view.table,
                "kind": view.kind,
                "owner": view.owner,
                "ttl_days": view.ttl_days,
                "dtype": view.dtype,
                "columns": [
                    {"name": each.name, "unit": each.unit, "meaning": each.meaning} for each in view.columns
                ],
                "consumers": list(declared.consumers(view.name)),
                "state": known.state if known else "",
                "newest": known.newest if known else "",
                "keys": known.keys if known else None,
                "bytes_a_key": known.bytes_a_key if known else None,
            }
        )
    services = [
        {
            "service": each.name,
            "meaning": each.meaning,
            "owner": each.owner,
            "entity": declared.entity_of(each),
            "columns": [f"{part.view}.{name}" for part in each.parts for name in part.columns],
            "catalogue_hash": each.catalogue_hash,
        }
        for each in declared.services.values()
    ]
    return {"store": target_of(settings).address, "reason": reason, "views": views, "services": services}
