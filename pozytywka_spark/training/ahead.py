"""Load what only training needs in a thread, while the process waits for Spark."""

from __future__ import annotations

import atexit
import gc
import importlib
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from threading import Thread

from pozytywka_spark.config import Settings
from pozytywka_spark.names import SQLITE

# loaded one after another they take two seconds of a core; the last five half of one, which the other would
# wait for when the model is logged and its page written
# (OpenMP reads what `booster` sets as xgboost is first imported)
_LIBRARIES = (
    "pozytywka_spark.models.booster",
    "xgboost",
    "sklearn.linear_model",
    "sklearn.metrics",
    "scipy.stats",
    "mlflow.models",
    "mlflow.pyfunc",
    "mlflow.store.model_registry.sqlalchemy_store",
    "mlflow.utils.search_logged_model_utils",
    "jinja2",
    "git",
)


@contextmanager
def libraries_loading() -> Iterator[None]:
    """The libraries of a training are loaded beside the block."""
    with _beside(_load):
        yield


@contextmanager
def training_made_ready(settings: Settings) -> Iterator[None]:
    """The same, and an MLflow store in a file is opened once: making a new one takes it seconds.

    Whatever goes wrong with either goes wrong again where it is needed, and is told there.
    """

    def make_ready() -> None:
        if settings.mlflow.tracking_uri.startswith(SQLITE):
            from pozytywka_spark.tracking.store import connect

            connect(settings)
        _load()

    with _beside(make_ready):
        yield


def _load() -> None:
    for name in _LIBRARIES:
        importlib.import_module(name)


@contextmanager
def collector_resting() -> Iterator[None]:
    """What libraries make as they load stays: looking through it for garbage takes a sixth of the time.

    Nor is it looked through later: half a million objects take a third of a second each time, five times in
    a training.
    """
    running, loaded = gc.isenabled(), len(sys.modules)
    gc.disable()
    try:
        yield
    finally:
        if len(sys.modules) > loaded:  # not of each training of a long-lived process
            gc.freeze()
            atexit.register(gc.unfreeze)  # or boosters would outlive the library that frees them
        if running:
            gc.enable()


@contextmanager
def _beside(work: Callable[[], None]) -> Iterator[None]:
    def quietly() -> None:
        with suppress(Exception), collector_resting():
            work()

    thread = Thread(target=quietly, name="make training ready")
    thread.start()
    try:
        yield
    finally:
        thread.join()
