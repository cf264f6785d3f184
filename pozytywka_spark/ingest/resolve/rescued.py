"""Fields that the contract doesn't know, kept beside the silver rows that came with them."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import polars as pl

from pozytywka_spark.ingest.resolve.rejected import BatchStamp
from pozytywka_spark.ingest.resolve.resolve_rows import BatchFiles
from pozytywka_spark.lake.shards import Parcel, Written
from pozytywka_spark.lake.tasks import Result, TaskFiles, Tasks
from pozytywka_spark.schemas import RESCUED


@dataclass(frozen=True)
class WriteRescued:
    """Work on RESCUED parcels: writes their rows for the table `rescued`.

    `paths`: the plain paths of the batch's files, in the order of `source`.
    """

    stamp: BatchStamp
    paths: tuple[str, ...]

    def __call__(self, items: Sequence[Parcel], files: TaskFiles) -> Iterator[Result]:
        """Write the parcels' rows as one file; tells nothing."""
        rows, stamp = files.read(items), self.stamp
        paths = pl.Series("source_file", self.paths, pl.String)
        stamped = rows.select(
            "key",
            "rescued",
            paths.gather(rows.get_column("source")),
            pl.lit(stamp.stream).alias("stream"),
            pl.lit(stamp.batch, pl.Int64).alias("batch"),
            pl.lit(stamp.ingest_id, pl.Int64).alias("ingest_id"),
        )
        files.write(RESCUED, stamped, {"entity": stamp.entity})
        yield from ()


def write_rescued(tasks: Tasks, parcels: Sequence[Parcel], batch: BatchFiles) -> tuple[Written, ...]:
    """Files of the table `rescued` that no commit names yet."""
    work = WriteRescued(batch.stamp, batch.paths)
    return tasks.run(
        parcels, work, weight=lambda parcel: parcel.size, named=lambda parcel: parcel.place
    ).written
