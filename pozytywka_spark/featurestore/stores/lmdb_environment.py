"""LMDB's environment of a folder, opened once a process, and what it or the disk says in one line."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from threading import Lock
from typing import Any

from pozytywka_spark.errors import StoreError

MAP_SIZE = 1 << 38  # bytes of address space, not of disk: 50 million users of 115 doubles need a fifth
_VIEWS = 126  # databases that a process may have open
_READERS = 1024  # threads of all processes that read at once
# LMDB refuses to open a folder twice in a process: by real path, the environment, its users, the process
_open: dict[str, tuple[Any, int, int]] = {}
opening = Lock()


def environment_of(folder: Path, map_size: int) -> Any:
    """LMDB's environment of the folder, one a process; to be let go of as often as it was asked for."""
    import lmdb

    folder.mkdir(parents=True, exist_ok=True)
    place = os.path.realpath(folder)
    with opening:
        environment, users, process = _open.get(place, (None, 0, os.getpid()))
        if process != os.getpid():
            environment.close()  # the parent's, which a fork brought along and which only it may use
            environment, users = None, 0
        if environment is None:
            environment = lmdb.open(
                place,
                map_size=map_size,
                max_dbs=_VIEWS,
                max_readers=_READERS,
                # a loss of power may undo the last commit but breaks nothing; `set_meta` waits for the disk
                metasync=False,
                readahead=False,
                readonly=not os.access(place, os.W_OK),
            )
            # slots of readers that were killed keep old pages from being used again
            environment.reader_check()
        _open[place] = (environment, users + 1, os.getpid())
    return environment


def let_go(folder: Path, environment: Any) -> None:
    """Close it with its last user of this process."""
    place = os.path.realpath(folder)
    with opening:
        there, users, process = _open.get(place, (None, 0, 0))
        if there is not environment or process != os.getpid():
            return
        if users > 1:
            _open[place] = (environment, users - 1, process)
            return
        del _open[place]
        environment.close()


@contextmanager
def as_store_error(address: str) -> Iterator[None]:
    """Whatever LMDB or the disk says, in one line."""
    import lmdb

    try:
        yield
    except lmdb.MapFullError:
        raise StoreError(f"the store {address} is full: it has reached the size of its map") from None
    except lmdb.ReadonlyError:
        raise StoreError(f"the store {address} may only be read by this user") from None
    except (lmdb.Error, OSError) as error:
        if "space" in str(error).lower():
            raise StoreError(f"the disk of the store {address} is full: make room and run again") from None
        raise StoreError(
            f"the store {address} can't be used: {str(error).splitlines()[0]}; if it is damaged, delete the "
            "folder and run materialize --full"
        ) from None
