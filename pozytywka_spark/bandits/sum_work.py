"""Daily sums by tasks: events that reward, sums of buckets, those of a month together. No Spark here."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from typing import Any

import polars as pl

from pozytywka_spark.bandits.bucket_days import Bucket, read_days
from pozytywka_spark.bandits.slots import SlotPlan
from pozytywka_spark.bandits.sums import KEYS, added, round_sums
from pozytywka_spark.hashing.dice import dice
from pozytywka_spark.hashing.identity import user_bucket
from pozytywka_spark.lake.shards import DataFile, Parcel
from pozytywka_spark.lake.tasks import TaskFiles
from pozytywka_spark.schemas import BANDIT_DAYS

EARNED_ROWS, PARTIAL = "earned", "partial"  # kinds of parcels
_SEED = 26
_WRAP = 2**64


@dataclass(frozen=True)
class FindEarned:
    """Work on files of `events`: stages EARNED by type and bucket of the log's; tells by type and day how
    many there are and the sum of their dice, which names them in any order.
    """

    types: tuple[str, ...]
    buckets: int

    def __call__(self, items: Sequence[DataFile], files: TaskFiles) -> Iterator[dict[str, Any]]:
        """A line a file."""
        for file in items:
            rows = files.read([file], ["user_id", "event_time", "event_type"])
            rows = rows.filter(pl.col("event_type").is_in(self.types) & pl.col("user_id").is_not_null())
            found = rows.select(
                "user_id",
                pl.col("event_time").dt.epoch("us").alias("at"),
                pl.col("event_type").cast(pl.String).alias("type"),
                pl.col("event_time").dt.date().cast(pl.String).alias("day"),
                user_bucket(pl.col("user_id"), self.buckets).alias("bucket"),
            )
            for (kind, bucket), mine in found.group_by("type", "bucket"):
                assert isinstance(kind, str)
                assert isinstance(bucket, int)
                files.stage(EARNED_ROWS, mine.select("user_id", "at"), (kind, bucket))
            thrown = dice(found, _SEED, ("user_id", "at")) if found.height else pl.Series([], dtype=pl.UInt64)
            by_day = found.with_columns(thrown.alias("dice")).group_by("type", "day").agg(pl.col("dice"))
            yield {
                "days": [[kind, day, len(each), sum(each) % _WRAP] for kind, day, each in by_day.iter_rows()]
            }


@dataclass(frozen=True)
class BucketItem:
    """A bucket and which slots of which days to sum."""

    bucket: Bucket
    wanted: Mapping[date, tuple[str, ...]]

    @property
    def size(self) -> int:
        """Bytes that are read."""
        return self.bucket.size(list(self.wanted)) + 1


@dataclass(frozen=True)
class SumDays:
    """Work on buckets: stages PARTIAL sums by month, tells what each slot and day holds."""

    slots: Mapping[str, SlotPlan]
    min_probability: float
    end: int

    def __call__(self, items: Sequence[BucketItem], files: TaskFiles) -> Iterator[dict[str, Any]]:
        """A line a bucket, slot and day."""
        for item in items:
            by_month: dict[date, list[pl.DataFrame]] = {}
            days = read_days(item.bucket, item.wanted, self.slots, self.end, files)
            for name, day, rows, worked_out in days:
                sums = round_sums(rows, self.min_probability, self.slots[name].kind)
                keyed = sums.with_columns(pl.lit(name).alias("slot"), pl.lit(day).alias("day"))
                by_month.setdefault(day.replace(day=1), []).append(keyed)
                yield {
                    "slot": name,
                    "day": str(day),
                    "worked_out": worked_out,
                    "decisions": rows.height,
                    "mature": rows.height - rows.get_column("reward").null_count(),
                    "summed": _summed(rows, self.slots[name]),
                }
            for month, parts in by_month.items():
                files.stage(PARTIAL, pl.concat(parts), (str(month), item.bucket.number))


@dataclass(frozen=True)
class MonthItem:
    """A month's partial sums, the table's files of it, and the slots and days that are replaced there."""

    month: date
    partial: tuple[Parcel, ...]
    files: tuple[DataFile, ...]
    replaced: tuple[tuple[str, date], ...]


def write_months(items: Sequence[MonthItem], files: TaskFiles) -> Iterator[dict[str, Any]]:
    """Work on months: writes all of their `bandit_days`, tells nothing."""
    for item in items:
        parts = [files.read(item.partial)] if item.partial else []
        # in one order, so that the same sums come out whatever task was done first
        fresh = added(pl.concat(parts).sort(*KEYS, "chosen_weight", "other_weight")) if parts else None
        columns = [name for name in BANDIT_DAYS.columns if name != "month"]
        rows = [fresh.select(columns)] if fresh is not None else []
        if item.files:
            gone = pl.DataFrame(list(item.replaced), schema={"slot": pl.String, "day": pl.Date}, orient="row")
            there = files.read(item.files, columns).join(gone, on=["slot", "day"], how="anti")
            rows.append(there)
        if rows:
            files.write(BANDIT_DAYS, pl.concat(rows).sort(KEYS), {"month": item.month})
    yield from ()


def _summed(rows: pl.DataFrame, slot: SlotPlan) -> int:
    mature = pl.col("reward").is_not_null()
    learnt = mature if slot.kind == "seasonal" else mature & pl.col("probabilities").is_not_null()
    return int(rows.select(learnt.sum()).item())
