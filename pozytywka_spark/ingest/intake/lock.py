"""One ingest at a time on a lake: what is a duplicate depends on what is there already."""

from __future__ import annotations

import logging
from collections.abc import Iterator
from contextlib import contextmanager

from pozytywka_spark.config import Ingest
from pozytywka_spark.errors import LakeError
from pozytywka_spark.lake.storage import local_files
from pozytywka_spark.lake.storage.addresses import plain_path

_LOG = logging.getLogger(__name__)
NAME = "_ingest.lock"


@contextmanager
def only_ingest(root: str, settings: Ingest) -> Iterator[None]:
    """Hold the lake's lock, waiting for another ingest to end; the kernel frees it however that one ends.

    An object store has no such lock. Transaction ids keep one delivery from being written twice
    there, but two deliveries that overlap, taken in at once, would each miss the other's rows. So
    there ingest goes on only if `ingest.assume_alone` says that the scheduler runs one at a time.
    Raises `LakeError` if it doesn't, after `ingest.wait_seconds`, or if the root can't be written.
    """
    folder = plain_path(root)
    if not folder.startswith("/"):
        if not settings.assume_alone:
            raise LakeError(
                f"lake {root}: no lock can be held there, and two ingests at once could take rows in twice; "
                "let your scheduler run one at a time and say so with --set ingest.assume_alone=true"
            )
        yield
        return
    local_files.make_folder(folder, root)
    with local_files.file_lock(f"{folder}/{NAME}", settings.wait_seconds, _tell) as free:
        if not free:
            raise LakeError(
                f"lake {root}: another ingest is at work; wait for its end, or raise ingest.wait_seconds"
            )
        yield


def _tell() -> None:
    _LOG.warning("another ingest is at work on this lake; waiting for it to end")
