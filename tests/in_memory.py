"""Work run without Spark and without files: parcels and data files are frames in a list."""

from __future__ import annotations

import json
import pickle
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import replace
from typing import Any

import polars as pl

from pozytywka_spark.hashing.event_texts import KIND
from pozytywka_spark.lake.shards import DataFile, Parcel, Shard, Written, pack
from pozytywka_spark.lake.tasks import Done, Work
from pozytywka_spark.schemas import Table


class MemoryFiles:
    """Implements `lake.tasks.TaskFiles`; `put` makes what work is to read."""

    def __init__(self) -> None:
        self._frames: dict[str, pl.DataFrame] = {}
        self.parcels: list[Parcel] = []
        self.written: list[tuple[str, Mapping[str, Any], pl.DataFrame]] = []
        self.noted: list[Mapping[str, str]] = []  # of what was written, each

    def put(self, kind: str, rows: pl.DataFrame, key: tuple[str | int, ...] = ()) -> Parcel:
        place = f"memory:{len(self._frames)}"
        self._frames[place] = rows
        return Parcel(kind, key, place, rows.height, rows.estimated_size())

    def put_file(self, rows: pl.DataFrame, partition: Mapping[str, Any]) -> DataFile:
        place = f"memory:{len(self._frames)}"
        self._frames[place] = rows
        return DataFile(place, rows.estimated_size(), rows.height, partition, place)

    def read(
        self,
        files: Sequence[DataFile | Parcel],
        columns: Sequence[str] | None = None,
        coded: Sequence[str] = (),
    ) -> pl.DataFrame:
        frames = []
        for file in files:
            frame = self._frames[file.place]
            if isinstance(file, DataFile):
                frame = frame.with_columns(**{name: pl.lit(value) for name, value in file.partition.items()})
            frames.append((frame if columns is None else frame.select(columns)).cast({pl.Enum: pl.String}))
        rows = pl.concat(frames)
        return rows.with_columns(_as_enum(rows.get_column(name)) for name in coded)

    def read_parts(self, file: DataFile, columns: Sequence[str] | None = None) -> Iterator[pl.DataFrame]:
        return self.read([file], columns).iter_slices(2)

    def shared(
        self, files: Sequence[DataFile | Parcel], columns: Sequence[str] | None = None
    ) -> pl.DataFrame:
        return self.read(files, columns)

    def stage(self, kind: str, rows: pl.DataFrame, key: tuple[str | int, ...] = ()) -> None:
        if rows.height:
            self.parcels.append(self.put(kind, rows, key))

    def write(
        self,
        table: Table,
        rows: pl.DataFrame,
        partition: Mapping[str, Any] | None = None,
        noted: Mapping[str, str] | None = None,
    ) -> None:
        if rows.height:
            self.written.append((table.name, partition or {}, rows))
            self.noted.append(noted or {})

    def write_runs(
        self, table: Table, rows: pl.DataFrame, runs: Sequence[tuple[int, Mapping[str, Any]]]
    ) -> None:
        for length, partition in runs:
            self.write(table, rows.head(length), partition)
            rows = rows.slice(length)

    def staged(self, kind: str) -> dict[tuple[str | int, ...], pl.DataFrame]:
        found: dict[tuple[str | int, ...], list[pl.DataFrame]] = {}
        for parcel in self.parcels:
            if parcel.kind == kind:
                rows = _as_texts(self._frames[parcel.place])
                found.setdefault(parcel.key, []).append(rows)
        return {key: pl.concat(frames) for key, frames in found.items()}


def _as_texts(rows: pl.DataFrame) -> pl.DataFrame:
    """Texts that went as codes as texts again, but for an ingest's types of events: that is their type."""
    coded = [name for name, kind in rows.schema.items() if isinstance(kind, pl.Enum) and kind != KIND]
    return rows.cast(dict.fromkeys(coded, pl.String))


def _as_enum(texts: pl.Series) -> pl.Series:
    return texts.cast(pl.Enum(texts.drop_nulls().unique()))


class MemoryTasks:
    """Implements `lake.tasks.Tasks` over `MemoryFiles`; what it wrote can be taken for a table's files.

    Work and items are pickled and facts go through JSON, as between processes. `ran`: the names of each
    job's items.
    """

    def __init__(self, slots: int = 2, *, here: bool = True) -> None:
        self.slots, self.here = slots, here
        self.files = MemoryFiles()
        self.ran: list[list[str]] = []

    def put(self, kind: str, rows: pl.DataFrame, key: tuple[str | int, ...] = ()) -> Parcel:
        return self.files.put(kind, rows, key)

    def fetch(self, parcels: Sequence[Parcel]) -> pl.DataFrame:
        return self.files.read(parcels)

    def run(
        self,
        items: Sequence[Any],
        work: Work[Any],
        *,
        weight: Callable[[Any], int],
        named: Callable[[Any], str],
        cpus: int = 1,
    ) -> Done:
        self.ran.append(list(map(named, items)))
        assert all(self.ran[-1])
        parcels, written = len(self.files.parcels), len(self.files.written)
        told = []
        for task in pack(items, weight, self.slots):
            one, mine = pickle.loads(pickle.dumps((work, task)))
            told += [json.loads(json.dumps(facts)) for facts in one(mine, self.files)]
        return Done(
            tuple(told),
            tuple(self.files.parcels[parcels:]),
            tuple(self.written(number) for number in range(written, len(self.files.written))),
        )

    def written(self, number: int) -> Written:
        """The file that was written as the `number`-th."""
        table, partition, rows = self.files.written[number]
        values = {name: str(value) for name, value in partition.items()}
        return Written(
            table, f"written:{number}", f"{number}", rows.estimated_size(), rows.height, values, ""
        )

    def rows(self, written: Written) -> pl.DataFrame:
        """What was written."""
        return self.files.written[int(written.path)][2]

    def shards(self, table: str, written: Sequence[Written]) -> list[Shard]:
        """Files that were written for a table, as its shards."""
        found: dict[str, tuple[Mapping[str, Any], list[DataFile]]] = {}
        for one in written:
            if one.table == table:
                partition = self.files.written[int(one.path)][1]
                _, files = found.setdefault(repr(partition), (partition, []))
                files.append(replace(self.files.put_file(self.rows(one), partition), path=one.path))
        return [Shard(table, partition, tuple(files)) for partition, files in found.values()]
