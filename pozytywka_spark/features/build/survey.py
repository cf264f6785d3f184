"""Facts of event files that carry no note: read once, in the form of the note."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

from pozytywka_spark.lake.event_notes import COLUMNS, note_of
from pozytywka_spark.lake.shards import DataFile
from pozytywka_spark.lake.tasks import TaskFiles

PLACE, TOLD = "place", "note"
_WITHOUT_IDS = 5


def survey(items: Sequence[DataFile], files: TaskFiles) -> Iterator[dict[str, Any]]:
    """Work on data files of events: of each, its place and its note."""
    for file in items:
        yield {PLACE: file.place, TOLD: note_of(files.read([file], COLUMNS)).as_text()}


def without_ids(size: int) -> int:
    """Bytes that passes read of events' files of so many: not the ids, which nothing makes smaller."""
    return size // _WITHOUT_IDS
