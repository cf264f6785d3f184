"""Counts of each shard of silver by itself: the first of the two jobs of a look at it (see `profile`)."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from pozytywka_spark import schemas
from pozytywka_spark.ingest.quality.catalogue_partials import count_catalogue
from pozytywka_spark.ingest.quality.event_partials import count_events
from pozytywka_spark.ingest.quality.key_parcels import Staging
from pozytywka_spark.lake.shards import Shard
from pozytywka_spark.lake.tasks import Result, TaskFiles


def count_shards(shards: Sequence[Shard], files: TaskFiles, slices: int) -> Iterator[Result]:
    """The first job's work, on shards of any silver table."""
    staging = Staging(files, slices)
    for shard in shards:
        count = count_events if shard.table == schemas.EVENTS.name else count_catalogue
        yield from count(shard, files, staging)
    staging.stage()
