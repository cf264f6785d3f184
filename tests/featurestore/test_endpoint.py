"""The endpoint: what it answers, and that whatever is wrong is one line of JSON, never a traceback."""

from __future__ import annotations

import json
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from typing import Any

import httpx
import numpy as np
import polars as pl
import pytest
from fastapi.testclient import TestClient

from pozytywka_spark.errors import StoreError, TrackingError
from pozytywka_spark.featurestore.client import FeatureClient
from pozytywka_spark.featurestore.record import SERVICES, ServiceRecord, ViewRecord
from pozytywka_spark.featurestore.serve.answer_log import AnswerLog, answers_in
from pozytywka_spark.featurestore.serve.app import Serving, make_app
from pozytywka_spark.featurestore.serve.champion import Champion, Registry
from pozytywka_spark.featurestore.serve.metrics import Metrics
from pozytywka_spark.featurestore.serve.reading import Reads
from pozytywka_spark.featurestore.stores import Store, open_store
from pozytywka_spark.models.predictors import Linear
from pozytywka_spark.models.serving_model import ServingModel
from tests.featurestore.stored import APRIL, MAY, MIXED, MONTHS, PROFILES, PROMPT, SCORES, put
from tests.in_memory import MemoryTasks
from tests.scoring import test_scoring_work as scoring

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


@pytest.fixture
def store(tmp_path: Path) -> Iterator[Store]:
    with open_store(f"lmdb:{tmp_path / 'store'}", create=True) as opened:
        rows = {"key": ["1", "2"], "known_at": [MAY, APRIL], "version": [9, 8]}
        put(opened, MONTHS, rows | {"plays": [10.0, 20.0], "skips": [None, float("nan")]})
        put(opened, SCORES, {"key": ["1"], "known_at": [MAY], "version": [4], "probability": [0.25]})
        put(opened, PROFILES, {"key": ["t/1"], "known_at": [0], "version": [2], "tempo": [120.5]})
        services = (PROMPT, MIXED, PLAYS, TEMPO, LATER, OTHER_CATALOGUE)
        opened.set_note(SERVICES, {each.service: each.plain() for each in services})
        yield opened


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


@pytest.fixture
def models() -> Models:
    return Models(linear())


@pytest.fixture
def http(store: Store, models: Models, tmp_path: Path) -> Iterator[TestClient]:
    with endpoint(store, models, tmp_path / "served") as (client, _):
        yield client


def asked(http: TestClient, route: str, **body: Any) -> Any:
    answer = http.post(route, json=body)
    assert answer.status_code == 200, answer.text
    assert "\n" not in answer.text
    return answer.json()


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
