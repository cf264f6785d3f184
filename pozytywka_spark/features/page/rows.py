"""The rows that the page of features looks at, drawn by stated dice, and brought to the driver."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import date
from typing import Any

import polars as pl

from pozytywka_spark.hashing.dice import dice, falls_below
from pozytywka_spark.lake.api import Lake
from pozytywka_spark.lake.shards import DataFile
from pozytywka_spark.lake.tasks import TaskFiles
from pozytywka_spark.names import USER_MONTH

KEYS = list(USER_MONTH)
DRAWN = "drawn"  # kind of parcels: keys, features, targets; key: ()


@dataclass(frozen=True)
class LabelledMonth:
    """The files of `features` and of `labels` of a month."""

    month: date
    features: tuple[DataFile, ...]
    labels: tuple[DataFile, ...]

    @property
    def size(self) -> int:
        """Bytes that are read."""
        return sum(file.size for file in (*self.features, *self.labels))


@dataclass(frozen=True)
class DrawRows:
    """Work on `LabelledMonth`s: stages DRAWN, about `share` of the rows (0 to 1), with these columns."""

    features: tuple[str, ...]
    targets: tuple[str, ...]
    share: float
    seed: int

    def __call__(self, items: Sequence[LabelledMonth], files: TaskFiles) -> Iterator[dict[str, Any]]:
        """Nothing is told. A file at a time, so that no more than one and what was drawn are held."""
        for one in items:
            labels = [self._drawn(file, self.targets, files) for file in one.labels]
            features = [self._drawn(file, self.features, files) for file in one.features]
            if labels and features:
                rows = pl.concat(features).join(pl.concat(labels), on=KEYS, how="inner")
                files.stage(DRAWN, rows)
        yield from ()

    def _drawn(self, file: DataFile, columns: Sequence[str], files: TaskFiles) -> pl.DataFrame:
        rows = files.read([file], [*KEYS, *columns])
        return rows.filter(falls_below(dice(rows, self.seed), self.share))


def draw_rows(
    lake: Lake, features: Sequence[str], targets: Sequence[str], *, rows: int, seed: int
) -> pl.DataFrame:
    """About `rows` rows of `features` and `labels`: user_id, month, features, targets, by month and user.

    All of them where the tables have no more. The same rows whatever files they lie in.
    """
    with lake.tasks() as tasks:
        labels = {
            shard.partition["month"]: shard
            for shard in lake.shards("labels", tasks, columns=[*KEYS, *targets])
        }
        months = [
            LabelledMonth(shard.partition["month"], shard.files, labels[shard.partition["month"]].files)
            for shard in lake.shards("features", tasks, columns=[*KEYS, *features])
            if shard.partition["month"] in labels
        ]
        total = sum(shard.rows for shard in labels.values())
        work = DrawRows(tuple(features), tuple(targets), rows / max(total, 1), seed)
        done = tasks.run(
            months, work, weight=lambda one: one.size, named=lambda one: f"features of {one.month:%Y-%m}"
        )
        drawn = done.of(DRAWN)
        drawn_rows = tasks.fetch(drawn) if drawn else _nothing(features, targets)
    return drawn_rows.sort("month", "user_id")


def _nothing(features: Sequence[str], targets: Sequence[str]) -> pl.DataFrame:
    keys = {"user_id": pl.Int64(), "month": pl.Date()}
    kinds = dict.fromkeys(features, pl.Float64()) | dict.fromkeys(targets, pl.Int32())
    return pl.DataFrame(schema={**keys, **kinds})
