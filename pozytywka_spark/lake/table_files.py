"""The data files of tables, read and written through Arrow by whoever has the rows: a task or the driver.

A file is written straight to its place in the table under a name that no other attempt has, locally as on an
object store: it belongs to the table only when a commit names it. So half a file, or one of an attempt that
died, is never read, and nothing needs to be renamed; the vacuum takes it once no writer can be alive.
"""

from __future__ import annotations

import re
import uuid
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import accumulate
from typing import Any

import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq
from pyspark.sql import types as T

from pozytywka_spark.errors import LakeError
from pozytywka_spark.lake import casting, partitions, statistics
from pozytywka_spark.lake.file_writer import FileWriter, with_nan
from pozytywka_spark.lake.shards import DataFile, Written
from pozytywka_spark.lake.storage.filesystem import Storage
from pozytywka_spark.schemas import Table

# what Spark escapes in the name of a partition's folder, and undoes as it reads a table's files
_ESCAPED = re.compile(r"""[\x01-\x1f\x7f"#%'*/:=?\\{\[\]^]""")
_ODD = re.compile(r"[^A-Za-z0-9_.-]")


@dataclass
class OpenFile:
    """A data file that is being written."""

    table: Table
    place: str
    path: str
    values: Mapping[str, str | None]
    writer: FileWriter

    def close(self) -> Written:
        """End it: what a commit must know of it."""
        of_all = statistics.leaves(self.table.schema, self.table.partition_by)
        columns = {path: names for path, names in of_all.items() if names[0] not in self.table.personal}
        size, stats = self.writer.close(columns)
        return Written(self.table.name, self.place, self.path, size, stats.records, self.values, stats.text)


@dataclass(frozen=True)
class TableFiles:
    """Data files below `root`, a table's in the folder of its name."""

    storage: Storage
    root: str
    flat: bool = False  # partition columns are in the files, for Spark to read them and write its table

    def read(
        self, file: DataFile, columns: Sequence[str] | None = None, coded: Sequence[str] = ()
    ) -> pa.Table:
        """A data file's rows, of some columns only: partition columns from the log, absent ones null.

        Texts that are stored once each, with their places, are left so in the columns `coded`.
        """
        (rows,) = self._read(file, columns, whole=True, coded=coded)
        return _shaped(rows, file, columns, coded)

    def read_parts(self, file: DataFile, columns: Sequence[str] | None = None) -> Iterator[pa.Table]:
        """The same a row group at a time, so that no more than one is in memory."""
        for rows in self._read(file, columns, whole=False):
            yield _shaped(rows, file, columns)

    def _read(
        self, file: DataFile, columns: Sequence[str] | None, *, whole: bool, coded: Sequence[str] = ()
    ) -> Iterator[pa.Table]:
        store, name = self.storage.at(file.place)
        remote = whole and not self.storage.is_local(file.place)
        try:
            with store.open_input_file(name) as source:
                parquet = pq.ParquetFile(source, pre_buffer=remote, read_dictionary=list(coded))
                asked = None if columns is None else set(columns)
                names = [
                    each
                    for each in parquet.schema_arrow.names
                    if each not in file.partition and (asked is None or each in asked)
                ]
                if whole:
                    yield parquet.read(names)
                    return
                for group in range(parquet.num_row_groups):
                    yield parquet.read_row_group(group, names)
        except FileNotFoundError as error:
            raise LakeError(
                f"{file.place}: it has gone since the table was looked at; was it vacuumed? run it again"
            ) from error
        except (OSError, pa.ArrowInvalid) as error:
            raise LakeError(f"{file.place} can't be read: {str(error).splitlines()[0]}") from error

    def write(
        self,
        table: Table,
        rows: pa.Table,
        partition: Mapping[str, Any],
        noted: Mapping[str, str] | None = None,
    ) -> Written:
        """Write rows of one partition (typed values) as one file, sorted as they are, `noted` in its footer.

        Raises `LakeError` for rows or a partition that the table doesn't hold.
        """
        if self.flat:
            rows = _with_partition(rows, table, partition)
        return self._written(table, self._declared(rows, table), partition, noted)

    def write_runs(
        self, table: Table, rows: pa.Table, runs: Sequence[tuple[int, Mapping[str, Any]]]
    ) -> list[Written]:
        """`write` of so many rows after so many others, each with its partition; looked at once for all."""
        starts = [0, *accumulate(length for length, _ in runs)]
        if self.flat:
            parts = zip(starts, runs, strict=False)
            return [
                self.write(table, rows.slice(start, length), partition)
                for start, (length, partition) in parts
            ]
        body = self._declared(rows, table)
        nan = with_nan(body, body.schema.names)
        return [
            self._written(table, body.slice(start, length), partition, may_have_nan=nan)
            for start, (length, partition) in zip(starts, runs, strict=False)
        ]

    def _declared(self, rows: pa.Table, table: Table) -> pa.Table:
        return casting.declared(rows, table, () if self.flat else table.partition_by)

    def _written(
        self,
        table: Table,
        body: pa.Table,
        partition: Mapping[str, Any],
        noted: Mapping[str, str] | None = None,
        may_have_nan: Iterable[str] | None = None,
    ) -> Written:
        file = self.begin(table, partition)
        try:
            file.writer.add(body, may_have_nan)
            if noted:
                file.writer.note(noted)
            return file.close()
        except BaseException:
            self.abandon(file)
            raise

    def abandon(self, file: OpenFile) -> None:
        """Delete a file that won't be finished."""
        file.writer.abandon()
        self.storage.delete(file.place)

    def begin(self, table: Table, partition: Mapping[str, Any]) -> OpenFile:
        """A file of one partition that rows can be added to: declared ones (`casting.declared`)."""
        values = _rendered(table, partition)
        left_out = () if self.flat else table.partition_by
        folders = () if self.flat else tuple(map(self._folder, values.items()))
        path = "/".join([*folders, f"part-{uuid.uuid4().hex}.parquet"])
        place = f"{self.root}/{table.name}/{path}"
        schema = casting.arrow_schema(
            T.StructType([field for field in table.schema if field.name not in left_out])
        )
        return OpenFile(table, place, path, values, FileWriter(self.storage, place, schema))

    def write_all(self, table: Table, rows: pa.Table) -> list[Written]:
        """Write rows of any partitions, a file for each."""
        whole = casting.declared(rows, table)
        written: list[Written] = []
        try:
            for values, part in by_partition(whole, table.partition_by):
                written.append(self.write(table, part, values))
        except BaseException:
            for file in written:
                self.storage.delete(file.place)
            raise
        return written

    def _folder(self, item: tuple[str, str | None]) -> str:
        column, value = item
        if self.storage.is_local(self.root):  # where Spark reads values off the folders
            spelt = partitions.HIVE_NULL if value is None else _ESCAPED.sub(_percent, value)
            return f"{column}={spelt}"
        # the folders are for people: values are read from the log, so an odd character may become another
        return f"{column}={_ODD.sub('_', value or 'null')}"


def readable(written: Written, table: Table) -> DataFile:
    """A file that was written for a table, as tasks read it, committed or not."""
    schema = casting.arrow_schema(table.schema)
    typed = {
        name: pa.scalar(value, pa.string()).cast(schema.field(name).type).as_py()
        for name, value in written.partition.items()
    }
    return DataFile(written.place, written.size, written.rows, typed, written.path, schema)


def by_partition(rows: pa.Table, partition_by: Sequence[str]) -> Iterator[tuple[dict[str, Any], pa.Table]]:
    """Rows of each partition with its typed values, in the order they come in; an empty text is null."""
    if not rows.num_rows:
        return
    if not partition_by:
        yield {}, rows
        return
    keys = rows.select(list(partition_by)).combine_chunks()
    for name in partition_by:
        if pa.types.is_string(keys.schema.field(name).type):
            column = keys.column(name)
            emptied = pc.if_else(pc.equal(column, ""), pa.scalar(None, pa.string()), column)
            keys = keys.set_column(keys.schema.get_field_index(name), name, emptied)
    places = keys.append_column("_place", pa.array(range(len(keys)), pa.int64()))
    groups = places.group_by(list(partition_by), use_threads=False).aggregate([("_place", "list")])
    for group in groups.to_pylist():
        place = group.pop("_place_list")
        yield {name: group[name] for name in partition_by}, rows.take(place)


def literal(value: Any, rows: int, kind: pa.DataType | None) -> pa.Array:
    """A partition's value as a column."""
    return pa.repeat(pa.scalar(value, kind), rows)


def _with_partition(rows: pa.Table, table: Table, partition: Mapping[str, Any]) -> pa.Table:
    schema = casting.arrow_schema(table.schema)
    for name in table.partition_by:
        column = literal(partition.get(name), rows.num_rows, schema.field(name).type)
        if name in rows.schema.names:
            rows = rows.drop_columns([name])
        rows = rows.append_column(name, column)
    return rows


def _shaped(
    rows: pa.Table, file: DataFile, columns: Sequence[str] | None, coded: Sequence[str] = ()
) -> pa.Table:
    names = _all_names(rows, file) if columns is None else list(columns)
    kinds = {} if file.schema is None else dict(zip(file.schema.names, file.schema.types, strict=True))
    stored = dict(zip(rows.schema.names, rows.columns, strict=True))
    shaped = {}
    for name in names:
        kind = kinds.get(name)
        if name in file.partition:
            shaped[name] = literal(file.partition[name], rows.num_rows, kind)
        elif name in stored:
            column = stored[name]
            as_it_is = kind is None or column.type == kind or name in coded
            shaped[name] = column if as_it_is else column.cast(kind)
        elif kind is None and file.schema is not None:
            raise LakeError(f"{file.place}: there is no column {name}; it has {', '.join(file.schema.names)}")
        else:  # a column that was added after the file was written
            nothing = pa.dictionary(pa.int32(), kind) if kind and name in coded else kind or pa.null()
            shaped[name] = pa.nulls(rows.num_rows, nothing)
    return pa.table(shaped)


def _all_names(rows: pa.Table, file: DataFile) -> list[str]:
    if file.schema is not None:
        return list(file.schema.names)
    return [*rows.schema.names, *file.partition]


def _rendered(table: Table, partition: Mapping[str, Any]) -> dict[str, str | None]:
    if set(partition) != set(table.partition_by):
        columns = ", ".join(partition) or "none"
        expected = ", ".join(table.partition_by) or "none"
        raise LakeError(f"table {table.name}: rows of a partition by {columns}, expected {expected}")
    if not partition:
        return {}
    checked = partitions.of_table(table, [partition])[0]
    return {name: checked[name] for name in table.partition_by}


def _percent(match: re.Match[str]) -> str:
    return f"%{ord(match[0]):02X}"
