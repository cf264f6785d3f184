"""When users bought premium: the first purchase of each, found in the events. No Spark here."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import polars as pl

from pozytywka_spark.lake.shards import DataFile, Parcel
from pozytywka_spark.lake.tasks import TaskFiles, Tasks
from pozytywka_spark.names import BUY_PREMIUM

if TYPE_CHECKING:
    from pozytywka_spark.lake.api import Lake

# Kind of parcels: user_id, purchased_at (in microseconds), one row a user and file of events
BOUGHT = "bought"
NOBODY = pl.Schema({"user_id": pl.Int64(), "purchased_at": pl.Int64()})
COLUMNS = ("user_id", "event_time", "event_type")
_SHARE_READ = 5  # of a file's bytes: these columns are about a fifth of it


@dataclass(frozen=True)
class FindPurchases:
    """Work on files of `events`: stages BOUGHT, tells nothing."""

    def __call__(self, items: Sequence[DataFile], files: TaskFiles) -> Iterator[dict[str, Any]]:
        """Nothing is told."""
        for file in items:
            bought = files.read([file], COLUMNS).filter(pl.col("event_type") == BUY_PREMIUM)
            files.stage(BOUGHT, first_purchases(bought.select("user_id", _micros("event_time"))))
        yield from ()


def first_purchases(bought: pl.DataFrame) -> pl.DataFrame:
    """Grain user: `user_id`, `purchased_at`; of any number of purchases a user."""
    return bought.group_by("user_id").agg(pl.col("purchased_at").min())


def find_purchases(lake: Lake, tasks: Tasks) -> tuple[Parcel, ...]:
    """First purchases by file of events, for tasks: `first_purchases` of all of them are each user's."""
    files = [file for shard in lake.shards("events", tasks, columns=COLUMNS) for file in shard.files]
    done = tasks.run(
        files,
        FindPurchases(),
        weight=lambda file: file.size // _SHARE_READ,
        named=lambda file: f"events in {file.place}",
    )
    return tuple(done.of(BOUGHT))


def _micros(name: str) -> pl.Expr:
    return pl.col(name).dt.epoch("us").alias("purchased_at")
