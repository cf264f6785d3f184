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
from pozytywka_spark.lake.wide_files import is_wide, read_wide
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

    def read(
        self,
        files: Sequence[DataFile | Parcel],
        columns: Sequence[str] | None = None,
        coded: Sequence[str] = (),
    ) -> pl.DataFrame:
        """See `tasks.TaskFiles`. Raises `LakeError` naming the file that is gone or damaged."""
        if not files:
            raise LakeError("no file to read: rows of nothing have no columns")
        if all(isinstance(file, DataFile) and is_wide(file, columns) for file in files):
            frames = [self._read_wide(file, columns) for file in files]
            return pl.concat(frames) if len(frames) > 1 else frames[0]
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

    def _read_wide(self, file: DataFile | Parcel, columns: Sequence[str] | None) -> pl.DataFrame:
        rows = read_wide(file, columns) if isinstance(file, DataFile) else None
        return as_polars(self._read(file, columns, ())) if rows is None else rows

    def _read(self, file: DataFile | Parcel, columns: Sequence[str] | None, coded: Sequence[str]) -> pa.Table:
        if isinstance(file, DataFile):
            return self.tables.read(file, columns, coded)
        store, name = self.tables.storage.at(file.place)
        try:
            # mapped rather than read: what other processes have just put down lies in memory, once for all
            local = self.tables.storage.is_local(file.place)
            with pa.memory_map(name) if local else store.open_input_file(name) as source:
                return _of_parcel(source, columns, coded)
        except FileNotFoundError as error:
            raise LakeError(f"{file.place}: rows put down for a later task are gone; run it again") from error


def write_parcel(target: Any, rows: pl.DataFrame, *, compressed: bool) -> None:
    """Write the rows' columns but for those that are null in all of them."""
    with_values = [column.name for column in rows if column.null_count() < rows.height]
    with_values = with_values or rows.columns[:1]  # rows without a column have no number
    columns = {_COLUMNS: b64encode(_as_arrow(rows.clear()).schema.serialize())}
    body = _as_arrow(rows.select(with_values)).replace_schema_metadata(columns)
    with ipc.new_file(target, body.schema, options=_COMPRESSED if compressed else _PLAIN) as writer:
        writer.write_table(body)


def read_parcel(source: Any, columns: Sequence[str] | None = None, coded: Sequence[str] = ()) -> pl.DataFrame:
    """Rows as they were written, of some columns only; of coded texts those named come as `pl.Enum`.

    Raises `LakeError` for a column that never was.
    """
    return as_polars(_of_parcel(source, columns, coded))


def _of_parcel(source: Any, columns: Sequence[str] | None, coded: Sequence[str]) -> pa.Table:
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
    fields = [schema.field(name) for name in names]
    read = [
        field.with_type(field.type.value_type) if _is_coded(field) and field.name not in coded else field
        for field in fields
    ]
    made = [
        rows.column(field.name).cast(field.type)
        if field.name in there
        else pa.nulls(rows.num_rows, field.type)
        for field in read
    ]
    return pa.Table.from_arrays(made, schema=pa.schema(read))


def _is_coded(field: pa.Field) -> bool:
    """Whether it is `_codes` of an `Enum`, or as plain from a table's file; Polars marks its own."""
    return pa.types.is_dictionary(field.type) and not field.metadata


def _as_arrow(rows: pl.DataFrame) -> pa.Table:
    """With `pl.Enum` as a plain dictionary: Polars would put all its texts into the schema as well."""
    made = rows.select(pl.exclude(pl.Enum)).to_arrow()
    codes = {column.name: _codes(column) for column in rows if isinstance(column.dtype, pl.Enum)}
    fields = [
        pa.field(name, codes[name].type) if name in codes else made.schema.field(name)
        for name in rows.columns
    ]
    columns = [codes[name] if name in codes else made.column(name) for name in rows.columns]
    return pa.Table.from_arrays(columns, schema=pa.schema(fields))


def _codes(values: pl.Series) -> pa.Array:
    assert isinstance(values.dtype, pl.Enum)
    codes = values.to_physical().cast(pl.Int32).to_arrow()
    return pa.DictionaryArray.from_arrays(codes, values.dtype.categories.to_arrow())


def forget_shared() -> None:
    """Let go of what `shared` keeps in this process."""
    _shared.clear()


def as_polars(rows: pa.Table) -> pl.DataFrame:
    """The same rows as a Polars frame; a dictionary of texts as `pl.Enum`."""
    coded = [field.name for field in rows.schema if _is_coded(field)]
    frame = pl.from_arrow(rows.drop_columns(coded) if coded else rows)
    assert isinstance(frame, pl.DataFrame)
    if not coded:
        return frame
    unified = rows.select(coded).unify_dictionaries()
    texts = [_enum(name, unified.column(name)) for name in coded]
    return frame.with_columns(texts).select(rows.column_names)


def _enum(name: str, texts: pa.ChunkedArray) -> pl.Series:
    """Codes become an `Enum` in half the time that Polars takes for a `Categorical` of them."""
    if not texts.num_chunks:
        return pl.Series(name, [], pl.Enum([]))
    different, codes = (
        pl.Series(texts.chunk(0).dictionary),
        pl.Series(name, pa.chunked_array([chunk.indices for chunk in texts.chunks])),
    )
    return codes.cast(pl.UInt32).cat.to(pl.Enum(different))
