"""The routes. Whatever is wrong with a request or a store, the answer is one line of JSON."""

from __future__ import annotations

import asyncio
import logging
import time
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass

from fastapi import FastAPI, Request, Response
from fastapi.concurrency import run_in_threadpool

from pozytywka_spark.errors import PozytywkaError, StoreError
from pozytywka_spark.featurestore.client import Answer, FeatureClient, ServiceAnswer, UnknownNameError
from pozytywka_spark.featurestore.record import ViewRecord
from pozytywka_spark.featurestore.serve import answering, described
from pozytywka_spark.featurestore.serve.answer_log import AnswerLog
from pozytywka_spark.featurestore.serve.asking import (
    NOT_NOW,
    TOO_LARGE,
    UNKNOWN,
    WRONG,
    Asked,
    RefusedError,
    features_asked,
    scores_asked,
    stored_keys,
)
from pozytywka_spark.featurestore.serve.champion import VIEW, Champion
from pozytywka_spark.featurestore.serve.metrics import TYPE, Metrics
from pozytywka_spark.featurestore.serve.reading import Reads

FEATURES, SCORES, VIEWS = "/v1/features", "/v1/scores", "/v1/views"
HEALTH, READY, METRICS = "/health", "/ready", "/metrics"
_ROUTES = ", ".join([FEATURES, SCORES, VIEWS, HEALTH, READY, METRICS])
_BODY_SECONDS = 10.0  # that a body may take to come
_JSON = "application/json"
_LOG = logging.getLogger(__name__)


@dataclass(frozen=True)
class Serving:
    """What the routes answer from; limits as the settings have them."""

    client: FeatureClient
    champion: Champion
    log: AnswerLog
    metrics: Metrics
    reads: Reads
    max_keys: int
    max_body: int


def make_app(serving: Serving) -> FastAPI:
    """The application, for uvicorn or a test."""
    app = FastAPI(title="pozytywka features", docs_url=None, redoc_url=None)

    async def answer(request: Request, work: Callable[[], Awaitable[Response]]) -> Response:
        started = time.perf_counter()
        response = await _safely(serving, work)
        path = request.url.path
        serving.metrics.request(path, response.status_code, time.perf_counter() - started)
        return response

    @app.post(FEATURES, openapi_extra=described.FEATURES)
    async def features(request: Request) -> Response:
        return await answer(request, lambda: _features(serving, request))

    @app.post(SCORES, openapi_extra=described.SCORES)
    async def scores(request: Request) -> Response:
        return await answer(request, lambda: _scores(serving, request))

    @app.get(VIEWS)
    async def views(request: Request) -> Response:
        return await answer(request, lambda: _views(serving))

    @app.get(HEALTH)
    async def health() -> Response:
        return _json(b'{"status":"ok"}')

    @app.get(READY)
    async def ready() -> Response:
        return await _safely(serving, lambda: _ready(serving))

    @app.get(METRICS)
    async def metrics() -> Response:
        return await _safely(serving, lambda: _metrics(serving))

    @app.exception_handler(404)
    async def of_no_route(request: Request, error: Exception) -> Response:
        serving.metrics.request("other", 404, 0.0)
        return _json(answering.error_body(f"no route {request.url.path[:100]}: there are {_ROUTES}"), 404)

    @app.exception_handler(405)
    async def of_another_method(request: Request, error: Exception) -> Response:
        serving.metrics.request(request.url.path, 405, 0.0)
        line = f"{request.url.path} isn't asked by {request.method[:20]}"
        return _json(answering.error_body(line), 405, getattr(error, "headers", None))

    return app


async def _features(serving: Serving, request: Request) -> Response:
    asked = features_asked(await _body(request, serving.max_body), serving.max_keys)
    keys, answer = await serving.reads.run(len(asked.keys), lambda: _read(serving.client, asked))
    serving.metrics.keys(answer.by_view)
    serving.log.offer(asked.service, keys, answer.by_view)
    return _json(answering.features_body(asked.service, asked.keys, answer))


def _read(client: FeatureClient, asked: Asked) -> tuple[list[str], ServiceAnswer]:
    """Keys as stored, and the service's columns of them."""
    try:
        service = client.service(asked.service)
    except UnknownNameError as error:
        raise RefusedError(UNKNOWN, str(error)[:300]) from None
    records = [_stored(client, view) for view in service.views]
    for record in records:
        if service.catalogue_hash and record.view == VIEW and record.catalogue_hash != service.catalogue_hash:
            raise RefusedError(
                NOT_NOW,
                f"service {service.service} is of the catalogue {service.catalogue_hash[:12]}, what is "
                f"stored of {record.catalogue_hash[:12] or 'none'}: run `featurestore materialize`",
            )
    keys = stored_keys(asked.keys, records[0].entity)
    return keys, client.read_columns(service, keys, asked.as_of)


async def _scores(serving: Serving, request: Request) -> Response:
    asked = scores_asked(await _body(request, serving.max_body), serving.max_keys)
    keys = stored_keys(asked.keys, "user")
    model, answer, probabilities = await run_in_threadpool(serving.champion.scores, keys, asked.as_of)
    by_view: dict[str, Answer] = {VIEW: answer}
    serving.metrics.keys(by_view)
    serving.log.offer(f"scores of {model.name} version {model.version}", keys, by_view)
    return _json(answering.scores_body(model, asked.keys, answer, probabilities))


async def _views(serving: Serving) -> Response:
    client = serving.client
    views, services = await run_in_threadpool(lambda: (client.views(), client.services()))
    return _json(answering.views_body(views, services))


async def _ready(serving: Serving) -> Response:
    """200 once the store answers and holds a view; and whether, and of which model, scores can be had."""
    views = await run_in_threadpool(serving.client.views)
    champion = serving.champion
    can_score = champion.version is not None
    told: dict[str, object] = {
        "ready": bool(views),
        "views": sorted(views),
        "scores": {"ready": can_score, "version": champion.version, "trouble": champion.trouble or None},
    }
    if not views:
        told["error"] = "nothing is stored yet: run `featurestore materialize`"
    return _json(answering.as_json(told), 200 if views else NOT_NOW)


async def _metrics(serving: Serving) -> Response:
    try:
        views = await run_in_threadpool(serving.client.views)
    except StoreError:  # counts are told all the same
        serving.metrics.store_failed()
        views = {}
    return Response(serving.metrics.text(serving.champion.version, views), media_type=TYPE)


def _stored(client: FeatureClient, view: str) -> ViewRecord:
    try:
        return client.view(view)
    except UnknownNameError:
        raise RefusedError(NOT_NOW, f"view {view} isn't stored yet: run `featurestore materialize`") from None


async def _body(request: Request, limit: int) -> bytes:
    """The body. Raises `RefusedError` as soon as it is longer than the limit, whatever its header says."""
    told = request.headers.get("content-length", "")
    too_long = RefusedError(TOO_LARGE, f"the body is longer than {limit:,} bytes")
    if told.isdecimal() and int(told) > limit:
        raise too_long
    parts, length = [], 0
    try:
        async with asyncio.timeout(_BODY_SECONDS):
            more = True
            while more:
                message = await request.receive()
                if message["type"] == "http.disconnect":
                    raise RefusedError(WRONG, "the caller has gone")
                parts.append(message.get("body", b""))
                length += len(parts[-1])
                if length > limit:
                    raise too_long
                more = message.get("more_body", False)
    except TimeoutError:
        raise RefusedError(408, f"the body didn't come within {_BODY_SECONDS:.0f} seconds") from None
    return b"".join(parts)


async def _safely(serving: Serving, work: Callable[[], Awaitable[Response]]) -> Response:
    try:
        return await work()
    except RefusedError as refused:
        return _json(answering.error_body(str(refused)), refused.status)
    except StoreError as error:
        serving.metrics.store_failed()
        return _json(answering.error_body(str(error)), NOT_NOW)
    except PozytywkaError as error:  # a column that is declared and isn't stored yet
        return _json(answering.error_body(str(error)), NOT_NOW)
    except Exception:
        _LOG.exception("a request failed")  # the cause is ours alone to read
        return _json(answering.error_body("something went wrong here; the log of the server says what"), 500)


def _json(content: bytes, status: int = 200, headers: Mapping[str, str] | None = None) -> Response:
    return Response(content, status, headers, _JSON)
