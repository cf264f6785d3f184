"""The endpoint: features as they were stored, its health, counts and log."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from fastapi.testclient import TestClient

from pozytywka_spark.featurestore.client import FeatureClient
from pozytywka_spark.featurestore.serve.answer_log import AnswerLog, answers_in
from pozytywka_spark.featurestore.stores import Store, open_store
from tests.featurestore.made_endpoint import (
    FEATURES,
    SCORES_ROUTE,
    Models,
    asked,
    endpoint,
)
from tests.featurestore.stored import APRIL, MAY


def test_features_of_a_service_of_one_view(http: TestClient) -> None:
    assert asked(http, FEATURES, service="plays", keys=[2, "1", 3]) == {
        "service": "plays",
        "as_of": "2023-05-01T00:00:00Z",
        "names": ["plays", "skips"],
        "rows": [
            {
                "key": 2,
                "status": "present",
                "values": [20.0, "NaN"],
                "known_at": "2023-04-01T00:00:00Z",
                "version": 8,
            },
            {
                "key": "1",
                "status": "present",
                "values": [10.0, None],
                "known_at": "2023-05-01T00:00:00Z",
                "version": 9,
            },
            {"key": 3, "status": "missing", "values": [None, None], "known_at": None, "version": None},
        ],
    }


def test_features_of_a_service_of_two_views(http: TestClient) -> None:
    answer = asked(http, FEATURES, service="prompt", keys=[1, 2])
    assert answer["names"] == ["probability", "skips"]
    present = {"status": "present", "known_at": "2023-05-01T00:00:00Z"}
    assert answer["rows"] == [
        {
            "key": 1,
            "status": "present",
            "values": [0.25, None],
            "views": {"user_score": present | {"version": 4}, "user_month": present | {"version": 9}},
        },
        {
            "key": 2,
            "status": "missing",
            "values": [None, "NaN"],
            "views": {
                "user_score": {"status": "missing", "known_at": None, "version": None},
                "user_month": {"status": "present", "known_at": "2023-04-01T00:00:00Z", "version": 8},
            },
        },
    ]


@pytest.mark.parametrize("as_of", ["2023-04-15", "2023-04-15T02:00:00+02:00", MAY - 16 * 86_400_000_000])
def test_features_as_of_a_moment(http: TestClient, as_of: object) -> None:
    answer = asked(http, FEATURES, service="plays", keys=[1, 2], as_of=as_of)
    assert [row["status"] for row in answer["rows"]] == ["missing", "present"]
    assert answer["as_of"] == "2023-04-15T00:00:00Z"


def test_features_of_tracks(http: TestClient) -> None:
    answer = asked(http, FEATURES, service="tempo", keys=["t/1", "x"])
    assert [row["values"] for row in answer["rows"]] == [[120.5], [None]]
    assert answer["rows"][0]["known_at"] == "1970-01-01T00:00:00Z"


def test_health_ready_views(http: TestClient) -> None:
    assert http.get("/health").json() == {"status": "ok"}
    ready = http.get("/ready")
    assert ready.status_code == 200
    assert ready.json() == {
        "ready": True,
        "views": ["track_profile", "user_month", "user_score"],
        "scores": {"ready": True, "version": 7, "trouble": None},
    }
    told = http.get("/v1/views").json()
    (months,) = [view for view in told["views"] if view["view"] == "user_month"]
    assert months == {
        "view": "user_month",
        "entity": "user",
        "kind": "event",
        "columns": ["plays", "skips"],
        "number": "float64",
        "table": "features",
        "version": 0,
        "newest": "2023-05-01T00:00:00Z",
        "ttl_seconds": 62 * 86_400,
        "clock": "data",
        "owner": "",
    }
    assert {"service": "tempo", "views": ["track_profile"], "columns": ["tempo"]} in told["services"]


def test_an_empty_store_is_not_ready(tmp_path: Path, models: Models) -> None:
    with open_store(f"lmdb:{tmp_path / 'store'}", create=True) as empty:  # noqa: SIM117
        with endpoint(empty, models, tmp_path) as (http, _):
            ready = http.get("/ready")
            assert ready.status_code == 503
            assert ready.json()["scores"]["trouble"].startswith("view user_month isn't stored")
            assert http.post(FEATURES, json={"service": "plays", "keys": [1]}).status_code == 404
            assert http.get("/v1/views").json() == {"views": [], "services": []}


def test_metrics_count_what_was_asked(http: TestClient) -> None:
    http.post(FEATURES, json={"service": "prompt", "keys": [1, 2, 3]})
    http.post(FEATURES, json={"service": "plays", "keys": [1]})
    http.post(SCORES_ROUTE, json={"keys": [2]})
    text = http.get("/metrics").text
    for line in (
        'featurestore_requests_total{code="200",route="/v1/features"} 2.0',
        'featurestore_keys_total{status="present",view="user_month"} 4.0',
        'featurestore_keys_total{status="missing",view="user_month"} 1.0',
        'featurestore_keys_total{status="missing",view="user_score"} 2.0',
        'featurestore_request_seconds_count{route="/v1/scores"} 1.0',
        "featurestore_champion_version 7.0",
        'featurestore_view_newest_seconds{view="user_month"} 1.6828992e+09',
    ):
        assert line in text.splitlines()


def test_bodies_are_described(http: TestClient) -> None:
    described = http.get("/openapi.json").json()["paths"]
    schema = described[FEATURES]["post"]["requestBody"]["content"]["application/json"]["schema"]
    assert schema["required"] == ["service", "keys"]
    assert asked(http, FEATURES, **(schema["example"] | {"service": "plays"}))["names"] == ["plays", "skips"]


def test_answers_are_logged_as_they_were_given(store: Store, models: Models, tmp_path: Path) -> None:
    folder = tmp_path / "served"
    with endpoint(store, models, folder, share=1.0) as (http, _):
        asked(http, FEATURES, service="prompt", keys=[1, 2])
        asked(http, SCORES_ROUTE, keys=[1])
    (file,) = folder.iterdir()
    assert file.name.startswith("2023-05-01-")
    first, second = answers_in(file)
    assert first["answer_id"] != second["answer_id"]
    assert (first["service"], second["service"]) == ("prompt", "scores of premium version 7")
    assert first["served_at"] == MAY
    months = first["views"]["user_month"]
    assert np.isnan(months["values"][1].pop())
    assert months == {
        "as_of": MAY,
        "names": ["skips"],
        "keys": ["1", "2"],
        "status": ["present", "present"],
        "known_at": [MAY, APRIL],
        "version": [9, 8],
        "values": [[None], []],
    }
    assert second["views"]["user_month"]["values"] == [[10.0]]


def test_a_share_of_the_answers_is_logged(store: Store, models: Models, tmp_path: Path) -> None:
    folder = tmp_path / "served"
    with FeatureClient.open(store.address) as client:
        answer = client.get("user_month", [1])
        log = AnswerLog(folder, 0.25, clock=lambda: MAY)
        for _ in range(2_000):
            log.offer("plays", ["1"], {"user_month": answer})
            while log._waiting.qsize() > 900:
                pass
        log.close()
    (file,) = folder.iterdir()
    assert 400 < len(list(answers_in(file))) < 600
    with file.open("a") as half:
        half.write('{"answer_id": "x"')
    assert {len(line) for line in answers_in(file)} == {4}


def test_no_log_no_folder(http: TestClient, tmp_path: Path) -> None:
    asked(http, FEATURES, service="plays", keys=[1])
    assert not (tmp_path / "served").exists()
