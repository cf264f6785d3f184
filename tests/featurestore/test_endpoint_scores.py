"""Scores of the endpoint, and which champion gives them."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import polars as pl
import pytest
from fastapi.testclient import TestClient

from pozytywka_spark.featurestore.record import ViewRecord
from pozytywka_spark.featurestore.stores import Store
from tests.featurestore.made_endpoint import (
    LINEAR,
    SCORES_ROUTE,
    Models,
    asked,
    endpoint,
    linear,
)
from tests.featurestore.stored import APRIL, MAY, MONTHS, put
from tests.in_memory import MemoryTasks
from tests.scoring import test_scoring_work as scoring


def test_scores(http: TestClient) -> None:
    answer = asked(http, SCORES_ROUTE, keys=[1, 9, 2])
    assert answer["model"] == {"name": "premium", "version": 7}
    assert answer["label"] == "buys_ever"
    chances = [row.pop("probability") for row in answer["rows"]]
    expected = [1 / (1 + np.exp(1 - plays / 3)) for plays in (10.0, 20.0)]
    assert chances[1] is None
    np.testing.assert_allclose([chances[0], chances[2]], expected, rtol=0, atol=1e-15)
    assert [row["status"] for row in answer["rows"]] == ["present", "missing", "present"]
    assert asked(http, SCORES_ROUTE, keys=[1], as_of=APRIL)["rows"][0]["probability"] is None


def test_scores_are_those_of_predictions(store: Store, tmp_path: Path) -> None:
    """To the last bit, with trees, nulls and a calibration in steps; asked for together and one by one."""
    model = scoring.model_of(scoring.trees())
    tasks = MemoryTasks()
    predictions = scoring.scored(tasks, scoring.put(tasks, (97,)), model.predictor)
    rows = scoring.features().with_columns(
        pl.col("user_id").cast(pl.String).alias("key"), known_at=pl.lit(MAY), version=pl.lit(1)
    )
    record = ViewRecord(
        "user_month", "user", "features", ("likes", "plays", "ads"), newest=MAY, catalogue_hash="hash"
    )
    put(store, record, rows)
    expected = dict(predictions.select("user_id", "probability").iter_rows())
    with endpoint(store, Models(model), tmp_path / "served", max_keys=200) as (http, _):
        together = asked(http, SCORES_ROUTE, keys=list(expected))["rows"]
        assert {row["key"]: row["probability"] for row in together} == expected
        for user in list(expected)[:10]:
            (row,) = asked(http, SCORES_ROUTE, keys=[user])["rows"]
            assert row["probability"] == expected[user]


def test_a_new_champion_is_taken_up(store: Store, models: Models, tmp_path: Path) -> None:
    with endpoint(store, models, tmp_path) as (http, champion):
        before = asked(http, SCORES_ROUTE, keys=[1])
        models.by_number[8] = linear(8, predictor=replace(LINEAR, intercept=1.0))
        assert asked(http, SCORES_ROUTE, keys=[1]) == before, "nobody has moved the alias"
        models.champion = 8
        champion.refresh()
        after = asked(http, SCORES_ROUTE, keys=[1])
        assert after["model"]["version"] == 8
        assert after["rows"][0]["probability"] > before["rows"][0]["probability"]
        models.down = True
        champion.refresh()
        assert asked(http, SCORES_ROUTE, keys=[1]) == after, "as long as the registry doesn't answer"
        told = http.get("/ready").json()["scores"]
        assert told == {
            "ready": True,
            "version": 8,
            "trouble": "can't look up a model in MLflow at nowhere",
        }
        models.down, models.champion = False, None
        champion.refresh()
        assert http.post(SCORES_ROUTE, json={"keys": [1]}).status_code == 503


@pytest.mark.parametrize(
    ("unfit", "said"),
    [
        (
            {"features": ("plays", "likes", "age")},
            "premium version 8 is refused: its feature likes and 1 more isn't stored",
        ),
        (
            {"catalogue_hash": "abcdef" * 9},
            "it was trained on the catalogue abcdefabcdef, view user_month is of",
        ),
    ],
)
def test_a_champion_whose_features_are_not_stored_is_refused(
    store: Store, models: Models, tmp_path: Path, unfit: dict[str, Any], said: str
) -> None:
    with endpoint(store, models, tmp_path) as (http, champion):
        models.by_number[8] = linear(8, **unfit)
        models.champion = 8
        champion.refresh()
        assert asked(http, SCORES_ROUTE, keys=[1])["model"]["version"] == 7, "the one before goes on"
        ready = http.get("/ready")
        assert ready.status_code == 200
        assert ready.json()["scores"]["version"] == 7
        assert said in ready.json()["scores"]["trouble"]
    with endpoint(store, models, tmp_path) as (http, _):
        assert http.get("/ready").json()["scores"]["ready"] is False
        refused = http.post(SCORES_ROUTE, json={"keys": [1]})
        assert refused.status_code == 503
        assert said in refused.json()["error"]


def test_a_store_that_comes_to_hold_another_catalogue_scores_no_more(
    store: Store, models: Models, tmp_path: Path
) -> None:
    """Never silently wrong: between two looks at the registry too."""
    with endpoint(store, models, tmp_path) as (http, champion):
        store.set_meta("user_month", replace(MONTHS, catalogue_hash="newer").plain(), 1)
        champion._client._views.clear()
        refused = http.post(SCORES_ROUTE, json={"keys": [1]})
        assert refused.status_code == 503
        assert "view user_month is of newer" in refused.json()["error"]
