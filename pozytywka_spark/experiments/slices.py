"""A slice of users' rows of whatever files and parcels they lie in, so that no task holds all. No Spark."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import polars as pl

from pozytywka_spark.hashing.slices import slice_of, slices_for
from pozytywka_spark.lake.shards import DataFile, Parcel
from pozytywka_spark.lake.tasks import TaskFiles, Tasks

if TYPE_CHECKING:
    from pozytywka_spark.lake.api import Lake, Partition

Sources = Sequence[DataFile | Parcel]
ROWS_AT_ONCE = 2_000_000  # of users that a task looks at


@dataclass(frozen=True)
class Slice:
    """One of `slices` parts of the users, by a hash of `user_id`."""

    number: int
    slices: int

    def read(self, sources: Sources, columns: pl.Schema, files: TaskFiles) -> pl.DataFrame:
        """The slice's rows of these columns; of no file none."""
        # a file at a time, so that no more than one is held whole
        parts = [
            files.read([source], columns.names()).filter(slice_of("user_id", self.slices) == self.number)
            for source in sources
        ]
        return pl.concat(parts) if parts else pl.DataFrame(schema=columns)


def all_slices(sources: Sources, rows_at_once: int = ROWS_AT_ONCE) -> list[Slice]:
    """The slices in which users of so many rows are looked at."""
    slices = slices_for(sum(source.rows for source in sources), rows_at_once)
    return [Slice(number, slices) for number in range(slices)]


def bytes_of(sources: Sources) -> int:
    """What a task reads of them."""
    return sum(source.size for source in sources)


def files_of(
    lake: Lake,
    tasks: Tasks,
    table: str,
    columns: Sequence[str],
    partitions: Sequence[Partition] | None = None,
) -> tuple[DataFile, ...]:
    """The table's files, of some partitions only if given, for tasks to read these columns of."""
    shards = lake.shards(table, tasks, partitions, columns)
    return tuple(file for shard in shards for file in shard.files)
