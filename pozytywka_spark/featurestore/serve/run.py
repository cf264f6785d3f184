"""From settings to an endpoint that listens, until it is told to stop."""

from __future__ import annotations

import os
import signal
import socket
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from threading import Event, Thread, current_thread, main_thread
from types import FrameType

from pozytywka_spark.config import Settings
from pozytywka_spark.errors import UsageError, require
from pozytywka_spark.featurestore.client import FeatureClient
from pozytywka_spark.featurestore.serve.answer_log import AnswerLog, log_folder
from pozytywka_spark.featurestore.serve.app import Serving, make_app
from pozytywka_spark.featurestore.serve.champion import Champion, Registry
from pozytywka_spark.featurestore.serve.metrics import Metrics
from pozytywka_spark.featurestore.serve.reading import Reads
from pozytywka_spark.featurestore.stores import open_store
from pozytywka_spark.models.serving_model import ServingModel

LOOPBACK = "127.0.0.1"
_STORE_SECONDS = 1.0  # that a Redis may take to answer
_BACKLOG = 2048  # connections that may wait, as uvicorn has it
_LAST_SECONDS = 5  # that requests have to end in once it is told to stop


class _TerminatedError(Exception):
    """The process is asked to end."""


def serve(
    settings: Settings, port: int, host: str = LOOPBACK, say: Callable[[str], None] = lambda line: None
) -> None:
    """Answer on that port (0: a free one) until the process is interrupted or terminated.

    `say` is told the address once it listens. Raises `UsageError` where nothing can listen there,
    `StoreError` if the store can't be opened.
    """
    import uvicorn

    with ExitStack() as stack:
        serving = stack.enter_context(serving_of(settings))
        listening = stack.enter_context(_listening(host, port))
        name = f"[{host}]" if ":" in host else host
        say(f"listening on http://{name}:{listening.getsockname()[1]}")
        config = uvicorn.Config(
            make_app(serving),
            log_config=None,
            log_level="warning",
            access_log=False,
            timeout_graceful_shutdown=_LAST_SECONDS,
        )
        with _ends_when_told():
            uvicorn.Server(config).run(sockets=[listening])


@contextmanager
def serving_of(settings: Settings, registry: Registry | None = None) -> Iterator[Serving]:
    """What the endpoint answers from; a thread looks for another champion while it is open."""
    require("featurestore")
    section = settings.featurestore
    address = section.address or f"lmdb:{settings.home}/featurestore"
    password = os.environ.get(section.password_variable) or None
    client = FeatureClient(open_store(address, password=password, timeout=_STORE_SECONDS))
    metrics = Metrics()
    log = AnswerLog(log_folder(settings), section.log_share, drawn=metrics.logged, dropped=metrics.dropped)
    champion = Champion(registry or mlflow_registry(settings), client)
    champion.refresh()
    over = Event()

    def look() -> None:
        while not over.wait(section.refresh_seconds):
            champion.refresh()

    looking = Thread(target=look, name="champion", daemon=True)
    looking.start()
    try:
        yield Serving(client, champion, log, metrics, Reads(), section.max_keys, section.max_body)
    finally:
        over.set()
        log.close()
        looking.join(timeout=_LAST_SECONDS)
        client.close()


def mlflow_registry(settings: Settings) -> Registry:
    """The registry of the settings, connected to when it is first asked and again after it failed."""
    from pozytywka_spark.tracking import registry
    from pozytywka_spark.tracking.store import Tracking, connect

    connected: list[Tracking] = []

    def tracking() -> Tracking:
        if not connected:
            connected.append(connect(settings))
        return connected[0]

    def champion() -> int | None:
        version = registry.aliased(tracking(), registry.CHAMPION)
        return None if version is None else version.number

    def load(number: int) -> ServingModel:
        return registry.load_version(tracking(), number)

    return Registry(champion, load)


@contextmanager
def _listening(host: str, port: int) -> Iterator[socket.socket]:
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    # asyncio sends answers at once on sockets that name TCP only: of others the kernel holds back the second
    # half of an answer for 40 ms
    listening = socket.socket(family, socket.SOCK_STREAM, socket.IPPROTO_TCP)
    try:
        listening.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        listening.bind((host, port))
        listening.listen(_BACKLOG)
    except (OSError, OverflowError) as error:
        listening.close()
        reason = getattr(error, "strerror", None) or str(error)
        raise UsageError(f"nothing can listen on {host} port {port}: {reason}; try another --port") from None
    with listening:
        yield listening


@contextmanager
def _ends_when_told() -> Iterator[None]:
    """uvicorn ends its requests on SIGINT and SIGTERM, then sends the signal to whoever had it before."""
    if current_thread() is not main_thread():
        yield
        return

    def end(number: int, frame: FrameType | None) -> None:
        raise _TerminatedError

    before = signal.signal(signal.SIGTERM, end)
    try:
        yield
    except (_TerminatedError, KeyboardInterrupt):
        pass
    finally:
        signal.signal(signal.SIGTERM, before)
