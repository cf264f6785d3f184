"""Files that are read before their entity's turn comes, so that no core waits for the small ones.

Reading writes nothing but parcels; what comes of them is decided and committed in the old order: the
catalogue first.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass

from pozytywka_spark.ingest.intake.reader import Surveyed
from pozytywka_spark.ingest.validate.pass_one import JudgedRows
from pozytywka_spark.lake.storage.listed_file import ListedFile


@dataclass(frozen=True)
class Taken:
    """Files as they were surveyed, and the judged rows of their first batch."""

    surveyed: tuple[Surveyed, ...]
    first: JudgedRows


@dataclass(frozen=True)
class Ahead:
    """An entity's files that are being read, in their order."""

    files: tuple[ListedFile, ...]
    taken: Future[Taken]


Read = Callable[[], Taken]


@contextmanager
def reading_ahead(
    files_to_read: Mapping[str, tuple[Sequence[ListedFile], Read]],
) -> Iterator[Mapping[str, Ahead]]:
    """By entity: its files, and how they are read; all begin at once, the cores are shared by Spark.

    An entity's error is raised to whoever asks for what was taken of it.
    """
    with ThreadPoolExecutor(max(1, len(files_to_read)), "read ahead") as pool:
        yield {
            entity: Ahead(tuple(files), pool.submit(read)) for entity, (files, read) in files_to_read.items()
        }
