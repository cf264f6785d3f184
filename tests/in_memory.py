"""Work run without Spark and without files: parcels and data files are frames in a list."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import polars as pl

from pozytywka_spark.lake.shards import DataFile, Parcel
from pozytywka_spark.schemas import Table


class MemoryFiles:
    """Implements `lake.tasks.TaskFiles`; `put` makes what work is to read."""

    def __init__(self) -> None:
        self._frames: dict[str, pl.DataFrame] = {}
        self.parcels: list[Parcel] = []
        self.written: list[tuple[str, Mapping[str, Any], pl.DataFrame]] = []

    def put(self, kind: str, rows: pl.DataFrame, key: tuple[str | int, ...] = ()) -> Parcel:
        place = f"memory:{len(self._frames)}"
        self._frames[place] = rows
        return Parcel(kind, key, place, rows.height, rows.estimated_size())

    def put_file(self, rows: pl.DataFrame, partition: Mapping[str, Any]) -> DataFile:
        place = f"memory:{len(self._frames)}"
        self._frames[place] = rows
        return DataFile(place, rows.estimated_size(), rows.height, partition, place)

    def read(self, files: Sequence[DataFile | Parcel], columns: Sequence[str] | None = None) -> pl.DataFrame:
        frames = []
        for file in files:
            frame = self._frames[file.place]
            if isinstance(file, DataFile):
                frame = frame.with_columns(**{name: pl.lit(value) for name, value in file.partition.items()})
            frames.append(frame if columns is None else frame.select(columns))
        return pl.concat(frames)

    def shared(
        self, files: Sequence[DataFile | Parcel], columns: Sequence[str] | None = None
    ) -> pl.DataFrame:
        return self.read(files, columns)

    def stage(self, kind: str, rows: pl.DataFrame, key: tuple[str | int, ...] = ()) -> None:
        if rows.height:
            self.parcels.append(self.put(kind, rows, key))

    def write(self, table: Table, rows: pl.DataFrame, partition: Mapping[str, Any] | None = None) -> None:
        if rows.height:
            self.written.append((table.name, partition or {}, rows))

    def staged(self, kind: str) -> dict[tuple[str | int, ...], pl.DataFrame]:
        found: dict[tuple[str | int, ...], list[pl.DataFrame]] = {}
        for parcel in self.parcels:
            if parcel.kind == kind:
                found.setdefault(parcel.key, []).append(self._frames[parcel.place])
        return {key: pl.concat(frames) for key, frames in found.items()}
