"""First purchases of users: put down by job one as it reads events, and read again by the jobs behind it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from typing import Any

import polars as pl

from pozytywka_spark.features.build.items import REAL, Source
from pozytywka_spark.features.build.parcels import BOUGHT, BOUGHT_ROWS
from pozytywka_spark.lake.shards import DataFile, Parcel
from pozytywka_spark.lake.tasks import TaskFiles
from pozytywka_spark.names import BUY_PREMIUM
from pozytywka_spark.schemas import FIRST_PURCHASES

_READ = ("user_id", "event_time", "event_type")
_BOUGHT = pl.Schema({"user_id": pl.Int64(), "purchased_at": pl.Int64()})


@dataclass(frozen=True)
class BoughtIn:
    """The files of `events` of a month and a bucket of users."""

    month: date
    bucket: int
    files: tuple[DataFile, ...]

    @property
    def size(self) -> int:
        """Bytes that are read."""
        return sum(file.size for file in self.files)


def find_bought(item: BoughtIn, files: TaskFiles) -> dict[str, Any]:
    """Stages BOUGHT, writes a file of `first_purchases`; the facts of `first_pass.FirstPass`."""
    read = (files.read([file], _READ, ["event_type"]) for file in item.files)
    of_files = [first_purchases(events, item.month) for events in read]
    firsts = pl.concat(of_files).group_by("user_id", "month").agg(pl.col("purchased_at").min())
    bought = firsts.select(*BOUGHT_ROWS).sort("user_id")
    files.stage(BOUGHT, bought, (REAL, item.month.isoformat()))
    timed = bought.select("user_id", pl.col("purchased_at").cast(pl.Datetime("us", "UTC")))
    files.write(FIRST_PURCHASES, timed, {"month": item.month})
    return {"month": item.month.isoformat(), "bucket": item.bucket, "bought": bought.height}


def first_purchases(events: pl.DataFrame, month: date) -> pl.DataFrame:
    """`parcels.BOUGHT_ROWS` of a month's events (user_id, event_time, event_type): each known user's first.

    In the order of users.
    """
    bought = events.filter((pl.col("event_type") == BUY_PREMIUM) & pl.col("user_id").is_not_null())
    firsts = bought.group_by("user_id").agg(purchased_at=pl.col("event_time").min().dt.epoch("us"))
    return firsts.sort("user_id").with_columns(month=pl.lit(month)).cast(BOUGHT_ROWS)


def purchases_of(bought: Sequence[Source], files: TaskFiles) -> pl.DataFrame:
    """Grain: user who ever bought: `user_id` and `purchased_at`, in microseconds since 1970 (UTC).

    `bought`: parcels BOUGHT and files of `first_purchases`, any number of purchases a user.
    """
    frames = [_BOUGHT.to_frame()]
    for kind in (Parcel, DataFile):  # all of a kind at once: a worker keeps few shared tables
        sources = [one for one in bought if isinstance(one, kind)]
        if sources:  # a file of the table has moments where a parcel has microseconds
            frames.append(files.shared(sources, list(_BOUGHT)).cast(_BOUGHT))
    return pl.concat(frames).group_by("user_id").agg(pl.col("purchased_at").min())
