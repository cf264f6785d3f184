"""Counts taken before the split is planned: mature labels by month, users by city."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from typing import Any

import polars as pl

from pozytywka_spark.dataset.splits import MonthCount
from pozytywka_spark.dataset.subgroups import largest_cities
from pozytywka_spark.dataset.table_work import SEED, mature
from pozytywka_spark.hashing.dice import dice, falls_below
from pozytywka_spark.lake.shards import DataFile
from pozytywka_spark.lake.tasks import TaskFiles

USERS = "training_users"  # parcels of user_id and city


@dataclass(frozen=True)
class Counted:
    """Mature rows by month: of months that count (`counts`), and of all (`everywhere`)."""

    counts: tuple[MonthCount, ...]
    everywhere: tuple[MonthCount, ...]

    @property
    def left_out(self) -> tuple[MonthCount, ...]:
        """Months that the data don't cover."""
        taken = {count.month for count in self.counts}
        return tuple(count for count in self.everywhere if count.month not in taken)


@dataclass(frozen=True)
class CountLabels:
    """Work on files of `labels`: tells rows and positives by month. `whole`: as of `table_work.mature`."""

    label: str
    whole: bool

    def __call__(self, items: Sequence[DataFile], files: TaskFiles) -> Iterator[dict[str, Any]]:
        """Facts of each file."""
        columns = ["month", "user_id", "cut_off", "horizon_end", "mature", self.label]
        for file in items:
            labels = files.read([file], [*columns, *(["complete"] if self.whole else [])])
            counts = {"everywhere": _by_month(mature(labels, self.label, whole=False))}
            yield counts | {"counts": _by_month(mature(labels, self.label, whole=self.whole))}


@dataclass(frozen=True)
class CountCities:
    """Work on files of `users`: stages USERS, tells users by city, null for those without one.

    `share`: of the users whose dice are the lowest, as of `table_work.MonthTable`, are staged.
    """

    share: float = 1.0

    def __call__(self, items: Sequence[DataFile], files: TaskFiles) -> Iterator[dict[str, Any]]:
        """Facts of each file."""
        for file in items:
            users = files.read([file], ["user_id", "city"])
            yield {"cities": [[city, many] for city, many in users.group_by("city").len().iter_rows()]}
            with_city = users.filter(pl.col("user_id").is_not_null() & pl.col("city").is_not_null())
            if self.share < 1:
                with_city = with_city.filter(falls_below(dice(with_city, SEED, ("user_id",)), self.share))
            files.stage(USERS, with_city)


def counted(results: Sequence[Mapping[str, Any]]) -> Counted:
    """What `CountLabels` told."""
    return Counted(_summed(results, "counts"), _summed(results, "everywhere"))


def counted_cities(results: Sequence[Mapping[str, Any]]) -> tuple[str, ...]:
    """The twenty cities with most users, as `CountCities` told; users of none count as a city."""
    users: Counter[str | None] = Counter()
    for facts in results:
        for city, many in facts["cities"]:
            users[city] += many
    return largest_cities(users)


def _by_month(rows: pl.DataFrame) -> list[list[Any]]:
    counts = rows.group_by("month").agg(pl.len(), pl.col("label").sum().cast(pl.Int64).alias("positives"))
    return [[f"{month}", many, positives] for month, many, positives in counts.iter_rows()]


def _summed(results: Sequence[Mapping[str, Any]], name: str) -> tuple[MonthCount, ...]:
    rows: Counter[str] = Counter()
    positives: Counter[str] = Counter()
    for facts in results:
        for month, many, bought in facts[name]:
            rows[month] += many
            positives[month] += bought
    return tuple(
        MonthCount(date.fromisoformat(month), rows[month], positives[month]) for month in sorted(rows)
    )
