"""Whatever is wrong at the endpoint is one line of JSON, never a traceback."""

from __future__ import annotations

import json
from typing import Any

import httpx
import pytest
from fastapi.testclient import TestClient

from pozytywka_spark.errors import StoreError
from pozytywka_spark.featurestore.client import FeatureClient
from tests.featurestore.made_endpoint import (
    FEATURES,
    SCORES_ROUTE,
)


def bad(**body: Any) -> bytes:
    return json.dumps(body).encode()


MANY = list(range(6))
BAD_REQUESTS: dict[str, tuple[str, str, bytes, int]] = {
    "no body": ("POST", FEATURES, b"", 400),
    "no JSON": ("POST", FEATURES, b"{service: plays}", 400),
    "half of JSON": ("POST", FEATURES, b'{"service": "plays", "keys": [1', 400),
    "no UTF-8": ("POST", FEATURES, b'{"service": "\xff\xfe"}', 400),
    "nested deeply": ("POST", FEATURES, b"[" * 1_900, 400),
    "a list": ("POST", FEATURES, b"[1, 2]", 400),
    "a number": ("POST", FEATURES, b"1", 400),
    "a field twice": ("POST", FEATURES, b'{"keys": [1], "keys": [2], "service": "plays"}', 400),
    "NaN": ("POST", FEATURES, b'{"service": "plays", "keys": [NaN]}', 400),
    "a number of 1,500 digits": (
        "POST",
        FEATURES,
        b'{"service": "plays", "keys": [' + b"9" * 1_500 + b"]}",
        400,
    ),
    "no service": ("POST", FEATURES, bad(keys=[1]), 400),
    "a service that is a number": ("POST", FEATURES, bad(service=1, keys=[1]), 400),
    "an unknown service": ("POST", FEATURES, bad(service="plaids", keys=[1]), 404),
    "an unknown service of odd signs": ("POST", FEATURES, bad(service="\ud800\n\r'\"", keys=[1]), 404),
    "no keys": ("POST", FEATURES, bad(service="plays"), 400),
    "an empty list of keys": ("POST", FEATURES, bad(service="plays", keys=[]), 400),
    "keys that are no list": ("POST", FEATURES, bad(service="plays", keys="1"), 400),
    "a key that is null": ("POST", FEATURES, bad(service="plays", keys=[1, None]), 400),
    "a key that is true": ("POST", FEATURES, bad(service="plays", keys=[True]), 400),
    "a key with a fraction": ("POST", FEATURES, bad(service="plays", keys=[1.0]), 400),
    "a key in a list": ("POST", FEATURES, bad(service="plays", keys=[[1]]), 400),
    "a user with a name": ("POST", FEATURES, bad(service="plays", keys=["anna"]), 400),
    "a user with zeros before": ("POST", FEATURES, bad(service="plays", keys=["007"]), 400),
    "a user in other digits": ("POST", FEATURES, bad(service="plays", keys=["١٢"]), 400),
    "a user beyond 64 bits": ("POST", FEATURES, bad(service="plays", keys=[2**63]), 400),
    "a track that is a number": ("POST", FEATURES, bad(service="tempo", keys=[7]), 400),
    "a track without a sign": ("POST", FEATURES, bad(service="tempo", keys=[""]), 400),
    "a track of 500 signs": ("POST", FEATURES, bad(service="tempo", keys=["x" * 500]), 400),
    "a track of half a sign": ("POST", FEATURES, bad(service="tempo", keys=["\ud800"]), 400),
    "too many keys": ("POST", FEATURES, bad(service="plays", keys=MANY), 413),
    "too long": ("POST", FEATURES, bad(service="plays", keys=["1" * 3_000]), 413),
    "no time": ("POST", FEATURES, bad(service="plays", keys=[1], as_of="yesterday"), 400),
    "a time that is true": ("POST", FEATURES, bad(service="plays", keys=[1], as_of=True), 400),
    "a time with a fraction": ("POST", FEATURES, bad(service="plays", keys=[1], as_of=1.5), 400),
    "a time beyond all": ("POST", FEATURES, bad(service="plays", keys=[1], as_of=2**64), 400),
    "a day there is none": ("POST", FEATURES, bad(service="plays", keys=[1], as_of="2023-02-30"), 400),
    "an unknown field": ("POST", FEATURES, bad(service="plays", keys=[1], colour="red"), 400),
    "a view not stored yet": ("POST", FEATURES, bad(service="later", keys=["a"]), 503),
    "features of another catalogue": ("POST", FEATURES, bad(service="other_catalogue", keys=[1]), 503),
    "scores of nobody": ("POST", SCORES_ROUTE, bad(), 400),
    "scores of a service": ("POST", SCORES_ROUTE, bad(service="plays", keys=[1]), 400),
    "scores of too many": ("POST", SCORES_ROUTE, bad(keys=MANY), 413),
    "scores of a name": ("POST", SCORES_ROUTE, bad(keys=["anna"]), 400),
    "no route": ("GET", "/v2/features", b"", 404),
    "a route of odd signs": ("GET", "/%00%ff/../../etc/passwd", b"", 404),
    "another method": ("GET", FEATURES, b"", 405),
    "a method there is none": ("BREW", "/health", b"", 405),
}


@pytest.mark.thorough
@pytest.mark.parametrize("kind", BAD_REQUESTS)
def test_bad_requests_get_one_line(http: TestClient, kind: str) -> None:
    method, route, body, status = BAD_REQUESTS[kind]
    answer = http.request(method, route, content=body)
    assert answer.status_code == status, answer.text
    check_line(answer)
    counted = http.get("/metrics").text
    assert f'code="{status}"' in counted


def check_line(answer: httpx.Response) -> None:
    """`{"error": a line}`, short, without anything of the code's."""
    assert answer.headers["content-type"] == "application/json"
    assert list(answer.json()) == ["error"]
    assert "\n" not in answer.text
    assert "\n" not in answer.json()["error"]
    assert len(answer.json()["error"]) < 400
    assert "Traceback" not in answer.text
    assert ".py" not in answer.text


def test_a_body_is_cut_off_whatever_its_header_says(http: TestClient) -> None:
    answer = http.post(FEATURES, content=(b" " * 1_000 for _ in range(10)))  # in pieces, without a length
    assert answer.status_code == 413
    check_line(answer)


def test_a_store_that_fails_is_told(http: TestClient, monkeypatch: pytest.MonkeyPatch) -> None:
    def fail(*_: object) -> None:
        raise StoreError("the store redis://h/0 doesn't answer (timed out): is it up?")

    monkeypatch.setattr(FeatureClient, "read_columns", fail)
    monkeypatch.setattr(FeatureClient, "views", fail)
    answers = [
        http.post(FEATURES, json={"service": "plays", "keys": [1]}),
        http.get("/ready"),
        http.get("/v1/views"),
    ]
    for answer in answers:
        assert answer.status_code == 503
        check_line(answer)
    assert http.get("/health").status_code == 200
    assert "featurestore_store_errors_total 4.0" in http.get("/metrics").text


def test_a_mistake_of_ours_is_no_traceback(http: TestClient, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(FeatureClient, "read_columns", lambda *_: 1 / 0)
    answer = http.post(FEATURES, json={"service": "plays", "keys": [1]})
    assert answer.status_code == 500
    check_line(answer)
    assert "zero" not in answer.text
