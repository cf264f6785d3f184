"""What Prometheus reads of the endpoint; a registry of its own, so that a process may have several."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np

from pozytywka_spark.featurestore.client import Answer
from pozytywka_spark.featurestore.record import ViewRecord

_BUCKETS = (0.0005, 0.001, 0.002, 0.005, 0.01, 0.015, 0.025, 0.05, 0.1, 0.25, 1.0, 5.0)  # seconds
TYPE = "text/plain; version=0.0.4; charset=utf-8"


class Metrics:
    """Counts as requests end. Labels are of few values: routes, statuses, views; never keys."""

    def __init__(self) -> None:
        from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram

        registry = self._registry = CollectorRegistry()
        start = "featurestore"
        self._requests = Counter(f"{start}_requests", "answered", ["route", "code"], registry=registry)
        self._seconds = Histogram(
            f"{start}_request_seconds", "to the answer", ["route"], buckets=_BUCKETS, registry=registry
        )
        self._keys = Counter(f"{start}_keys", "asked for", ["view", "status"], registry=registry)
        self._failed = Counter(f"{start}_store_errors", "reads that the store failed", registry=registry)
        self._logged = Counter(f"{start}_logged_answers", "drawn for the log", registry=registry)
        self._dropped = Counter(f"{start}_dropped_answers", "of these, not written", registry=registry)
        self._champion = Gauge(f"{start}_champion_version", "model in use, 0: none", registry=registry)
        self._version = Gauge(f"{start}_view_table_version", "stored", ["view"], registry=registry)
        self._newest = Gauge(
            f"{start}_view_newest_seconds", "newest cut-off, since 1970", ["view"], registry=registry
        )

    def request(self, route: str, code: int, seconds: float) -> None:
        """One was answered."""
        self._requests.labels(route, str(code)).inc()
        self._seconds.labels(route).observe(seconds)

    def keys(self, by_view: Mapping[str, Answer]) -> None:
        """Their statuses."""
        for view, answer in by_view.items():
            if len(answer.status) == 1:
                self._keys.labels(view, str(answer.status[0])).inc()
                continue
            for status, count in zip(*np.unique(answer.status, return_counts=True), strict=True):
                self._keys.labels(view, str(status)).inc(int(count))

    def store_failed(self) -> None:
        """A read did."""
        self._failed.inc()

    def logged(self) -> None:
        """An answer was drawn for the log."""
        self._logged.inc()

    def dropped(self) -> None:
        """One that was drawn couldn't be written."""
        self._dropped.inc()

    def text(self, champion: int | None, views: Mapping[str, ViewRecord]) -> bytes:
        """In Prometheus's format, as of now."""
        from prometheus_client import generate_latest

        self._champion.set(champion or 0)
        for record in views.values():
            self._version.labels(record.view).set(record.table_version)
            self._newest.labels(record.view).set(record.newest / 1e6)
        return bytes(generate_latest(self._registry))
