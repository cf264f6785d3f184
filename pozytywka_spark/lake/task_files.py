"""Files as a kernel reads and writes them inside a task: `tasks.TaskFiles` over real files.

Parcels are Arrow, without columns that are null throughout, whose types are kept aside. With lz4 where they
travel. On a disk of one's own they live for seconds, mostly in memory: there it takes three times as long to
compress them as to write them as they are.
"""

from __future__ import annotations

import uuid
from base64 import b64decode, b64encode
from collections import OrderedDict
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import polars as pl
import pyarrow as pa
import pyarrow.ipc as ipc

from pozytywka_spark.errors import LakeError
from pozytywka_spark.lake.shards import DataFile, Parcel, Written
from pozytywka_spark.lake.table_files import TableFiles
from pozytywka_spark.schemas import Table

_SHARED_KEPT = 4  # tables that a worker process keeps between its tasks
_COLUMNS = b"pozytywka.columns"  # of a parcel: the schema with the columns that were left out
_PLAIN, _COMPRESSED = ipc.IpcWriteOptions(), ipc.IpcWriteOptions(compression="lz4")
_shared: OrderedDict[tuple[Any, ...], pl.DataFrame] = OrderedDict()


@dataclass
class OpenFiles:
    """Implements `tasks.TaskFiles`. What was put down and written is listed here, to be told at the end."""

    tables: TableFiles
    staging: str  # folder of parcels; whatever an attempt leaves there goes with the folder
    parcels: list[Parcel] = field(default_factory=list)
    written: list[Written] = field(default_factory=list)

    def read(self, files: Sequence[DataFile | Parcel], columns: Sequence[str] | None = None) -> pl.DataFrame:
        """See `tasks.TaskFiles`. Raises `LakeError` naming the file that is gone or damaged."""
        if not files:
            raise LakeError("no file to read: rows of nothing have no columns")
        data = [file for file in files if isinstance(file, DataFile)]
        if len(data) == len(files):  # brought together in Arrow, and once to Polars: files are many
            return as_polars(pa.concat_tables([self.tables.read(file, columns) for file in data]))
        frames = [self._read(file, columns) for file in files]
        return pl.concat(frames, how="vertical") if len(frames) > 1 else frames[0]

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

    def _read(self, file: DataFile | Parcel, columns: Sequence[str] | None) -> pl.DataFrame:
        if isinstance(file, DataFile):
            return as_polars(self.tables.read(file, columns))
        store, name = self.tables.storage.at(file.place)
        try:
            with store.open_input_file(name) as source:
                return read_parcel(source, columns)
        except FileNotFoundError as error:
            raise LakeError(f"{file.place}: rows put down for a later task are gone; run it again") from error


def write_parcel(target: Any, rows: pl.DataFrame, *, compressed: bool) -> None:
    """Write the rows' columns but for those that are null in all of them."""
    with_values = [column.name for column in rows if column.null_count() < rows.height]
    with_values = with_values or rows.columns[:1]  # rows without a column have no number
    columns = {_COLUMNS: b64encode(rows.clear().to_arrow().schema.serialize())}
    body = rows.select(with_values).to_arrow().replace_schema_metadata(columns)
    with ipc.new_file(target, body.schema, options=_COMPRESSED if compressed else _PLAIN) as writer:
        writer.write_table(body)


def read_parcel(source: Any, columns: Sequence[str] | None) -> pl.DataFrame:
    """Rows as they were written, of some columns only. Raises `LakeError` for a column that never was."""
    stored = ipc.open_file(source).schema
    schema = ipc.read_schema(pa.py_buffer(b64decode(stored.metadata[_COLUMNS])))
    names = schema.names if columns is None else list(columns)
    absent = [name for name in names if name not in schema.names]
    if absent:
        raise LakeError(f"a parcel has no column {absent[0]}; it has {', '.join(schema.names)}")
    # one at least, for the number of rows
    there = [name for name in names if name in stored.names] or stored.names[:1]
    source.seek(0)
    options = ipc.IpcReadOptions(included_fields=[stored.names.index(name) for name in there])
    rows = ipc.open_file(source, options=options).read_all()
    frame = pl.from_arrow(rows)
    assert isinstance(frame, pl.DataFrame)
    types = pl.Schema(schema)
    return frame.select(
        pl.col(name) if name in there else pl.lit(None, types[name]).alias(name) for name in names
    )


def forget_shared() -> None:
    """Let go of what `shared` keeps in this process."""
    _shared.clear()


def as_polars(rows: pa.Table) -> pl.DataFrame:
    """The same rows as a Polars frame."""
    frame = pl.from_arrow(rows)
    assert isinstance(frame, pl.DataFrame)
    return frame
