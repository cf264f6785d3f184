"""The training table's rows, month by month: features beside labels, looked at by the guards, put down."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import date
from typing import Any

import numpy as np
import polars as pl

from pozytywka_spark.hashing.dice import dice, falls_below
from pozytywka_spark.hashing.digest import digest_of
from pozytywka_spark.hashing.slices import slice_of, slices_for
from pozytywka_spark.lake.shards import DataFile
from pozytywka_spark.lake.tasks import TaskFiles

ROWS = "training_rows"  # parcels of KEYS and `MATRIX`
KEYS = ("user_id", "month", "side", "label")
MATRIX = "features"  # an array of 32-bit floats, NaN where null
ROWS_AT_ONCE = 400_000  # rows of 115 features that a task holds: 370 MB as doubles
SEED = 22  # of the dice that choose the users of a sample
_TIMES = ("cut_off", "horizon_end")


@dataclass(frozen=True)
class MonthRows:
    """The files with a month's labels and features, and the place of its side in `table.SIDES`."""

    month: date
    side: int
    labels: tuple[DataFile, ...]
    features: tuple[DataFile, ...]

    @property
    def rows(self) -> int:
        """Rows of the larger of the two tables."""
        return max(sum(file.rows for file in files) for files in (self.labels, self.features))

    @property
    def size(self) -> int:
        """Bytes that are read."""
        return sum(file.size for file in (*self.labels, *self.features))


@dataclass(frozen=True)
class MonthTable:
    """Work on `MonthRows`: stages ROWS, tells `Facts` of each part of a month, as a dictionary.

    Rows are the mature ones with `label`, of months that the data cover if `whole`, and of users whose dice
    are among the lowest `share` of all. Facts are told of all rows but `sampled`, their number in the sample.
    """

    order: tuple[str, ...]
    label: str
    whole: bool
    share: float = 1.0
    rows_at_once: int = ROWS_AT_ONCE

    def __call__(self, items: Sequence[MonthRows], files: TaskFiles) -> Iterator[dict[str, Any]]:
        """Facts of each part."""
        for item in items:
            parts = slices_for(item.rows, self.rows_at_once)
            for part in range(parts):
                labels = mature(self._labels(item, part, parts, files), self.label, whole=self.whole)
                rows = labels
                if item.features and labels.height:
                    features = self._features(item, part, parts, files)
                    rows = labels.join(features, on=["user_id", "month"], how="inner")
                else:
                    rows = labels.clear()
                covered = self._kept(rows)
                yield facts_of(rows, item, labels.height, self.order) | {"sampled": covered.height}
                if covered.height:
                    files.stage(ROWS, as_block(covered, item.side, self.order), (f"{item.month}", part))

    def _labels(self, item: MonthRows, part: int, parts: int, files: TaskFiles) -> pl.DataFrame:
        columns = ["user_id", "month", *_TIMES, "mature", self.label, *(["complete"] if self.whole else [])]
        return _read(item.labels, columns, part, parts, files)

    def _features(self, item: MonthRows, part: int, parts: int, files: TaskFiles) -> pl.DataFrame:
        return _read(item.features, ["user_id", "month", *self.order], part, parts, files)

    def _kept(self, rows: pl.DataFrame) -> pl.DataFrame:
        if self.share >= 1:
            return rows
        return rows.filter(falls_below(dice(rows, SEED, ("user_id",)), self.share))


def mature(labels: pl.DataFrame, label: str, *, whole: bool) -> pl.DataFrame:
    """Grain user and month: keys, times, mature, `label` as a double; the mature rows that have a label.

    `whole`: only of months that the data cover; labels of an older release don't say.
    """
    is_mature = pl.col("mature").fill_null(value=False) & pl.col(label).is_not_null()
    if whole:
        is_mature &= pl.col("complete").fill_null(value=True)
    return labels.filter(is_mature).select(
        "user_id", "month", *_TIMES, "mature", pl.col(label).cast(pl.Float64).alias("label")
    )


def facts_of(rows: pl.DataFrame, item: MonthRows, labels: int, order: Sequence[str]) -> dict[str, Any]:
    """What guards and fingerprints ask of a part of a month: whole numbers and texts.

    `labels`: how many rows there should be; `rows`: as `mature` has them, with features. `first_cut_off`,
    `last_horizon` in microseconds, `last_user` the first user of the latter; `immature` a row that shouldn't
    be there. `digest` as `digest.digest_of` folds it.
    """
    facts: dict[str, Any] = {"month": f"{item.month}", "side": item.side, "labels": labels}
    facts |= {"rows": rows.height, "keys": rows.select("user_id", "month").n_unique()}
    facts |= {"positives": int(rows.get_column("label").sum())}
    if not rows.height:
        return facts
    times = {name: rows.get_column(name).dt.epoch("us") for name in _TIMES}
    latest = times["horizon_end"].max()
    users = rows.get_column("user_id").filter(times["horizon_end"] == latest)
    facts |= {"first_cut_off": times["cut_off"].min(), "last_horizon": latest, "last_user": users.min()}
    wrong = rows.filter(~pl.col("mature").fill_null(value=False)).sort("month", "user_id")
    if wrong.height:
        facts["immature"] = [wrong.item(0, "user_id"), f"{wrong.item(0, 'horizon_end'):%Y-%m-%d %H:%M:%S}"]
    side = np.full(rows.height, item.side)
    whole = [rows.get_column("user_id"), rows.get_column("month").to_physical(), *times.values()]
    arrays = [*(each.to_numpy() for each in whole), side, rows.get_column("label").to_numpy()]
    values = (rows.get_column(name).to_numpy() for name in sorted(order))
    digest = digest_of(column for columns in (arrays, values) for column in columns)
    return facts | {"digest": [digest.rows, digest.folded, digest.total]}


def as_block(rows: pl.DataFrame, side: int, order: Sequence[str]) -> pl.DataFrame:
    """Rows as they are put down: `KEYS` and `MATRIX`."""
    floats = rows.select(pl.col(order).cast(pl.Float32).fill_null(float("nan")))
    matrix = pl.Series(MATRIX, floats.to_numpy(order="c"), pl.Array(pl.Float32, len(order)))
    keys = rows.select("user_id", "month", pl.lit(side, pl.UInt8).alias("side"), "label")
    return keys.with_columns(matrix)


def _read(
    sources: Sequence[DataFile], columns: Sequence[str], part: int, parts: int, files: TaskFiles
) -> pl.DataFrame:
    if parts == 1:
        return files.read(sources, columns)
    mine = slice_of("user_id", parts) == part
    # a file at a time, so that no more than one is held whole
    return pl.concat([files.read([file], columns).filter(mine) for file in sources])
