"""The log as evaluation reads it: a bucket's mature decisions of a slot and what came of them. No Spark."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import date

import polars as pl

from pozytywka_spark.bandits.bucket_days import Bucket, read_days
from pozytywka_spark.bandits.offpolicy import shard_work
from pozytywka_spark.bandits.slots import SlotPlan
from pozytywka_spark.lake.shards import DataFile, Parcel
from pozytywka_spark.lake.tasks import TaskFiles

EarnedParcels = Mapping[int, Mapping[str, tuple[Parcel, ...]]]


@dataclass(frozen=True)
class Rewarded:
    """A `shard_work.Reader`. `earned`: parcels of events by bucket and type; `end`: of the data."""

    slot: SlotPlan
    earned: EarnedParcels
    end: int

    def __call__(self, bucket: shard_work.Bucket, files: TaskFiles) -> Iterator[pl.DataFrame]:
        """A frame a day."""
        days: dict[date, list[DataFile]] = {}
        for file in bucket.files:
            days.setdefault(file.partition["day"], []).append(file)
        mine = Bucket(
            bucket.number,
            {day: tuple(each) for day, each in days.items()},
            self.earned.get(bucket.number, {}),
        )
        wanted = dict.fromkeys(bucket.days, (self.slot.name,))
        for _, _, rows, _ in read_days(mine, wanted, {self.slot.name: self.slot}, self.end, files):
            mature = rows.filter(pl.col("reward").is_not_null())
            if mature.height:
                yield mature
