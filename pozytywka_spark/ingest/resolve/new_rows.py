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
        (key,) = self.table.keys
        for one in items:
            rows = rows_of(one, key, files)
            if rows.height:
                yield {COUNTS: self._settle(rows, key, one, files)}

    def _settle(self, rows: pl.DataFrame, key: str, one: RowSlice, files: TaskFiles) -> list[list[Any]]:
        """Write what is new; what became of all rows, as `COUNTS`."""
        latest = latest_of(rows, key, self.sources)
        new, same_rows = latest, 0
        if one.existing:
            there = latest.join(
                self._held(latest.select(key), one, files), on=key, how="left", suffix="_held"
            )
            is_existing = pl.col("_held").is_not_null()
            says = [name for name in self.table.columns if name != key]
            same = there.select(is_existing & says_as_held(says)).to_series()
            stays = there.select(is_existing & (not self.replaces)).to_series()
            new, same_rows = latest.filter(~(same | stays)), int(same.sum())
        files.stage(LEFT, rows.select("line_id").drop_nulls().cast(LEFT_ROWS))
        files.write(self.table, new.select(self.table.columns))
        files.stage(RESCUED, rescued_of(new, key))
        return counts_of(rows.height, new.height, same_rows)

    def _held(self, keys: pl.DataFrame, one: RowSlice, files: TaskFiles) -> pl.DataFrame:
        """What the table holds of these keys, marked `_held`."""
        rows = (files.read([file], self.table.columns) for file in one.existing)
        existing = pl.concat([each.join(keys, on=keys.columns, how="semi") for each in rows])
        return existing.with_columns(_held=pl.lit(True))


def rows_of(one: RowSlice, key: str, files: TaskFiles) -> pl.DataFrame:
    """The rows of a slice's parcels, of keys in the slice."""
    return pl.concat([_inside(files.read([parcel]), one, key) for parcel in one.parcels])


def _inside(rows: pl.DataFrame, one: RowSlice, key: str) -> pl.DataFrame:
    if one.parts == 1:
        return rows
    if rows.schema[key] == pl.String:
        return rows.filter(text_slice(rows.get_column(key), one.parts) == one.part)
    return rows.filter(slice_of(key, one.parts) == one.part)


def latest_of(rows: pl.DataFrame, key: str, sources: Sequence[tuple[datetime, str]]) -> pl.DataFrame:
    """The row of each key that was delivered last, by key; `sources` as of `NewRows`."""
    in_order = sorted(range(len(sources)), key=sources.__getitem__)
    rank = dict(zip(in_order, range(len(in_order)), strict=True))
    when = pl.col("source").replace_strict(rank, return_dtype=pl.Int64)
    return rows.sort(key, when, "source_order").unique(key, keep="last", maintain_order=True)


def says_as_held(columns: Sequence[str]) -> pl.Expr:
    """Whether a row says what the held row of its key says, in these columns."""
    return pl.all_horizontal(pl.col(name).eq_missing(pl.col(f"{name}_held")) for name in columns)


def counts_of(rows: int, new: int, same: int) -> list[list[Any]]:
    """What became of so many rows: new ones, those equal to held ones; the others lost to a later one."""
    return [
        *count(KEPT, None, new),
        *count(DUPLICATE, SAME_ROW, same),
        *count(DUPLICATE, OLDER_ROW, rows - new - same),
    ]


def rescued_of(rows: pl.DataFrame, key: str) -> pl.DataFrame:
    """The columns of RESCUED of those rows that have something to rescue."""
    rescued = rows.filter(pl.col("rescued").is_not_null())
    return rescued.select(pl.col(key).cast(pl.String).alias("key"), "rescued", "source").cast(RESCUED_ROWS)
