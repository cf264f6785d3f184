"""Tables of features, labels and users as frames, in a lake that has nothing but them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, timedelta
from typing import Any

import numpy as np
import polars as pl
from pyspark.sql import types as T

from pozytywka_spark.config import Settings
from pozytywka_spark.lake.api import Commit
from pozytywka_spark.lake.shards import Shard
from pozytywka_spark.months import next_month
from tests.in_memory import MemoryTasks

MONTHS = [date(2022, month, 1) for month in range(1, 13)]
CITIES = ("Gdynia", "Radom", None)


@dataclass
class FrameLake:
    """What of `lake.api.Lake` reads tables through tasks; each frame is cut into two files a month."""

    frames: dict[str, pl.DataFrame]
    tasks: MemoryTasks = field(default_factory=MemoryTasks)
    root: str = "memory"

    def exists(self, table: str) -> bool:
        return table in self.frames

    def version(self, table: str) -> int:
        return 3

    def history(self, table: str) -> list[Commit]:
        return [Commit(3, datetime(2023, 1, 1, tzinfo=UTC), "WRITE", {})]

    def schema(self, table: str, *, version: int | None = None) -> T.StructType | None:
        if table not in self.frames:
            return None
        return T.StructType([T.StructField(name, T.StringType()) for name in self.frames[table].columns])

    def shards(
        self,
        table: str,
        tasks: MemoryTasks,
        partitions: Sequence[Any] | None = None,
        columns: Sequence[str] | None = None,
        *,
        version: int | None = None,
    ) -> list[Shard]:
        frame = self.frames[table]
        if "month" not in frame.columns:
            return [Shard(table, {}, (tasks.files.put_file(frame, {}),))]
        wanted = {one["month"] for one in partitions} if partitions is not None else set(frame["month"])
        shards = []
        for month in sorted(wanted & set(frame["month"])):
            rows = frame.filter(pl.col("month") == month).drop("month")
            halves = [rows[: rows.height // 2], rows[rows.height // 2 :]]
            partition = {"month": month}
            shards.append(
                Shard(table, partition, tuple(tasks.files.put_file(half, partition) for half in halves))
            )
        return shards


def made_lake(settings: Settings, order: Sequence[str], users: int = 60, seed: int = 3) -> FrameLake:
    """A row a user and month of 2022 in no order; a tenth of the features null; the last month immature, the
    first not covered by the data; some users without a city, some that the table `users` doesn't know."""
    drawn = np.random.default_rng(seed)
    keys = pl.DataFrame({"user_id": range(1, users + 1)}).join(pl.DataFrame({"month": MONTHS}), how="cross")
    keys = keys.sample(fraction=1, shuffle=True, seed=seed)
    values = {
        name: pl.Series(drawn.normal(size=keys.height)).set(
            pl.Series(drawn.random(keys.height) < 0.1), None
        )
        for name in order
    }  # fmt: skip
    months = keys.get_column("month").to_list()
    cut_offs = [datetime.combine(next_month(month), datetime.min.time(), UTC) for month in months]
    days = timedelta(days=settings.label.horizon_days)
    labels = keys.with_columns(
        pl.Series("cut_off", cut_offs, pl.Datetime("us", "UTC")),
        pl.Series("horizon_end", [each + days for each in cut_offs], pl.Datetime("us", "UTC")),
        (pl.col("month") < MONTHS[-1]).alias("mature"),
        pl.Series(settings.label.column, drawn.random(keys.height) < 0.3).cast(pl.Int32),
        complete=pl.col("month") > MONTHS[0],
    )
    label = pl.when("mature").then(settings.label.column).alias(settings.label.column)
    cities = [CITIES[user % len(CITIES)] for user in range(1, users)]
    return FrameLake(
        {
            "features": keys.with_columns(**values).sample(fraction=1, shuffle=True, seed=seed + 1),
            "labels": labels.with_columns(label),
            "users": pl.DataFrame({"user_id": range(1, users), "city": cities}),
        }
    )
