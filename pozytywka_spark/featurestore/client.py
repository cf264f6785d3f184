"""Features by key, for a process that has to answer now.

    from pozytywka_spark.featurestore.client import FeatureClient

    with FeatureClient.open("redis://10.0.0.7:6379/0") as client:
        answer = client.get("user_month", [101, 102])
        answer.names, answer.values, answer.status, answer.known_at, answer.version

It imports numpy and the store's own library, nothing else that isn't Python's. One client serves all threads
of a process; a forked process opens its own.
"""

from __future__ import annotations

import os
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from functools import lru_cache
from types import TracebackType

import numpy as np
import numpy.typing as npt

from pozytywka_spark.errors import StoreError, UsageError
from pozytywka_spark.featurestore.codec import Doubles, Flags, Longs, Rows, Schema, unpack
from pozytywka_spark.featurestore.record import (
    EXPIRED,
    MISSING,
    PRESENT,
    SERVICES,
    ServiceRecord,
    ViewRecord,
    record_of,
    service_of,
)
from pozytywka_spark.featurestore.stores.api import Store
from pozytywka_spark.featurestore.stores.opening import open_store

PASSWORD = "POZYTYWKA_REDIS_PASSWORD"  # noqa: S105 the variable's name
REREAD_SECONDS = 5.0  # how long what the store says of a view is taken for true
_STATUS = np.array([MISSING, PRESENT, EXPIRED])
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_MICROSECOND = timedelta(microseconds=1)
Moment = int | datetime  # microseconds since 1970, or a time (without a zone: UTC)
Key = int | str


class UnknownNameError(UsageError):
    """No such view, service or column is in the store."""


@dataclass(frozen=True)
class Answer:
    """Grain: key that was asked for, in that order.

    `values`: doubles, a row a key and a column a name, NaN where `nulls`: a null of the table's, or no value.
    `status`: `present`; `missing` (no row, or none known by then) or `expired` (older than the view's time to
    live), without values. `known_at` in microseconds since 1970 UTC and `version` (of the view's table) are 0
    where missing. `as_of`: the moment answered for.
    """

    names: tuple[str, ...]
    values: Doubles
    nulls: Flags
    status: npt.NDArray[np.str_]
    known_at: Longs
    version: Longs
    as_of: int


@dataclass(frozen=True)
class ServiceAnswer:
    """The same of a service: its columns in its order; `by_view` tells of each view's rows.

    `status` is `present` where all views' rows are, else what the first that isn't is.
    """

    names: tuple[str, ...]
    values: Doubles
    nulls: Flags
    status: npt.NDArray[np.str_]
    by_view: Mapping[str, Answer]


@dataclass(frozen=True)
class _Known:
    """What the store said of a view, and when it said it (seconds of a clock that only goes on)."""

    record: ViewRecord
    schemas: Mapping[int, Schema]
    read_at: float


class FeatureClient:
    """Reads an online store. All raise `StoreError` for the store's troubles, in a line that names it."""

    def __init__(self, store: Store) -> None:
        self._store = store
        self._views: dict[str, _Known] = {}
        self._services: tuple[float, dict[str, ServiceRecord]] | None = None

    @classmethod
    def open(cls, address: str, *, password: str | None = None, timeout: float = 1.0) -> FeatureClient:
        """The store at `lmdb:FOLDER` or `redis://host:port/db`; the password, if none is given, is that of
        the environment's POZYTYWKA_REDIS_PASSWORD. `timeout`: seconds that a Redis may take.
        """
        secret = os.environ.get(PASSWORD) if password is None else password
        return cls(open_store(address, project=None, password=secret or None, timeout=timeout))

    def get(
        self,
        view: str,
        keys: Sequence[Key],
        as_of: Moment | None = None,
        columns: Sequence[str] | None = None,
    ) -> Answer:
        """The view's columns, or those named, of each key: one read of the store.

        `as_of` None is now as the view counts it: the newest cut-off of its table, or the machine's time. The
        store has each key's newest row: as of a moment before it was known that key is `missing`.
        Raises `UnknownNameError` naming the view or column.
        """
        known = self._known(view)
        stored = self._store.get_many(view, list(map(str, keys)))
        return self._answer(view, known, stored, as_of, columns)

    def read(self, service: str, keys: Sequence[Key], as_of: Moment | None = None) -> ServiceAnswer:
        """The service's columns of each key: one read of the store, of however many views."""
        return self.read_columns(self.service(service), keys, as_of)

    def read_columns(
        self, service: ServiceRecord, keys: Sequence[Key], as_of: Moment | None = None
    ) -> ServiceAnswer:
        """The same for columns that the caller names."""
        views = service.views
        known = [self._known(view) for view in views]
        stored = self._store.get_across(views, list(map(str, keys)))
        by_view = {}
        for view, beside, values in zip(views, known, stored, strict=True):
            by_view[view] = self._answer(view, beside, values, as_of, service.by_view[view])
        return _together(service, by_view)

    def views(self) -> dict[str, ViewRecord]:
        """All views that were ever materialised whole, by name."""
        return {name: record_of(plain) for name, plain in self._store.metas().items()}

    def services(self) -> dict[str, ServiceRecord]:
        """All services that the store names, read not longer than seconds ago."""
        now = time.monotonic()
        if self._services is None or now - self._services[0] > REREAD_SECONDS:
            plain = self._store.get_note(SERVICES) or {}
            self._services = (now, {name: service_of(content) for name, content in plain.items()})
        return self._services[1]

    def service(self, name: str) -> ServiceRecord:
        """One of them. Raises `UnknownNameError` naming those there are."""
        there = self.services()
        if name not in there:
            raise UnknownNameError(f"no service {name}: there are {', '.join(sorted(there)) or 'none'}")
        return there[name]

    def view(self, name: str) -> ViewRecord:
        """What the store says of a view, not older than seconds. Raises `UnknownNameError`."""
        return self._known(name).record

    def ping(self) -> None:
        """Raises `StoreError` if the store doesn't answer."""
        self._store.ping()

    def close(self) -> None:
        """Let go of the store."""
        self._store.close()

    def __enter__(self) -> FeatureClient:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def _known(self, view: str, *, anew: bool = False) -> _Known:
        known = self._views.get(view)
        now = time.monotonic()
        if known is None or anew or now - known.read_at > REREAD_SECONDS:
            meta = self._store.get_meta(view)
            if meta is None:
                there = ", ".join(sorted(self._store.metas())) or "none"
                raise UnknownNameError(f"no view {view} in {self._store.address}: there are {there}")
            known = self._views[view] = _Known(record_of(meta), self._store.schemas(view), now)
        return known

    def _answer(
        self,
        view: str,
        known: _Known,
        stored: Sequence[bytes | None],
        as_of: Moment | None,
        columns: Sequence[str] | None,
    ) -> Answer:
        names = known.record.columns if columns is None else tuple(columns)
        absent = _absent(names, known.record.columns)
        if absent:
            raise UnknownNameError(
                f"view {view} has no column {absent[0]}: it has {_some(known.record.columns)}"
            )
        try:
            rows = unpack(stored, known.schemas, names)
        except StoreError:  # a schema may have come since what is known was read
            rows = unpack(stored, self._known(view, anew=True).schemas, names)
        return _as_of(rows, known.record, as_of)


def micros(moment: Moment) -> int:
    """Microseconds since 1970 UTC."""
    if isinstance(moment, datetime):
        return ((moment if moment.tzinfo else moment.replace(tzinfo=UTC)) - _EPOCH) // _MICROSECOND
    return int(moment)


def _as_of(rows: Rows, record: ViewRecord, as_of: Moment | None) -> Answer:
    """What of the rows holds then."""
    known_at, version = rows.known_at, rows.version
    moment = _now(record, known_at) if as_of is None else micros(as_of)
    there = rows.stored & (known_at <= moment)
    present = there if record.ttl is None else there & (known_at > moment - record.ttl)
    if not present.all():
        rows.values[~present] = np.nan
        rows.nulls[~present] = True
        known_at[~there] = 0
        version[~there] = 0
    status = _STATUS[there.astype(np.intp) * 2 - present]
    return Answer(rows.names, rows.values, rows.nulls, status, known_at, version, moment)


def _now(record: ViewRecord, known_at: Longs) -> int:
    """The data's newest moment, which a row may have passed that was written since the record was; or now."""
    if record.clock == "data":
        return int(known_at.max(initial=record.newest))
    return time.time_ns() // 1000


def _together(service: ServiceRecord, by_view: Mapping[str, Answer]) -> ServiceAnswer:
    """The views' columns in the service's order."""
    answers = list(by_view.values())
    names = service.names
    if len(answers) == 1:
        only = answers[0]
        return ServiceAnswer(names, only.values, only.nulls, only.status, by_view)
    side_by_side = [(view, name) for view, answer in by_view.items() for name in answer.names]
    order = [side_by_side.index(pair) for pair in service.columns]
    status = answers[-1].status
    for answer in reversed(answers[:-1]):
        status = np.where(answer.status == PRESENT, status, answer.status)
    return ServiceAnswer(
        names,
        np.concatenate([answer.values for answer in answers], axis=1)[:, order],
        np.concatenate([answer.nulls for answer in answers], axis=1)[:, order],
        status,
        by_view,
    )


@lru_cache(maxsize=256)
def _absent(names: tuple[str, ...], columns: tuple[str, ...]) -> tuple[str, ...]:
    return tuple(name for name in names if name not in columns)


def _some(names: Sequence[str]) -> str:
    return ", ".join(names[:5]) + (f" and {len(names) - 5} more" if len(names) > 5 else "")
