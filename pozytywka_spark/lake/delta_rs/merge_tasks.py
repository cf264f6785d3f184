"""Upsert by tasks: the files that hold one of the keys are written again without them, all others stay."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import polars as pl

from pozytywka_spark.errors import LakeError
from pozytywka_spark.lake.delta_rs import log
from pozytywka_spark.lake.shards import DataFile, Written
from pozytywka_spark.lake.task_files import OpenFiles
from pozytywka_spark.lake.tasks import TaskFiles, Tasks
from pozytywka_spark.schemas import Table

_COMPARABLE = (pl.String, pl.Int8, pl.Int16, pl.Int32, pl.Int64, pl.Date)


@dataclass(frozen=True)
class Keys:
    """The range of each of the new rows' keys that can be compared and is never null."""

    ranges: Mapping[str, tuple[Any, Any]]

    def may_be_in(self, file: log.ActiveFile) -> bool:
        """False only if the file can't hold one of the keys."""
        return all(file.may_hold(key, low, high) for key, (low, high) in self.ranges.items())


def look_at(tasks: Tasks, source: Sequence[DataFile], table: Table, keys: Sequence[str]) -> Keys:
    """Raise `LakeError` with an example if two new rows have one key: which would win is chance."""
    size = sum(file.size for file in source)
    done = tasks.run(
        [tuple(source)],
        _Look(tuple(keys)),
        weight=lambda _: size,
        named=lambda _: f"new rows of {table.name}",
    )
    result = done.results[0]
    if result["twice"] is not None:
        count, values = result["twice"]
        example = ", ".join(f"{key}={value}" for key, value in zip(keys, values, strict=True))
        raise LakeError(
            f"table {table.name}: upsert of {count} rows of one key ({example}); keep one of each"
        )
    return Keys(result["ranges"])


def without(
    tasks: Tasks,
    data_files: Sequence[DataFile],
    source: Sequence[DataFile],
    table: Table,
    keys: Sequence[str],
) -> tuple[list[str], list[Written]]:
    """Paths of the held files that have one of the source's keys, and files of their other rows."""
    done = tasks.run(
        data_files,
        _Without(table, tuple(keys), tuple(source)),
        weight=lambda file: file.size,
        named=lambda file: file.place,
    )
    return [result["touched"] for result in done.results], list(done.written)


@dataclass(frozen=True)
class _Look:
    keys: tuple[str, ...]

    def __call__(self, items: Sequence[Sequence[DataFile]], files: TaskFiles) -> Iterator[dict[str, Any]]:
        rows = files.read(items[0], self.keys)
        twice = rows.group_by(self.keys).len("_rows").filter(pl.col("_rows") > 1).head(1).rows()
        ranges = {
            key: (rows[key].min(), rows[key].max())
            for key in self.keys
            if rows.schema[key] in _COMPARABLE and not rows[key].null_count()
        }
        yield {"twice": (twice[0][-1], twice[0][:-1]) if twice else None, "ranges": ranges}


@dataclass(frozen=True)
class _Without:
    table: Table
    keys: tuple[str, ...]
    source: tuple[DataFile, ...]

    def __call__(self, items: Sequence[DataFile], files: TaskFiles) -> Iterator[dict[str, Any]]:
        assert isinstance(files, OpenFiles)  # rows go from file to file in Arrow's types
        keys = list(self.keys)
        for file in items:
            new_keys = files.shared(self.source, keys)
            file_keys = files.read([file], keys).with_row_index("_place")
            untouched = file_keys.join(
                new_keys, on=keys, how="anti", nulls_equal=True, maintain_order="left"
            )["_place"]
            if len(untouched) == file_keys.height:
                continue
            if len(untouched):  # not through Polars, which has no maps
                rows = files.tables.read(file, self.table.columns).take(untouched.to_arrow())
                files.written.append(files.tables.write(self.table, rows, file.partition))
            yield {"touched": file.path}
