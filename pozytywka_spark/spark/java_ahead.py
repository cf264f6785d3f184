"""Java started beside what a process does before it first needs Spark."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping
from contextlib import ExitStack, suppress
from pathlib import Path
from threading import Thread
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from py4j.java_gateway import JavaGateway


class JavaAhead:
    """A Java that is on its way to be a session's: of these settings, its output in that file.

    What goes wrong with it goes wrong again where the session is built, and is told there. One that nobody
    takes ends with the process.
    """

    def __init__(self, conf: Mapping[str, str], log: Path | None) -> None:
        self.begun = time.monotonic()
        self._conf, self._log = conf, log
        self._gateway: JavaGateway | None = None
        self._thread = Thread(target=self._launch, name="start Java", daemon=True)
        self._thread.start()

    def adopt(self) -> None:
        """Wait for it and begin Spark in it, for the session that is built next."""
        from pyspark import SparkConf, SparkContext

        self._thread.join()
        if self._gateway is not None:
            conf = SparkConf().setAll(list(self._conf.items()))
            SparkContext(conf=conf, gateway=self._gateway)

    def _launch(self) -> None:
        from pyspark import SparkConf
        from pyspark.java_gateway import launch_gateway

        launch: Callable[..., JavaGateway] = launch_gateway
        with suppress(Exception), ExitStack() as opened:
            conf = SparkConf().setAll(list(self._conf.items()))
            output = {}
            if self._log is not None:
                self._log.parent.mkdir(parents=True, exist_ok=True)
                output["stderr"] = opened.enter_context(self._log.open("ab"))
            self._gateway = launch(conf, output)
