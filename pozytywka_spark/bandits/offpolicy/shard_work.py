"""Evaluation over shards: sums of a bucket of users, whose days are read one after another."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from datetime import date
from typing import Any

import polars as pl

from pozytywka_spark.bandits.offpolicy.blocks import NEEDED, Names, blocks, names_of, slices, spelt_out
from pozytywka_spark.bandits.offpolicy.reward_model import CELL, RewardModel, cells_of
from pozytywka_spark.bandits.offpolicy.sums import Summing
from pozytywka_spark.bandits.policy import Policy
from pozytywka_spark.lake.shards import DataFile, Parcel
from pozytywka_spark.lake.tasks import TaskFiles

CELLS = "cells"  # parcels of sums of cells; see `reward_model.cells_of`


@dataclass(frozen=True)
class Bucket:
    """All decisions of a bucket of users: files of `slot_decisions`, and the days of them that are wanted.

    Files of other days are there for a reader that needs what came before or after.
    """

    number: int
    files: tuple[DataFile, ...]
    days: tuple[date, ...]

    @property
    def wanted(self) -> list[DataFile]:
        """Files of the days wanted."""
        days = set(self.days)
        return [file for file in self.files if file.partition["day"] in days]

    @property
    def size(self) -> int:
        """Bytes of the files of the days wanted."""
        return sum(file.size for file in self.wanted)

    @property
    def rows(self) -> int:
        """Decisions of the days wanted, of all slots."""
        return sum(file.rows for file in self.wanted)


# Mature decisions of a bucket's days: columns `blocks.NEEDED` and `stream`, lists as `spelt_out` takes them
Reader = Callable[[Bucket, TaskFiles], Iterator[pl.DataFrame]]


@dataclass(frozen=True)
class AsLogged:
    """A `Reader` of a slot whose log has it all: rewards, eligible arms, days since each was shown."""

    slot: str

    def __call__(self, bucket: Bucket, files: TaskFiles) -> Iterator[pl.DataFrame]:
        """A frame a file."""
        for file in bucket.wanted:
            rows = files.read([file], ["slot", *NEEDED, "stream"])
            yield rows.filter((pl.col("slot") == self.slot) & pl.col("reward").is_not_null())


@dataclass(frozen=True)
class SumCells:
    """Work on `Bucket`s: stages CELLS, for the reward model."""

    reader: Reader

    def __call__(self, items: Sequence[Bucket], files: TaskFiles) -> Iterator[dict[str, Any]]:
        """Nothing is told but the bucket."""
        for item in items:
            found: list[pl.DataFrame] = []
            for read in self.reader(item, files):
                rows = spelt_out(read, None)
                names = names_of(rows)
                found.append(cells_of(blocks(rows, names), names))
            if found:
                summed = pl.concat(found).group_by(CELL).agg(pl.col("rounds", "reward").sum()).sort(CELL)
                files.stage(CELLS, summed, (item.number,))
            yield {"bucket": item.number}


@dataclass(frozen=True)
class SumUsers:
    """Work on `Bucket`s: tells each one's `Sums`, as `facts`. `model`: parcels of `RewardModel.frames`;
    `arms`: eligible where the log says that all are.
    """

    reader: Reader
    policies: tuple[Policy, ...]
    model: tuple[Parcel, Parcel]
    arms: tuple[str, ...]

    def __call__(self, items: Sequence[Bucket], files: TaskFiles) -> Iterator[dict[str, Any]]:
        """A line a bucket."""
        model = RewardModel.of_frames(*(files.shared([parcel]) for parcel in self.model))
        for item in items:
            summing, names, laid_out = Summing(self.policies), Names((), ()), model
            for whole in self.reader(item, files):
                for some in slices(whole, len(self.arms)):
                    rows = spelt_out(some, self.arms)
                    now = names_of(rows, names)
                    if now != names:
                        names, laid_out = now, model.laid_out(now)
                    summing.add(blocks(rows, names), names, laid_out)
            yield {"bucket": item.number, "sums": summing.done().facts()}
