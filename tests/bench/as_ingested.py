"""Events that Spark wrote, written again as ingest does: sorted, with a note, a file a slice of users."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

from pozytywka_spark.hashing.slices import slice_of, slices_for
from pozytywka_spark.ingest.resolve.new_events import ROWS_AT_ONCE
from pozytywka_spark.lake.api import Lake
from pozytywka_spark.lake.event_notes import NOTE, note_of
from pozytywka_spark.lake.shards import Shard
from pozytywka_spark.lake.tasks import TaskFiles
from pozytywka_spark.schemas import EVENTS


def as_ingested(lake: Lake, buckets: int) -> None:
    """Of the lake's events; what Spark wrote is deleted, for DuckDB reads all files that lie there."""
    with lake.tasks() as tasks:
        shards = lake.shards(EVENTS.name, tasks)
        done = tasks.run(
            shards,
            _Sorted(buckets),
            weight=lambda shard: shard.size,
            named=lambda shard: f"events of {shard.partition}",
        )
        lake.overwrite(done.written, EVENTS)
    lake.vacuum(EVENTS.name, retention_hours=0)


class _Sorted:
    """Work on shards of events."""

    def __init__(self, buckets: int) -> None:
        self.buckets = buckets

    def __call__(self, items: Sequence[Shard], files: TaskFiles) -> Iterator[dict[str, Any]]:
        for shard in items:
            rows = files.read(shard.files).sort(
                "user_id", "event_time", "session_id", "event_type", "track_id"
            )
            parts = slices_for(rows.height, ROWS_AT_ONCE)
            slices = slice_of("user_id", parts, apart_from=self.buckets)
            for part in range(parts):
                mine = rows.filter(slices == part) if parts > 1 else rows
                body = mine.drop(EVENTS.partition_by)
                files.write(EVENTS, body, shard.partition, noted={NOTE: note_of(mine).as_text()})
        yield from ()
