"""An endpoint over a small store, and a registry of models that a test moves."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from typing import Any

from fastapi.testclient import TestClient

from pozytywka_spark.errors import TrackingError
from pozytywka_spark.featurestore.client import FeatureClient
from pozytywka_spark.featurestore.record import SERVICES, ServiceRecord
from pozytywka_spark.featurestore.serve.answer_log import AnswerLog
from pozytywka_spark.featurestore.serve.app import Serving, make_app
from pozytywka_spark.featurestore.serve.champion import Champion, Registry
from pozytywka_spark.featurestore.serve.metrics import Metrics
from pozytywka_spark.featurestore.serve.reading import Reads
from pozytywka_spark.featurestore.stores import Store, open_store
from pozytywka_spark.models.predictors import Linear
from pozytywka_spark.models.serving_model import ServingModel
from tests.featurestore.stored import APRIL, MAY, MIXED, MONTHS, PROFILES, PROMPT, SCORES, put

FEATURES, SCORES_ROUTE = "/v1/features", "/v1/scores"
PLAYS = ServiceRecord("plays", (("user_month", "plays"), ("user_month", "skips")))
TEMPO = ServiceRecord("tempo", (("track_profile", "tempo"),))
LATER = ServiceRecord("later", (("artist_profile", "tracks"),))
OTHER_CATALOGUE = ServiceRecord("other_catalogue", PLAYS.columns, "another")
# log-odds of a third of plays; skips aren't read, so that the champion's columns aren't the view's
LINEAR = Linear((0.0,), (3.0,), (1.0,), -1.0)


def linear(version: int = 7, **other: Any) -> ServingModel:
    model = ServingModel(LINEAR, ("plays",), "", "buys_ever", 30, 0.1, name="premium", version=version)
    return replace(model, **other)


class Models:
    """A registry of a test: `champion` is the number that bears the alias."""

    def __init__(self, *models: ServingModel) -> None:
        self.by_number = {model.version: model for model in models}
        self.champion: int | None = max(self.by_number, default=None)
        self.down = False

    def registry(self) -> Registry:
        return Registry(self.asked, self.by_number.__getitem__)

    def asked(self) -> int | None:
        if self.down:
            raise TrackingError("can't look up a model in MLflow at nowhere")
        return self.champion


@contextmanager
def endpoint(
    store: Store, models: Models, folder: Path, share: float = 0.0, max_keys: int = 5
) -> Iterator[tuple[TestClient, Champion]]:
    with FeatureClient.open(store.address) as client:
        metrics = Metrics()
        log = AnswerLog(folder, share, clock=lambda: MAY, drawn=metrics.logged, dropped=metrics.dropped)
        champion = Champion(models.registry(), client)
        champion.refresh()
        serving = Serving(client, champion, log, metrics, Reads(), max_keys, max_body=2_000)
        with TestClient(make_app(serving), raise_server_exceptions=False) as http:
            yield http, champion
        log.close()


def asked(http: TestClient, route: str, **body: Any) -> Any:
    answer = http.post(route, json=body)
    assert answer.status_code == 200, answer.text
    assert "\n" not in answer.text
    return answer.json()


@contextmanager
def small_store(folder: Path) -> Iterator[Store]:
    with open_store(f"lmdb:{folder / 'store'}", create=True) as opened:
        rows = {"key": ["1", "2"], "known_at": [MAY, APRIL], "version": [9, 8]}
        put(opened, MONTHS, rows | {"plays": [10.0, 20.0], "skips": [None, float("nan")]})
        put(opened, SCORES, {"key": ["1"], "known_at": [MAY], "version": [4], "probability": [0.25]})
        put(opened, PROFILES, {"key": ["t/1"], "known_at": [0], "version": [2], "tempo": [120.5]})
        services = (PROMPT, MIXED, PLAYS, TEMPO, LATER, OTHER_CATALOGUE)
        opened.set_note(SERVICES, {each.service: each.plain() for each in services})
        yield opened
