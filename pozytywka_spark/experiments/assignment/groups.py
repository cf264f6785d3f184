"""Which group a user has: the latest of their assignments, and the first of them. No Spark here."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import polars as pl

from pozytywka_spark.experiments.slices import Slice
from pozytywka_spark.lake.shards import DataFile
from pozytywka_spark.lake.tasks import TaskFiles

# What is read of `assignments`
ASSIGNED = pl.Schema(
    {
        "user_id": pl.Int64(),
        "group": pl.String(),
        "bucket": pl.Int32(),
        "revision": pl.Int32(),
        "assigned_at": pl.Datetime("us", "UTC"),
    }
)


def current(assignments: pl.DataFrame) -> pl.DataFrame:
    """Grain user with a group: `user_id`, `first_group`, `group` (the latest), `bucket`, `entered_at`
    (microseconds), `revision` (the first), `latest_revision`.
    """
    return (
        assignments.sort("user_id", "revision")
        .group_by("user_id", maintain_order=True)
        .agg(
            pl.col("group").first().alias("first_group"),
            pl.col("group").last(),
            pl.col("bucket").max(),
            pl.col("assigned_at").dt.epoch("us").min().alias("entered_at"),
            pl.col("revision").first(),
            pl.col("revision").last().alias("latest_revision"),
        )
    )


@dataclass(frozen=True)
class CountGroups:
    """Work on slices of users: tells `sizes`, users by latest group. `assigned`: an experiment's files."""

    assigned: tuple[DataFile, ...]

    def __call__(self, items: Sequence[Slice], files: TaskFiles) -> Iterator[dict[str, Any]]:
        """A line a slice."""
        for item in items:
            users = current(item.read(self.assigned, ASSIGNED, files))
            yield {"sizes": dict(users.group_by("group").len().iter_rows())}


@dataclass(frozen=True)
class CountUsers:
    """Work on slices of users: tells `sizes`, users by experiment. `assigned`: files of all experiments."""

    assigned: tuple[DataFile, ...]

    def __call__(self, items: Sequence[Slice], files: TaskFiles) -> Iterator[dict[str, Any]]:
        """A line a slice."""
        columns = pl.Schema({"experiment": pl.String(), "user_id": pl.Int64()})
        for item in items:
            users = item.read(self.assigned, columns, files).unique()
            yield {"sizes": dict(users.group_by("experiment").len().iter_rows())}


def sizes_told(results: Sequence[Mapping[str, Any]]) -> dict[str, int]:
    """The sizes of all slices, added up."""
    sizes: Counter[str] = Counter()
    for line in results:
        sizes.update(line["sizes"])
    return dict(sizes)
