"""How often users of the past bought, by tasks, a slice of users at a time. No Spark here."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from typing import Any

import polars as pl

from pozytywka_spark.experiments.assignment.enrol_work import USERS
from pozytywka_spark.experiments.purchases import NOBODY, first_purchases
from pozytywka_spark.experiments.slices import Slice
from pozytywka_spark.lake.shards import Parcel
from pozytywka_spark.lake.tasks import TaskFiles
from pozytywka_spark.months import cut_off_micros, start_micros


@dataclass(frozen=True)
class CountPastBuyers:
    """Work on slices of users: tells by month how many who had listened in it were free at its end (`free`),
    and how many of these `bought` before the cut-off `at`. `listened`: MEMBERS of events, by month.
    """

    listened: tuple[Parcel, ...]
    bought: tuple[Parcel, ...]
    at: date

    def __call__(self, items: Sequence[Slice], files: TaskFiles) -> Iterator[dict[str, Any]]:
        """A line a slice and month."""
        months = sorted({parcel.key for parcel in self.listened})
        for item in items:
            bought = first_purchases(item.read(self.bought, NOBODY, files))
            for key in months:
                mine = [parcel for parcel in self.listened if parcel.key == key]
                users = item.read(mine, USERS, files).unique().join(bought, on="user_id", how="left")
                month = str(key[0])
                purchase = pl.col("purchased_at")
                start = cut_off_micros(date.fromisoformat(month))
                free = users.filter(purchase.is_null() | (purchase >= start))
                in_time = free.filter(purchase < start_micros(self.at)).height
                yield {"month": month, "free": free.height, "bought": in_time}


def shares_told(results: Sequence[Mapping[str, Any]]) -> dict[date, float]:
    """By month: the share who bought among those who were free, of all slices."""
    free: Counter[str] = Counter()
    bought: Counter[str] = Counter()
    for line in results:
        free[line["month"]] += line["free"]
        bought[line["month"]] += line["bought"]
    return {date.fromisoformat(month): bought[month] / users for month, users in free.items() if users}
