"""Guard `rows`, over the files that a build wrote: one row per user and month, none of a buyer."""

from __future__ import annotations

import time
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from typing import Any

import polars as pl

from pozytywka_spark.errors import GuardError
from pozytywka_spark.features.build.items import Source
from pozytywka_spark.features.build.purchases import purchases_of
from pozytywka_spark.features.guards.result import GuardResult
from pozytywka_spark.features.guards.sample import SliceName
from pozytywka_spark.hashing.identity import user_bucket
from pozytywka_spark.hashing.slices import slice_of
from pozytywka_spark.lake.shards import DataFile
from pozytywka_spark.lake.tasks import Done, TaskFiles, Tasks
from pozytywka_spark.months import cut_off_micros

_MONTH, _TWICE, _BOUGHT, _SLICES = "month", "twice", "bought", "slices"


@dataclass(frozen=True)
class MonthRows:
    """All files of a month's rows."""

    month: date
    files: tuple[DataFile, ...]

    @property
    def size(self) -> int:
        """Bytes of the column that is read."""
        return sum(8 * one.rows for one in self.files)


@dataclass(frozen=True)
class CheckRows:
    """Work on `MonthRows`: tells the first user with two rows and the first who had bought, if any, and of
    which slices of users each file has rows.
    """

    bought: tuple[Source, ...]
    buckets: int
    slices: int

    def __call__(self, items: Sequence[MonthRows], files: TaskFiles) -> Iterator[dict[str, Any]]:
        """Facts of each month."""
        purchases = purchases_of(self.bought, files)
        for month in items:
            of_files = [files.read([file], ("user_id",)) for file in month.files]
            rows = pl.concat(of_files)
            yield {
                _MONTH: month.month.isoformat(),
                _TWICE: first_twice(rows),
                _BOUGHT: first_bought(rows, purchases, month.month),
                _SLICES: {
                    file.place: self._slices(users) for file, users in zip(month.files, of_files, strict=True)
                },
            }

    def _slices(self, users: pl.DataFrame) -> list[list[int]]:
        bucket = user_bucket(pl.col("user_id"), self.buckets).alias("bucket")
        number = slice_of("user_id", self.slices, apart_from=self.buckets).alias("number")
        return [list(row) for row in users.select(bucket, number).unique().sort("bucket", "number").rows()]


def first_twice(rows: pl.DataFrame) -> list[int] | None:
    """The first user of a month's rows who has more than one, and how many; None if there is none."""
    if rows.get_column("user_id").n_unique() == rows.height:
        return None
    counts = rows.group_by("user_id").len().filter(pl.col("len") > 1)
    return list(counts.sort("user_id").row(0))


def first_bought(rows: pl.DataFrame, purchases: pl.DataFrame, month: date) -> list[int] | None:
    """The first user of a month's rows who bought before the cut-off, and when (microseconds); else None.

    `purchases`: user_id and purchased_at, each buyer's first.
    """
    early = purchases.filter(pl.col("purchased_at") < cut_off_micros(month))
    buyers = early.join(rows, on="user_id", how="semi").sort("user_id")
    return list(buyers.select("user_id", "purchased_at").row(0)) if buyers.height else None


def check_rows(
    tasks: Tasks, written: Sequence[DataFile], work: CheckRows
) -> tuple[GuardResult, dict[str, list[SliceName]]]:
    """Guard `rows` over all the files of features that a build wrote.

    Gives the slices, too, that each file has rows of, by the file's place. Raises
    `GuardError` naming the first row that stands twice or whose user had bought.
    """
    start = time.monotonic()
    by_month: dict[date, list[DataFile]] = {}
    for file in written:
        by_month.setdefault(file.partition["month"], []).append(file)
    items = [MonthRows(month, tuple(files)) for month, files in sorted(by_month.items())]
    done = tasks.run(
        items, work, weight=lambda item: item.size, named=lambda item: f"features of {item.month:%Y-%m}"
    )
    _judge(done)
    slices: Mapping[str, Any] = {
        place: groups for result in done.results for place, groups in result[_SLICES].items()
    }
    meaning = "one row per user and month, none after the purchase"
    return (
        GuardResult("rows", meaning, time.monotonic() - start),
        {place: [(bucket, number) for bucket, number in groups] for place, groups in slices.items()},
    )


def _judge(done: Done) -> None:
    in_order = sorted(done.results, key=lambda result: str(result[_MONTH]))
    for result in in_order:
        if result[_TWICE]:
            user, times = result[_TWICE]
            raise GuardError(f"guard rows: {_row(user, result)} stands {times} times; expected one row")
    for result in in_order:
        if result[_BOUGHT]:
            user, at = result[_BOUGHT]
            when = datetime.fromtimestamp(0, UTC) + timedelta(microseconds=at)
            raise GuardError(
                f"guard rows: {_row(user, result)} bought premium at {when:%Y-%m-%d %H:%M:%S}, before the "
                "cut-off; such a row must not exist"
            )


def _row(user: int, result: Mapping[str, Any]) -> str:
    return f"user {user}, month {result[_MONTH][:7]}"
