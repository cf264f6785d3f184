"""Users, artists, tracks and storage: one row a key, the latest wins."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

import polars as pl

from pozytywka_spark.hashing.slices import slice_of, text_slice
from pozytywka_spark.ingest.outcomes import COUNTS, DUPLICATE, KEPT, OLDER_ROW, SAME_ROW, count
from pozytywka_spark.ingest.parcels import LEFT, LEFT_ROWS, RESCUED, RESCUED_ROWS
from pozytywka_spark.lake.shards import DataFile, Parcel
from pozytywka_spark.lake.tasks import TaskFiles
from pozytywka_spark.schemas import Table


@dataclass(frozen=True)
class RowSlice:
    """ROWS parcels and the table's files, of keys in one of `parts` slices."""

    parcels: tuple[Parcel, ...]
    existing: tuple[DataFile, ...]
    part: int = 0
    parts: int = 1

    @property
    def size(self) -> int:
        """Bytes that are read."""
        return sum(one.size for one in self.parcels) + sum(one.size for one in self.existing)


@dataclass(frozen=True)
class NewRows:
    """Work on `RowSlice`s of a table of one key: writes rows that are new or say something new.

    Latest is what was delivered last: by the file's modification time, then its path, then the position in
    it. Rows that lose to it are duplicates, as are rows equal to what the table holds, and all rows of a held
    key unless `replaces`: a row that comes back from quarantine is older than that.

    Tells `COUNTS`, stages RESCUED and LEFT. `sources`: when each file of the batch was modified, and its
    plain path, in the order of `source`.
    """

    table: Table
    sources: tuple[tuple[datetime, str], ...]
    replaces: bool = True

    def __call__(self, items: Sequence[RowSlice], files: TaskFiles) -> Iterator[dict[str, Any]]:
        """Facts of each slice."""
        for one in items:
            rows = pl.concat([self._mine(files.read([parcel]), one) for parcel in one.parcels])
            if rows.height:
                yield {COUNTS: self._settle(rows, one, files)}

    def _settle(self, rows: pl.DataFrame, one: RowSlice, files: TaskFiles) -> list[list[Any]]:
        """Write what is new; what became of all rows, as `COUNTS`."""
        (key,) = self.table.keys
        latest = self._latest(rows)
        new, same_rows = latest, 0
        if one.existing:
            there = latest.join(
                self._held(latest.select(key), one, files), on=key, how="left", suffix="_held"
            )
            is_existing = pl.col("_held").is_not_null()
            same = there.select(is_existing & self._equal(key)).to_series()
            stays = there.select(is_existing & (not self.replaces)).to_series()
            new, same_rows = latest.filter(~(same | stays)), int(same.sum())
        files.stage(LEFT, rows.select("line_id").drop_nulls().cast(LEFT_ROWS))
        files.write(self.table, new.select(self.table.columns))
        files.stage(RESCUED, _rescued(new, key))
        return [
            *count(KEPT, None, new.height),
            *count(DUPLICATE, SAME_ROW, same_rows),
            *count(DUPLICATE, OLDER_ROW, rows.height - new.height - same_rows),
        ]

    def _equal(self, key: str) -> pl.Expr:
        """Whether a row says what the held row of its key says, in every column."""
        says = [name for name in self.table.columns if name != key]
        return pl.all_horizontal(pl.col(name).eq_missing(pl.col(f"{name}_held")) for name in says)

    def _latest(self, rows: pl.DataFrame) -> pl.DataFrame:
        """The row of each key that was delivered last, by key."""
        in_order = sorted(range(len(self.sources)), key=self.sources.__getitem__)
        rank = dict(zip(in_order, range(len(in_order)), strict=True))
        when = pl.col("source").replace_strict(rank, return_dtype=pl.Int64)
        by_time = rows.sort(*self.table.keys, when, "source_order")
        return by_time.unique(self.table.keys, keep="last", maintain_order=True)

    def _held(self, keys: pl.DataFrame, one: RowSlice, files: TaskFiles) -> pl.DataFrame:
        """What the table holds of these keys, marked `_held`."""
        rows = (files.read([file], self.table.columns) for file in one.existing)
        existing = pl.concat([each.join(keys, on=keys.columns, how="semi") for each in rows])
        return existing.with_columns(_held=pl.lit(True))

    def _mine(self, rows: pl.DataFrame, one: RowSlice) -> pl.DataFrame:
        if one.parts == 1:
            return rows
        (key,) = self.table.keys
        if rows.schema[key] == pl.String:
            return rows.filter(text_slice(rows.get_column(key), one.parts) == one.part)
        return rows.filter(slice_of(key, one.parts) == one.part)


def _rescued(rows: pl.DataFrame, key: str) -> pl.DataFrame:
    rescued = rows.filter(pl.col("rescued").is_not_null())
    return rescued.select(pl.col(key).cast(pl.String).alias("key"), "rescued", "source").cast(RESCUED_ROWS)
