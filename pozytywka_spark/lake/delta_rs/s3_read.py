"""Tasks that read a snapshot's files from an object store: a row a file in, the table's rows out."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import pyarrow as pa
import pyarrow.parquet as pq

from pozytywka_spark.lake.storage import s3

FILES = "path string, partition map<string, string>"
_BATCH_ROWS = 65_536


@dataclass(frozen=True)
class Reader:
    """A `mapInArrow` function; `schema` is the table's, `file_column` an extra one for the file's path."""

    endpoint: s3.Endpoint
    path: str
    schema: pa.Schema
    file_column: str | None = None

    def __call__(self, batches: Iterator[pa.RecordBatch]) -> Iterator[pa.RecordBatch]:
        """Read each file in turn, a part at a time."""
        for batch in batches:
            for file in batch.to_pylist():
                yield from self._rows(file["path"], dict(file["partition"] or {}))

    def _rows(self, path: str, partition: dict[str, str | None]) -> Iterator[pa.RecordBatch]:
        store = s3.filesystem(self.endpoint)
        with store.open_input_file(s3.key(f"{self.path}/{path}")) as source:
            parquet = pq.ParquetFile(source, pre_buffer=True)
            there = set(parquet.schema_arrow.names)
            names = [name for name in self.schema.names if name in there and name not in partition]
            for rows in parquet.iter_batches(_BATCH_ROWS, columns=names):
                yield self._shaped(rows, path, partition)

    def _shaped(self, rows: pa.RecordBatch, path: str, partition: dict[str, str | None]) -> pa.RecordBatch:
        """The table's columns in its order and types: from the file, else the log's, else null."""

        def column(field: pa.Field) -> pa.Array:
            if field.name == self.file_column:
                return pa.repeat(path, rows.num_rows)
            if field.name in rows.schema.names:
                return rows.column(field.name).cast(field.type)
            if field.name not in partition:  # a column that was added after the file was written
                return pa.nulls(rows.num_rows, field.type)
            value = pa.scalar(partition.get(field.name), pa.string()).cast(field.type)
            return pa.repeat(value, rows.num_rows)

        schema = self.schema
        if self.file_column is not None:
            schema = schema.append(pa.field(self.file_column, pa.string()))
        return pa.RecordBatch.from_arrays([column(field) for field in schema], schema=schema)
