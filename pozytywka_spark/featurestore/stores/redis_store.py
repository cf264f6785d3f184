"""A store in a Redis: `<project>/<view>/<key>` is a value, `<project>/_meta/<view>` and its like are JSON.

Writes go as WATCH of the view's epoch, then MULTI, MSET, EXEC: all of a batch or none, and none once another
writer has begun. That is plain Redis without scripts, so its kin (Valkey, KeyDB) do as well.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Sequence
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
    key_bytes,
    overtaken,
)
from pozytywka_spark.featurestore.stores.redis_errors import as_store_error

WRITTEN_AT_ONCE = 2_000  # values of a transaction: 2 MB, during which Redis answers nobody else
_WEIGHED = 100  # keys whose bytes stand for all


def open_redis(
    address: str, project: str | None, password: str | None, *, create: bool, timeout: float
) -> RedisStore:
    """The store at that address; see `open_store`."""
    import redis
    from redis.backoff import NoBackoff
    from redis.retry import Retry

    with as_store_error(address):
        client = redis.Redis.from_url(
            address,
            password=password,
            socket_timeout=timeout,
            socket_connect_timeout=timeout,
            retry=Retry(NoBackoff(), 1),  # a connection that the server closed while idle
        )
    store = RedisStore(address, project or "", client)
    try:
        store.project = store._claim(project, create)
    except BaseException:
        store.close()
        raise
    return store


class RedisStore:
    """Implements `Store`."""

    def __init__(self, address: str, project: str, client: Any) -> None:
        self.address, self.project = address, project
        self._client = client
        self._starts: dict[str, bytes] = {}

    def get_many(self, view: str, keys: Sequence[str]) -> list[bytes | None]:
        """See `Store`."""
        if not keys:
            return []
        start = self._start(view)
        with as_store_error(self.address):
            if len(keys) == 1:
                return [self._client.get(start + key_bytes(keys[0]))]
            found: list[bytes | None] = self._client.mget([start + key_bytes(key) for key in keys])
            return found

    def get_across(self, views: Sequence[str], keys: Sequence[str]) -> list[list[bytes | None]]:
        """See `Store`: one MGET."""
        if len(views) == 1:
            return [self.get_many(views[0], keys)]
        if not keys:
            return [[] for _ in views]
        encoded = list(map(key_bytes, keys))
        names = [start + key for start in map(self._start, views) for key in encoded]
        with as_store_error(self.address):
            found: list[bytes | None] = self._client.mget(names)
        return [found[place : place + len(keys)] for place in range(0, len(found), len(keys))]

    def begin(self, view: str) -> int:
        """See `Store`."""
        with as_store_error(self.address):
            self._refuse_eviction()
            return int(self._client.incr(self._named(EPOCH, view)))

    def write_many(self, view: str, keys: Sequence[str], values: Sequence[bytes], epoch: int) -> None:
        """See `Store`; of many, so many at once."""
        start = self._start(view)
        for place in range(0, len(keys), WRITTEN_AT_ONCE):
            part = slice(place, place + WRITTEN_AT_ONCE)
            flat: list[bytes] = [b""] * (2 * len(keys[part]))
            flat[::2] = [start + key_bytes(key) for key in keys[part]]
            flat[1::2] = values[part]
            self._write(view, epoch, ["MSET", *flat])

    def delete_many(self, view: str, keys: Sequence[str], epoch: int) -> int:
        """See `Store`."""
        start, deleted = self._start(view), 0
        for place in range(0, len(keys), WRITTEN_AT_ONCE):
            names = [start + key_bytes(key) for key in keys[place : place + WRITTEN_AT_ONCE]]
            deleted += int(self._write(view, epoch, ["UNLINK", *names]))
        return deleted

    def scan(self, view: str, at_once: int = KEYS_AT_ONCE) -> Iterator[list[tuple[str, bytes]]]:
        """See `Store`."""
        for keys in self.scan_keys(view, min(at_once, WRITTEN_AT_ONCE)):
            values = self.get_many(view, keys)
            yield [(key, value) for key, value in zip(keys, values, strict=True) if value is not None]

    def scan_keys(self, view: str, at_once: int = KEYS_AT_ONCE) -> Iterator[list[str]]:
        """See `Store`."""
        start, cursor = self._start(view), 0
        while True:
            with as_store_error(self.address):
                cursor, names = self._client.scan(cursor, match=_literal(start) + b"*", count=at_once)
            if names:
                yield [name[len(start) :].decode("utf-8", "surrogatepass") for name in names]
            if cursor == 0:
                return

    def declare(self, schema: Schema, epoch: int) -> None:
        """See `Store`."""
        name = self._named(SCHEMA, schema.view)
        self._write(schema.view, epoch, ["HSET", name, f"{schema.id:016x}", json.dumps(schema.plain())])

    def schemas(self, view: str) -> dict[int, Schema]:
        """See `Store`."""
        with as_store_error(self.address):
            contents = self._client.hvals(self._named(SCHEMA, view))
        all_of = [schema_of(json.loads(content)) for content in contents]
        return {schema.id: schema for schema in all_of}

    def get_meta(self, view: str) -> dict[str, Any] | None:
        """See `Store`."""
        with as_store_error(self.address):
            content = self._client.hget(self._named(META), check_name("view", view))
        return None if content is None else dict(json.loads(content))

    def set_meta(self, view: str, meta: Plain, epoch: int) -> None:
        """See `Store`; a Redis writes to disk when it is set to."""
        self._write(view, epoch, ["HSET", self._named(META), view, json.dumps(meta)])

    def metas(self) -> dict[str, dict[str, Any]]:
        """See `Store`."""
        with as_store_error(self.address):
            contents = self._client.hgetall(self._named(META))
        return {view.decode(): dict(json.loads(content)) for view, content in sorted(contents.items())}

    def get_note(self, name: str) -> dict[str, Any] | None:
        """See `Store`."""
        with as_store_error(self.address):
            content = self._client.hget(self._named(NOTE), name)
        return None if content is None else dict(json.loads(content))

    def set_note(self, name: str, note: Plain) -> None:
        """See `Store`."""
        with as_store_error(self.address):
            self._client.hset(self._named(NOTE), name, json.dumps(note))

    def size(self, view: str) -> Size:
        """See `Store`: all keys counted, the first hundred weighed."""
        keys, weighed = 0, list[int]()
        start = self._start(view)
        for found in self.scan_keys(view):
            keys += len(found)
            with as_store_error(self.address):
                for key in found[: _WEIGHED - len(weighed)]:
                    weighed.append(self._client.memory_usage(start + key_bytes(key)) or 0)
        return Size(keys, round(keys * sum(weighed) / len(weighed)) if weighed else 0)

    def ping(self) -> None:
        """See `Store`."""
        with as_store_error(self.address):
            self._client.ping()

    def close(self) -> None:
        """See `Store`."""
        self._client.close()

    def __enter__(self) -> RedisStore:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def _claim(self, project: str | None, create: bool) -> str:
        """Whose it is. Raises `StoreError` where that isn't `project`."""
        with as_store_error(self.address):
            owner, keys = self._client.get(MARK), self._client.dbsize()
            if owner is None and keys:
                raise foreign(self.address, f"of {keys:,} keys and no name", project or "a feature store")
            if owner is None and create and project is not None:
                self._client.set(MARK, project, nx=True)
                owner = self._client.get(MARK)  # another process may have been first
        return agreed(self.address, owner, project)

    def _write(self, view: str, epoch: int, command: Sequence[Any]) -> Any:
        """What one command answers, run only if the epoch is the view's."""
        import redis

        name = self._named(EPOCH, view)
        with as_store_error(self.address), self._client.pipeline(transaction=True) as pipeline:
            try:
                pipeline.watch(name)
                now = int(pipeline.get(name) or 0)
                if now != epoch:
                    raise overtaken(self.address, view, epoch, now)
                pipeline.multi()
                pipeline.execute_command(*command)
                return pipeline.execute()[0]
            except redis.WatchError:
                raise overtaken(self.address, view, epoch, int(self._client.get(name) or 0)) from None

    def _refuse_eviction(self) -> None:
        """A Redis that throws keys out to make room would lose features without a word."""
        memory = self._client.info("memory")
        policy = memory.get("maxmemory_policy", "noeviction")
        if memory.get("maxmemory") and policy != "noeviction":
            raise StoreError(
                f"the store {self.address} drops keys when it is full (maxmemory-policy {policy}): "
                "set it to noeviction, for features must not vanish silently"
            )

    def _start(self, view: str) -> bytes:
        """What all keys of the view begin with."""
        start = self._starts.get(view)
        if start is None:
            start = self._starts[view] = f"{self.project}/{check_name('view', view)}/".encode()
        return start

    def _named(self, kind: str, view: str | None = None) -> str:
        name = f"{self.project}/{kind}"
        return name if view is None else f"{name}/{check_name('view', view)}"


def _literal(text: bytes) -> bytes:
    """A pattern of Redis's that only this text matches."""
    return re.sub(rb"([][*?^\\-])", rb"\\\1", text)
