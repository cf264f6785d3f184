"""A store in a folder: LMDB, a memory-mapped file that many processes of a machine read and one writes.

Each view is a database of its own by the name `<project>/<view>`, so that its keys and pages are counted as
they are; JSON lies in `<project>/_meta`, and whose store it is in `_featurestore`.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from itertools import islice, takewhile
from pathlib import Path
from types import TracebackType
from typing import Any

from pozytywka_spark.errors import StoreError
from pozytywka_spark.featurestore.codec import Schema, schema_of
from pozytywka_spark.featurestore.stores.api import (
    EPOCH,
    KEYS_AT_ONCE,
    MARK,
    META,
    NOTE,
    SCHEMA,
    Plain,
    Size,
    agreed,
    check_name,
    foreign,
    keys_bytes,
    overtaken,
)
from pozytywka_spark.featurestore.stores.lmdb_environment import (
    MAP_SIZE,
    as_store_error,
    environment_of,
    let_go,
    opening,
)

_PROJECT = b"project"


def open_lmdb(
    folder: str, project: str | None, *, create: bool = False, map_size: int = MAP_SIZE
) -> LmdbStore:
    """The store in that folder; see `open_store`."""
    address = f"lmdb:{folder}"
    if not create and not (Path(folder) / "data.mdb").is_file():
        raise StoreError(f"no online store in {folder}: run `featurestore materialize` first")
    with as_store_error(address):
        environment = environment_of(Path(folder), map_size)
    store = LmdbStore(address, project or "", folder, environment)
    try:
        store.project = store._claim(project, create)
    except BaseException:
        store.close()
        raise
    return store


class LmdbStore:
    """Implements `Store`."""

    def __init__(self, address: str, project: str, folder: str, environment: Any) -> None:
        self.address, self.project = address, project
        self._folder, self._environment = Path(folder), environment
        self._databases: dict[bytes, Any] = {}
        self._closed = False

    def get_many(self, view: str, keys: Sequence[str]) -> list[bytes | None]:
        """See `Store`."""
        return self.get_across([view], keys)[0]

    def get_across(self, views: Sequence[str], keys: Sequence[str]) -> list[list[bytes | None]]:
        """See `Store`."""
        encoded = keys_bytes(keys)
        databases = [self._database(self._name(view)) for view in views]
        with self._reading() as transaction:
            get = transaction.get
            return [
                [None] * len(encoded) if database is None else [get(key, db=database) for key in encoded]
                for database in databases
            ]

    def begin(self, view: str) -> int:
        """See `Store`."""
        with self._writing() as transaction:
            epoch = self._epoch(transaction, view) + 1
            self._put(transaction, f"{EPOCH}/{view}", {"epoch": epoch})
        return epoch

    def write_many(self, view: str, keys: Sequence[str], values: Sequence[bytes], epoch: int) -> None:
        """See `Store`."""
        pairs = sorted(zip(keys_bytes(keys), values, strict=True))  # neighbours share pages
        database = self._database(self._name(view), create=True)
        with self._writing() as transaction:
            self._check(transaction, view, epoch)
            transaction.cursor(database).putmulti(pairs)

    def delete_many(self, view: str, keys: Sequence[str], epoch: int) -> int:
        """See `Store`."""
        encoded = sorted(keys_bytes(keys))
        database = self._database(self._name(view), create=True)
        with self._writing() as transaction:
            self._check(transaction, view, epoch)
            return sum(transaction.delete(key, db=database) for key in encoded)

    def scan(self, view: str, at_once: int = KEYS_AT_ONCE) -> Iterator[list[tuple[str, bytes]]]:
        """See `Store`."""
        for pairs in self._scanned(view, at_once, values=True):
            yield [(key.decode("utf-8", "surrogatepass"), value) for key, value in pairs]

    def scan_keys(self, view: str, at_once: int = KEYS_AT_ONCE) -> Iterator[list[str]]:
        """See `Store`."""
        for keys in self._scanned(view, at_once, values=False):
            yield [key.decode("utf-8", "surrogatepass") for key in keys]

    def declare(self, schema: Schema, epoch: int) -> None:
        """See `Store`."""
        with self._writing() as transaction:
            self._check(transaction, schema.view, epoch)
            self._put(transaction, f"{SCHEMA}/{schema.view}/{schema.id:016x}", schema.plain())

    def schemas(self, view: str) -> dict[int, Schema]:
        """See `Store`."""
        all_of = map(schema_of, self._all(f"{SCHEMA}/{view}/").values())
        return {schema.id: schema for schema in all_of}

    def get_meta(self, view: str) -> dict[str, Any] | None:
        """See `Store`."""
        return self._get(f"{META}/{view}")

    def set_meta(self, view: str, meta: Plain, epoch: int) -> None:
        """See `Store`."""
        with self._writing() as transaction:
            self._check(transaction, view, epoch)
            self._put(transaction, f"{META}/{view}", meta)
        with as_store_error(self.address):
            self._environment.sync(True)

    def metas(self) -> dict[str, dict[str, Any]]:
        """See `Store`."""
        return self._all(f"{META}/")

    def get_note(self, name: str) -> dict[str, Any] | None:
        """See `Store`."""
        return self._get(f"{NOTE}/{name}")

    def set_note(self, name: str, note: Plain) -> None:
        """See `Store`."""
        with self._writing() as transaction:
            self._put(transaction, f"{NOTE}/{name}", note)

    def size(self, view: str) -> Size:
        """See `Store`: all pages of the view's database, as they are."""
        database = self._database(self._name(view))
        if database is None:
            return Size(0, 0)
        with self._reading() as transaction:
            told = transaction.stat(database)
        pages = told["branch_pages"] + told["leaf_pages"] + told["overflow_pages"]
        return Size(told["entries"], pages * told["psize"])

    def ping(self) -> None:
        """See `Store`."""
        with self._reading():
            pass

    def close(self) -> None:
        """See `Store`; the folder is let go of with the last one of the process."""
        if self._closed:
            return
        self._closed = True
        let_go(self._folder, self._environment)

    def __enter__(self) -> LmdbStore:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def _claim(self, project: str | None, create: bool) -> str:
        """Whose it is. Raises `StoreError` where that isn't `project`."""
        database = self._database(MARK.encode())
        with self._reading() as transaction:
            owner = None if database is None else transaction.get(_PROJECT, db=database)
            is_empty = not transaction.stat()["entries"]
        if owner is None and not is_empty:
            raise foreign(self.address, "which doesn't name itself", project or "a feature store")
        if owner is None and create and project is not None:
            database = self._database(MARK.encode(), create=True)
            with self._writing() as transaction:
                transaction.put(_PROJECT, project.encode(), db=database, overwrite=False)
                owner = transaction.get(_PROJECT, db=database)  # another process may have been first
        return agreed(self.address, owner, project)

    def _scanned(self, view: str, at_once: int, *, values: bool) -> Iterator[list[Any]]:
        """A read of its own for each batch: one that lasts keeps pages from being used again."""
        start = b""
        database = self._database(self._name(view))
        while database is not None:
            with self._reading() as transaction:
                cursor = transaction.cursor(database)
                if not cursor.set_range(start):
                    return
                steps = cursor.iternext(keys=True, values=values)
                batch = list(islice(steps, at_once))
            yield batch
            last = batch[-1][0] if values else batch[-1]
            start = last + b"\0"  # the next key there can be

    def _name(self, view: str) -> bytes:
        return f"{self.project}/{check_name('view', view)}".encode()

    def _database(self, name: bytes, *, create: bool = False) -> Any:
        """The database of that name, None if there is none; asked for outside of transactions.

        The first time it waits for whoever writes: only a handle that such a transaction opened lasts.
        """
        import lmdb

        database = self._databases.get(name)
        if database is None:
            with as_store_error(self.address), opening:
                try:
                    database = self._environment.open_db(name, create=create)
                except (lmdb.NotFoundError, lmdb.ReadonlyError):
                    return None
            self._databases[name] = database
        return database

    def _meta(self, *, create: bool = False) -> Any:
        return self._database(f"{self.project}/{META}".encode(), create=create)

    def _epoch(self, transaction: Any, view: str) -> int:
        content = transaction.get(f"{EPOCH}/{check_name('view', view)}".encode(), db=self._meta())
        return int(json.loads(content)["epoch"]) if content else 0

    def _check(self, transaction: Any, view: str, epoch: int) -> None:
        now = self._epoch(transaction, view)
        if now != epoch:
            raise overtaken(self.address, view, epoch, now)

    def _put(self, transaction: Any, name: str, plain: Plain) -> None:
        transaction.put(name.encode(), json.dumps(plain).encode(), db=self._meta())

    def _get(self, name: str) -> dict[str, Any] | None:
        database = self._meta()
        if database is None:
            return None
        with self._reading() as transaction:
            content = transaction.get(name.encode(), db=database)
        return None if content is None else dict(json.loads(content))

    def _all(self, start: str) -> dict[str, dict[str, Any]]:
        """By what comes after `start` in their names."""
        found: dict[str, dict[str, Any]] = {}
        database = self._meta()
        if database is None:
            return found
        with self._reading() as transaction:
            cursor = transaction.cursor(database)
            steps = cursor.iternext() if cursor.set_range(start.encode()) else ()
            for name, content in takewhile(lambda step: step[0].startswith(start.encode()), steps):
                found[name.decode().removeprefix(start)] = dict(json.loads(content))
        return found

    @contextmanager
    def _reading(self) -> Iterator[Any]:
        with as_store_error(self.address), self._environment.begin() as transaction:
            yield transaction

    @contextmanager
    def _writing(self) -> Iterator[Any]:
        self._meta(create=True)  # whoever writes looks there first
        with as_store_error(self.address), self._environment.begin(write=True) as transaction:
            yield transaction
