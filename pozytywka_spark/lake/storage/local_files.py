"""All that the delta-rs engine asks of a local or mounted file system. Paths are absolute."""

from __future__ import annotations

import fcntl
import os
import shutil
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from urllib.parse import unquote, urlsplit

from pozytywka_spark.errors import LakeError
from pozytywka_spark.lake.storage import paths

_PAUSE = 0.2  # seconds between two tries for a lock

# Below such folders deltalake 1.6 looks in the wrong place, or panics; Spark takes some for patterns.
_UNREADABLE = frozenset("%[]{}?*^|\\")


def local_root(root: str) -> str:
    """The absolute local path that `root`, a path or `file:` address, names; else raises `LakeError`."""
    address = urlsplit(root)
    if address.scheme == "file":
        return paths.absolute(unquote(address.path))
    if "://" in root:
        raise LakeError(
            f"lake.root {root}: lake.engine=delta-rs keeps tables in a local or mounted folder or on s3://; "
            "use lake.engine=delta-spark for another store"
        )
    return paths.absolute(root)


def check_root(root: str) -> None:
    """Raise `LakeError` if nothing can ever be read from or written to `root`; creates nothing."""
    odd = sorted(_UNREADABLE & set(root))
    if odd:
        raise LakeError(
            f"lake.root {root}: no table can be kept below a folder with {' '.join(odd)} in its name"
        )
    place = Path(root)
    while not place.exists() and place != place.parent:
        place = place.parent
    if not place.is_dir():
        raise LakeError(f"lake.root {root}: {place} is a file, expected a folder")
    needed = os.R_OK | os.X_OK if place == Path(root) else os.W_OK | os.X_OK
    if not os.access(place, needed):
        raise LakeError(
            f"lake.root {root}: no permission on {place}; choose a folder of yours with lake.root"
        )


def make_folder(path: str, root: str) -> None:
    """Create `path` and its parents; raises `LakeError` naming `root` if that is refused."""
    try:
        Path(path).mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise LakeError(
            f"lake.root {root} can't be written: {error.strerror}; choose a folder of yours with lake.root"
        ) from error


def delete(path: str) -> None:
    """Delete a file or a whole folder; absent is fine."""
    if Path(path).is_dir():
        shutil.rmtree(path, ignore_errors=True)
    else:
        Path(path).unlink(missing_ok=True)


def walk(path: str, suffix: str = "") -> list[str]:
    """Files below `path`, as paths relative to it, sorted."""
    paths = [
        os.path.relpath(Path(folder, name), path)
        for folder, _, names in os.walk(path)
        for name in names
        if name.endswith(suffix)
    ]
    return sorted(paths)


def newest_change(path: str) -> float:
    """Seconds since the epoch at which anything at or below `path` last changed; 0 if it is gone."""
    newest = 0.0
    for folder, _, names in os.walk(path):
        for place in (Path(folder), *(Path(folder, name) for name in names)):
            try:
                newest = max(newest, place.stat().st_mtime)
            except FileNotFoundError:  # its writer finished meanwhile
                continue
    return newest


@contextmanager
def file_lock(
    path: str, wait_seconds: float = 0, waiting: Callable[[], None] | None = None
) -> Iterator[bool]:
    """Hold the lock file `path`; yields False if another writer holds it, which a dead one doesn't.

    Waits that long for it; `waiting` is called once if there is anything to wait for.
    """
    with Path(path).open("ab") as lock:
        yield _acquired(lock.fileno(), wait_seconds, waiting)


def _acquired(descriptor: int, wait_seconds: float, waiting: Callable[[], None] | None) -> bool:
    deadline = time.monotonic() + wait_seconds
    while True:
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError:
            if time.monotonic() >= deadline:
                return False
            if waiting is not None:
                waiting()
                waiting = None
            time.sleep(_PAUSE)
        else:
            return True


@contextmanager
def turn(table: str, *, alone: bool) -> Iterator[None]:
    """Wait for one's turn to commit to a local table: `alone`, or together with all others who needn't be.

    `deltalake` puts a log's next entry only where there is none. Delta's JVM classes look first and then
    put it, in two steps between which an entry of another process's would be lost.
    """
    lock = Path(table).parent / "_locks" / Path(table).name
    lock.parent.mkdir(parents=True, exist_ok=True)
    with lock.open("ab") as held_lock:
        fcntl.flock(held_lock.fileno(), fcntl.LOCK_EX if alone else fcntl.LOCK_SH)
        yield


def folders(path: str) -> list[str]:
    """Names of the folders in `path`; none if it is absent."""
    try:
        return sorted(entry.name for entry in os.scandir(path) if entry.is_dir())
    except FileNotFoundError:
        return []
