"""All data files of a table, for tasks to read."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from pozytywka_spark.lake.api import Lake, Partition
    from pozytywka_spark.lake.shards import DataFile
    from pozytywka_spark.lake.tasks import Tasks


def data_files(
    lake: Lake,
    tasks: Tasks,
    table: str,
    columns: Sequence[str] | None = None,
    partitions: Sequence[Partition] | None = None,
) -> tuple[DataFile, ...]:
    """The table's files, of some partitions only if given; none of a table that isn't there.

    `columns`: which of them will be read; all without.
    """
    if not lake.exists(table):
        return ()
    shards = lake.shards(table, tasks, partitions, columns)
    return tuple(file for shard in shards for file in shard.files)
