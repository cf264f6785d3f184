"""Files as a kernel reads and writes them inside a task: `tasks.TaskFiles` over real files."""

from __future__ import annotations

import uuid
from collections import OrderedDict
from collections.abc import Iterator, Mapping, Sequence
from contextlib import ExitStack
from dataclasses import dataclass, field
from typing import Any

import polars as pl
import pyarrow as pa
from pyarrow import types as kinds

from pozytywka_spark.errors import LakeError
from pozytywka_spark.lake.parcel_files import as_polars, read_parcel, read_parcels, write_parcel
from pozytywka_spark.lake.shards import DataFile, Parcel, Written
from pozytywka_spark.lake.table_files import TableFiles
from pozytywka_spark.schemas import Table

# Columns from which on Polars reads a file, in half of Arrow's time: those of models and guards
_WIDE = 16
# Bytes of a parcel up to which it is fetched whole: a store is asked for it once, not for each of its columns
_AT_ONCE = 1024 * 1024
_SHARED_KEPT = 4  # tables that a worker process keeps between its tasks
_shared: OrderedDict[tuple[Any, ...], pl.DataFrame] = OrderedDict()


@dataclass
class OpenFiles:
    """Implements `tasks.TaskFiles`. What was put down and written is listed here, to be told at the end."""

    tables: TableFiles
    staging: str  # folder of parcels; whatever an attempt leaves there goes with the folder
    parcels: list[Parcel] = field(default_factory=list)
    written: list[Written] = field(default_factory=list)

    def read(
        self,
        files: Sequence[DataFile | Parcel],
        columns: Sequence[str] | None = None,
        coded: Sequence[str] = (),
    ) -> pl.DataFrame:
        """See `tasks.TaskFiles`. Raises `LakeError` naming the file that is gone or damaged."""
        if not files:
            raise LakeError("no file to read: rows of nothing have no columns")
        data = [file for file in files if isinstance(file, DataFile)]
        parcels = [file for file in files if isinstance(file, Parcel)]
        if not parcels and all(_is_wide(file, columns) for file in data):
            frames = [self._read_wide(file, columns) for file in data]
            return pl.concat(frames) if len(frames) > 1 else frames[0]
        if not data:
            return self._read_parcels(parcels, columns, coded)
        # brought together in Arrow, and once to Polars: files are many
        return as_polars(pa.concat_tables([self._read(file, columns, coded) for file in files]))

    def read_parts(self, file: DataFile, columns: Sequence[str] | None = None) -> Iterator[pl.DataFrame]:
        """See `tasks.TaskFiles`."""
        return map(as_polars, self.tables.read_parts(file, columns))

    def shared(
        self, files: Sequence[DataFile | Parcel], columns: Sequence[str] | None = None
    ) -> pl.DataFrame:
        """See `tasks.TaskFiles`."""
        key = (self.tables, tuple(file.place for file in files), None if columns is None else tuple(columns))
        if key not in _shared:
            _shared[key] = self.read(files, columns)
        _shared.move_to_end(key)
        while len(_shared) > _SHARED_KEPT:
            _shared.popitem(last=False)
        return _shared[key]

    def stage(self, kind: str, rows: pl.DataFrame, key: tuple[str | int, ...] = ()) -> None:
        """See `tasks.TaskFiles`: an Arrow file, of a name that no other attempt has."""
        if rows.height:
            self.parcels.append(self.put(kind, rows, key))

    def put(self, kind: str, rows: pl.DataFrame, key: tuple[str | int, ...] = ()) -> Parcel:
        """The same for any rows, and not listed."""
        place = f"{self.staging}/{kind}-{uuid.uuid4().hex}.arrow"
        store, name = self.tables.storage.at(place)
        with store.open_output_stream(name) as target:
            write_parcel(target, rows, compressed=not self.tables.storage.is_local(place))
            size = target.tell()
        return Parcel(kind, key, place, rows.height, size)

    def write(
        self,
        table: Table,
        rows: pl.DataFrame,
        partition: Mapping[str, Any] | None = None,
        noted: Mapping[str, str] | None = None,
    ) -> None:
        """See `tasks.TaskFiles`. Raises `LakeError` for rows that the table doesn't hold."""
        if rows.height:
            self.written.append(self.tables.write(table, rows.to_arrow(), partition or {}, noted))

    def write_runs(
        self, table: Table, rows: pl.DataFrame, runs: Sequence[tuple[int, Mapping[str, Any]]]
    ) -> None:
        """See `tasks.TaskFiles`. Raises as `write`."""
        if rows.height:
            self.written += self.tables.write_runs(table, rows.to_arrow(), runs)

    def _read_wide(self, file: DataFile, columns: Sequence[str] | None) -> pl.DataFrame:
        rows = _by_polars(file, columns)
        return as_polars(self.tables.read(file, columns)) if rows is None else rows

    def _read(self, file: DataFile | Parcel, columns: Sequence[str] | None, coded: Sequence[str]) -> pa.Table:
        if isinstance(file, DataFile):
            return self.tables.read(file, columns, coded)
        with self._open(file) as source:
            return read_parcel(source, columns, coded)

    def _read_parcels(
        self, parcels: Sequence[Parcel], columns: Sequence[str] | None, coded: Sequence[str]
    ) -> pl.DataFrame:
        with ExitStack() as opened:
            return read_parcels([opened.enter_context(self._open(each)) for each in parcels], columns, coded)

    def _open(self, parcel: Parcel) -> Any:
        storage = self.tables.storage
        try:
            # what is mapped is in memory once, and stays till it is let go
            if storage.is_local(parcel.place):
                return pa.memory_map(parcel.place)
            store, name = storage.at(parcel.place)
            if parcel.size > _AT_ONCE:
                return store.open_input_file(name)
            with store.open_input_file(name) as source:
                return pa.BufferReader(source.read_buffer())
        except FileNotFoundError as error:
            raise LakeError(
                f"{parcel.place}: rows put down for a later task are gone; run it again"
            ) from error


def forget_shared() -> None:
    """Let go of what `shared` keeps in this process."""
    _shared.clear()


def _is_wide(file: DataFile, columns: Sequence[str] | None) -> bool:
    """Whether many columns are asked for, all of numbers, flags and dates: those both read in one way."""
    if file.schema is None or not file.place.startswith("/"):
        return False
    names = file.schema.names if columns is None else columns
    there = set(file.schema.names)
    return len(names) >= _WIDE and all(name in there and _is_plain(file.schema, name) for name in names)


def _by_polars(file: DataFile, columns: Sequence[str] | None) -> pl.DataFrame | None:
    """As `TableFiles.read` reads it; None where Arrow has to: it knows of columns that were added later, and
    what to say of a file that is gone or damaged."""
    assert file.schema is not None
    names = file.schema.names if columns is None else list(columns)
    stored = [name for name in names if name not in file.partition]
    try:
        rows = pl.read_parquet(file.place, columns=stored, hive_partitioning=False, glob=False)
    except (pl.exceptions.PolarsError, OSError):
        return None
    wanted = pl.Schema(file.schema)
    given = [
        pl.lit(file.partition[name], wanted[name]).alias(name) for name in names if name in file.partition
    ]
    made = rows.with_columns(given).select(names)
    expected = pl.Schema({name: wanted[name] for name in names})
    return made if made.schema == expected else made.cast(expected)


def _is_plain(schema: pa.Schema, name: str) -> bool:
    kind = schema.field(name).type
    return any(
        holds(kind) for holds in (kinds.is_floating, kinds.is_integer, kinds.is_boolean, kinds.is_date)
    )
