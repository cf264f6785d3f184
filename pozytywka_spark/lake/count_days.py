"""Events by UTC day, counted from the rows of files that don't note it. No Spark here."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from typing import Any

import polars as pl

from pozytywka_spark.lake.shards import DataFile
from pozytywka_spark.lake.tasks import TaskFiles
from pozytywka_spark.months import DAY_MICROS

COLUMNS = ("event_time",)  # what is read of events
_EPOCH = date(1970, 1, 1)


@dataclass(frozen=True)
class CountDays:
    """Work on files of `events`: tells `days` of each: (day since 1970, events)."""

    def __call__(self, items: Sequence[DataFile], files: TaskFiles) -> Iterator[dict[str, Any]]:
        """A line a file."""
        for file in items:
            micros = files.read([file], COLUMNS).get_column("event_time").dt.epoch("us")
            days = micros.to_frame("micros").group_by((pl.col("micros") // DAY_MICROS).alias("day")).len()
            yield {"days": [[day, events] for day, events in days.iter_rows()]}


def days_told(results: Sequence[Mapping[str, Any]]) -> dict[date, int]:
    """Events by day, as `CountDays` told."""
    by_day: Counter[date] = Counter()
    for line in results:
        for day, events in line["days"]:
            by_day[_EPOCH + timedelta(days=day)] += events
    return dict(by_day)
