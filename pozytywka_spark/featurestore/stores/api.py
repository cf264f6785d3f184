"""What a store can do, whichever it is."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from types import TracebackType
from typing import Any, Protocol

from pozytywka_spark.errors import StoreError, UsageError
from pozytywka_spark.featurestore.codec import Schema

MARK = "_featurestore"  # where a store says whose it is
META, EPOCH, SCHEMA, NOTE = "_meta", "_epoch", "_schema", "_note"
KEYS_AT_ONCE = 10_000
LONGEST_KEY = 400  # bytes: LMDB takes 511, of which others may be ours
Plain = Mapping[str, Any]


class OvertakenError(StoreError):
    """Another writer of the view began later: this one's values may be older, so none of them is written."""


@dataclass(frozen=True)
class Size:
    """Of a view: keys, and bytes that they take with all that the store puts around them."""

    keys: int
    bytes: int

    @property
    def bytes_a_key(self) -> float:
        """0 of none."""
        return self.bytes / self.keys if self.keys else 0.0


class Store(Protocol):
    """Values by view and key, and JSON beside them. All raise `StoreError`, a line that names the store.

    `address` is what a person may read: no password is in it. A store is used from any thread; a process
    opens its own.
    """

    address: str
    project: str

    def get_many(self, view: str, keys: Sequence[str]) -> list[bytes | None]:
        """The values, None where none is."""
        ...

    def get_across(self, views: Sequence[str], keys: Sequence[str]) -> list[list[bytes | None]]:
        """A list of each view's, read at one instant."""
        ...

    def begin(self, view: str) -> int:
        """The view's next epoch: from now on only who has it writes the view."""
        ...

    def write_many(self, view: str, keys: Sequence[str], values: Sequence[bytes], epoch: int) -> None:
        """Put each value under its key: all of them or none. Raises `OvertakenError`."""
        ...

    def delete_many(self, view: str, keys: Sequence[str], epoch: int) -> int:
        """How many of the keys were there; none is afterwards. Raises `OvertakenError`."""
        ...

    def scan(self, view: str, at_once: int = KEYS_AT_ONCE) -> Iterator[list[tuple[str, bytes]]]:
        """All keys with their values, so many at a time; while others write, a key may come twice."""
        ...

    def scan_keys(self, view: str, at_once: int = KEYS_AT_ONCE) -> Iterator[list[str]]:
        """All keys, so many at a time."""
        ...

    def declare(self, schema: Schema, epoch: int) -> None:
        """Let readers know the schema, before values of it are written. Raises `OvertakenError`."""
        ...

    def schemas(self, view: str) -> dict[int, Schema]:
        """All that were ever declared of the view, by id."""
        ...

    def get_meta(self, view: str) -> dict[str, Any] | None:
        """What `set_meta` put."""
        ...

    def set_meta(self, view: str, meta: Plain, epoch: int) -> None:
        """Put JSON beside the view, and all that was written before it to disk. Raises `OvertakenError`."""
        ...

    def metas(self) -> dict[str, dict[str, Any]]:
        """Of every view that has some."""
        ...

    def get_note(self, name: str) -> dict[str, Any] | None:
        """What `set_note` put."""
        ...

    def set_note(self, name: str, note: Plain) -> None:
        """Put JSON that belongs to no view, such as the services."""
        ...

    def size(self, view: str) -> Size:
        """Keys and bytes; a Redis counts its keys for that, and weighs some."""
        ...

    def ping(self) -> None:
        """Raises `StoreError` if it doesn't answer."""
        ...

    def close(self) -> None:
        """Let go of it; the store can't be used afterwards."""
        ...

    def __enter__(self) -> Store: ...

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None: ...


def check_name(what: str, name: str) -> str:
    """The name of a project or a view, if it is one: letters, digits, `_`, `-` and `.`, no `_` first."""
    if not name or name[0] == "_" or not all(sign.isalnum() or sign in "_-." for sign in name):
        raise UsageError(f"{what} {name!r}: expected letters, digits, _, - and ., the first no _")
    return name


def key_bytes(key: str) -> bytes:
    """A key as stored. Raises `StoreError` for one too long, or none."""
    encoded = key.encode("utf-8", "surrogatepass")
    if not 0 < len(encoded) <= LONGEST_KEY:
        raise StoreError(f"key {key[:40]!r} of {len(encoded)} bytes: expected 1 to {LONGEST_KEY}")
    return encoded


def keys_bytes(keys: Sequence[str]) -> list[bytes]:
    """Many at once."""
    encoded = [key.encode("utf-8", "surrogatepass") for key in keys]
    sizes = set(map(len, encoded))
    if sizes and not 0 < min(sizes) <= max(sizes) <= LONGEST_KEY:
        return list(map(key_bytes, keys))  # which names it
    return encoded


def agreed(address: str, owner: bytes | None, project: str | None) -> str:
    """The project that a store belongs to: its owner's, or of one without an owner the one that opens it.

    `project` None takes whichever it is. Raises `StoreError` where the two differ, or there is neither.
    """
    if owner is None:
        if project is None:
            raise StoreError(f"the store {address} is empty: run `featurestore materialize` first")
        return project
    name = owner.decode()
    if project is not None and name != project:
        raise foreign(address, name, project)
    return name


def foreign(address: str, owner: str, project: str) -> StoreError:
    """The store is another project's."""
    return StoreError(
        f"the store {address} holds data of another project, {owner}, and this is {project}: "
        "set featurestore.address to a store of its own"
    )


def overtaken(address: str, view: str, epoch: int, now: int) -> OvertakenError:
    """The epoch is past."""
    return OvertakenError(
        f"view {view} in {address}: another materialize began after this one (epoch {now} after {epoch}) "
        "and writes what is newer; nothing more of this one is written"
    )
