"""Whose features are made again: everyone's, or where that is too much those of a sample of users."""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import polars as pl

from pozytywka_spark.hashing.slices import slice_of
from pozytywka_spark.lake.shards import DataFile
from pozytywka_spark.lake.tasks import TaskFiles, Tasks

SliceName = tuple[int, int]  # a bucket of users, and the number of a slice of it
_HALVINGS = 24  # a sample of every 2^24th user is of a handful, however many there are
_SLICE = "slice"


@dataclass(frozen=True)
class Sample:
    """The first of so many slices of each bucket's users; of one: all of them.

    A user's slice is `slices.slice_of`, the same for every engine and every run.
    """

    buckets: int
    parts: int = 1

    @property
    def whole(self) -> bool:
        """Whether it is everyone."""
        return self.parts == 1

    def of(self, rows: pl.DataFrame) -> pl.DataFrame:
        """The rows of its users."""
        if self.whole:
            return rows
        return rows.filter(slice_of("user_id", self.parts, apart_from=self.buckets) == 0)

    def touches(self, number: int, slices: int) -> bool:
        """Whether the slice of this number among so many may hold a user of it."""
        return number % math.gcd(slices, self.parts) == 0


@dataclass(frozen=True)
class SliceFiles:
    """A slice's files of features."""

    name: SliceName
    files: tuple[DataFile, ...]


@dataclass(frozen=True)
class CountUsers:
    """Work on `SliceFiles`: how many users have rows; how many of every half, quarter and so on."""

    buckets: int
    slices: int

    def __call__(self, items: Sequence[SliceFiles], files: TaskFiles) -> Iterator[dict[str, Any]]:
        """A list of counts a slice."""
        for item in items:
            _, number = item.name
            users = files.read(item.files, ("user_id",)).unique()
            mine = users.filter(slice_of("user_id", self.slices, apart_from=self.buckets) == number)
            yield {_SLICE: [Sample(self.buckets, 2**n).of(mine).height for n in range(_HALVINGS)]}


def choose_sample(
    tasks: Tasks,
    written: Mapping[SliceName, Sequence[DataFile]],
    buckets: int,
    slices: int,
    at_least: int,
) -> tuple[Sample, int]:
    """The smallest sample of at least so many users (all, if there are fewer), and how many users there are.

    `written`: each slice's files of features.
    """
    items = [SliceFiles(name, tuple(files)) for name, files in sorted(written.items())]
    done = tasks.run(
        items,
        CountUsers(buckets, slices),
        weight=lambda item: sum(8 * file.rows for file in item.files),
        named=lambda item: f"users of bucket {item.name[0]}, slice {item.name[1]}",
    )
    counts = [sum(of_slices) for of_slices in zip(*(result[_SLICE] for result in done.results), strict=True)]
    enough = [n for n, users in enumerate(counts) if users >= at_least]
    return Sample(buckets, 2 ** max(enough, default=0)), counts[0] if counts else 0
