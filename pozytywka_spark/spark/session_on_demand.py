"""A Spark session that starts when it is first asked for something: many a job has nothing to do for it."""

from __future__ import annotations

import os
from collections.abc import Callable, Mapping
from contextlib import AbstractContextManager, nullcontext
from threading import RLock
from typing import TYPE_CHECKING, Any, cast

from pozytywka_spark.config import Settings
from pozytywka_spark.spark.session import asked_of_spark, build_session, running_session

if TYPE_CHECKING:
    from pyspark.sql import SparkSession


Surrounding = Callable[[], AbstractContextManager[None]]


def session_on_demand(
    settings: Settings, app_name: str, *, verbose: bool = False, surrounding: Surrounding = nullcontext
) -> SparkSession:
    """The session of `build_session`, started by the first use of it.

    What its settings say is known without it. Where Spark runs already (in this process, or under
    spark-submit) or is surely needed (the delta-spark engine reads its logs by it) it is there at once.
    `surrounding` surrounds its start. Raises what `build_session` raises, at once or at the first use.
    """
    at_once = (
        settings.lake.engine == "delta-spark"
        or settings.env != "local"
        or "PYSPARK_GATEWAY_PORT" in os.environ
        or running_session() is not None
    )

    def start() -> SparkSession:
        with surrounding():
            return build_session(settings, app_name, verbose=verbose)

    if at_once:
        return start()
    # to whoever uses it, it is a session: nothing of ours or of Spark's asks for its class
    return cast("SparkSession", _OnDemand(start, asked_of_spark(settings, app_name)))


class _OnDemand:
    """Passes everything on to the session, which it starts for the first of it."""

    def __init__(self, start: Callable[[], SparkSession], asked: Mapping[str, str]) -> None:
        self._start = start
        self._starting = RLock()
        self._started: SparkSession | None = None
        self.conf = _Conf(self, asked)

    def session(self) -> SparkSession:
        """The session itself."""
        with self._starting:
            if self._started is None:
                self._started = self._start()
            return self._started

    @property
    def is_started(self) -> bool:
        """Whether anything has needed it."""
        return self._started is not None

    def stop(self) -> None:
        """As a session's, but for one that never was."""
        if self._started is not None:
            self._started.stop()

    def __getattr__(self, name: str) -> Any:
        # Python's own protocols ask for names that a session doesn't have either: copies, pickles
        if name.startswith("__"):
            raise AttributeError(name)
        return getattr(self.session(), name)


class _Conf:
    """A session's settings: those that it will be started with are known before."""

    def __init__(self, session: _OnDemand, asked: Mapping[str, str]) -> None:
        self._session = session
        self._asked = asked

    def get(self, key: str, *default: Any) -> Any:
        """See Spark's `RuntimeConfig`."""
        if not self._session.is_started and key in self._asked:
            return self._asked[key]
        return self._session.session().conf.get(key, *default)

    def __getattr__(self, name: str) -> Any:
        if name.startswith("__"):
            raise AttributeError(name)
        return getattr(self._session.session().conf, name)
