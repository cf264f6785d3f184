"""One ingest at a time on a lake: what is a duplicate depends on what is there already."""

from __future__ import annotations

import fcntl
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from pozytywka_spark import cli
from pozytywka_spark.errors import LakeError
from pozytywka_spark.ingest.delivery import plain_path
from pozytywka_spark.lake.files import make_folder

_NAME = "_ingest.lock"
_PAUSE = 0.2


@contextmanager
def only_ingest(root: str, wait_seconds: float) -> Iterator[None]:
    """Hold the lake's lock, waiting for another ingest to end; the kernel frees it however that one ends.

    Roots that aren't local have no such lock: there the scheduler has to run one ingest at a time.
    Raises `LakeError` after `wait_seconds`, or if the root can't be written.
    """
    folder = plain_path(root)
    if not folder.startswith("/"):
        yield
        return
    make_folder(folder, root)
    with (Path(folder) / _NAME).open("a") as held:
        _acquire(held.fileno(), root, wait_seconds)
        yield


def _acquire(descriptor: int, root: str, wait_seconds: float) -> None:
    deadline = time.monotonic() + wait_seconds
    told = False
    while True:
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            if time.monotonic() >= deadline:
                raise LakeError(
                    f"lake {root}: another ingest is at work; wait for its end, or raise ingest.wait_seconds"
                ) from None
            if not told:
                cli.say("  another ingest is at work on this lake; waiting for it to end")
                told = True
            time.sleep(_PAUSE)
        else:
            return
