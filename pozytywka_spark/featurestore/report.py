"""Report: the page of the feature store, from what is declared, stored, registered and in the lake."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict
from pathlib import Path

from pozytywka_spark.config import Settings
from pozytywka_spark.errors import GuardError, StoreError
from pozytywka_spark.featurestore.declared import PREMIUM, declared_of
from pozytywka_spark.featurestore.lineage import MADE_FROM
from pozytywka_spark.featurestore.listing import list_views
from pozytywka_spark.featurestore.page import Facts, ModelShown, Row, render
from pozytywka_spark.featurestore.status import status
from pozytywka_spark.featurestore.views import Service
from pozytywka_spark.lake.api import Lake
from pozytywka_spark.reports.files import write_page
from pozytywka_spark.schemas import INGESTS
from pozytywka_spark.tracking.registry import CHALLENGER, CHAMPION, aliased, load_version
from pozytywka_spark.tracking.store import Tracking, connect

PAGE = "featurestore.html"
# a build of features writes both tables, so the trace of a value passes over this one
_MADE_FROM: Mapping[str, tuple[str, ...]] = {
    **MADE_FROM,
    "user_month": tuple(name for name in MADE_FROM["features"] if name != "user_month"),
}


def report(settings: Settings, lake: Lake) -> Path:
    """Write the page; its path. Reads only, but for the page. A store that isn't there is told of on it."""
    return write_page(settings, PAGE, render(facts_of(settings, lake)))


def facts_of(settings: Settings, lake: Lake) -> Facts:
    """What stands on the page."""
    tables = dict.fromkeys([*_MADE_FROM, *(name for of in _MADE_FROM.values() for name in of)])
    return Facts(
        list_views(settings, lake),
        _fresh(settings, lake),
        _models(settings, lake),
        _MADE_FROM,
        {name: lake.version(name) for name in tables if lake.exists(name)},
        _ingests(lake),
    )


def _fresh(settings: Settings, lake: Lake) -> list[Row]:
    try:
        shown = status(settings, lake)
    except StoreError:  # the listing says why
        return []
    return [{**asdict(each), "lag": each.lag, "many_gb": each.many_gb} for each in shown]


def _models(settings: Settings, lake: Lake) -> list[ModelShown]:
    """The champion and the challenger, the service that each reads, or why it can't read any."""
    tracking, service = connect(settings), declared_of(settings, lake).service(PREMIUM)
    aliases: dict[int, list[str]] = {}
    for alias in (CHAMPION, CHALLENGER):
        version = aliased(tracking, alias)
        if version is not None:
            aliases.setdefault(version.number, []).append(alias)
    return [_model(tracking, number, " and ".join(of), service) for number, of in aliases.items()]


def _model(tracking: Tracking, number: int, alias: str, service: Service) -> ModelShown:
    model = load_version(tracking, number)
    reads, reason = service.name, ""
    try:
        service.check_model(f"version {number}", tuple(model.features), model.catalogue_hash)
    except GuardError as error:
        reads, reason = "", str(error)
    kind, features = model.kind_in_words, len(model.features)
    return ModelShown(model.name, number, alias, kind, features, reads, reason)


def _ingests(lake: Lake) -> int:
    """How many there were."""
    if not lake.exists(INGESTS.name):
        return 0
    return len(lake.rows(INGESTS.name, ["ingest_id"]).column("ingest_id").unique())
