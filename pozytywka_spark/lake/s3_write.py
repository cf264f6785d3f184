"""Tasks that write a frame's rows to an object store as Parquet: what is collected is a row a file.

There is nothing to rename on an object store and no need to: an object appears whole or not at all, and
belongs to the table only when a commit names it. A task that failed, or ran twice, leaves objects that no
commit names; the vacuum takes them.
"""

from __future__ import annotations

import re
import uuid
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from itertools import pairwise
from typing import Any

import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from pozytywka_spark.lake import partitions, s3, statistics

WRITTEN = "path string, size bigint, partition map<string, string>, records bigint, statistics string"
_ARROW = pa.schema(
    {
        "path": pa.string(), "size": pa.int64(), "partition": pa.map_(pa.string(), pa.string()),
        "records": pa.int64(), "statistics": pa.string(),
    }
)  # fmt: skip
GROUP_ROWS = 262_144  # of a row group: Spark hands over 10,000 rows at a time, far too few to compress
_ODD = re.compile(r"[^A-Za-z0-9_.-]")


@dataclass(frozen=True)
class Writer:
    """A `mapInArrow` function: rows sorted by partition in, a row for each file written out."""

    endpoint: s3.Endpoint
    path: str
    partition_by: tuple[str, ...]
    columns: statistics.Leaves

    def __call__(self, batches: Iterator[pa.RecordBatch]) -> Iterator[pa.RecordBatch]:
        """Write everything; a file ends where its partition does."""
        current: _File | None = None
        written = []
        try:
            for batch in batches:
                for values, rows in _runs(batch, self.partition_by):
                    if current is not None and current.partition != values:
                        written.append(current.close())
                        current = None
                    if current is None:
                        current = _File(self, values, rows.schema)
                    current.add(rows)
            if current is not None:
                written.append(current.close())
                current = None
        finally:
            if current is not None:
                current.abandon()
        yield from pa.Table.from_pylist(written, _ARROW).to_batches()


@dataclass
class _File:
    """One object that is being written."""

    writer: Writer
    partition: Mapping[str, str | None]
    schema: pa.Schema
    path: str = ""
    waiting: list[pa.RecordBatch] = field(default_factory=list)
    footers: list[Any] = field(default_factory=list)

    def __post_init__(self) -> None:
        # the folders are for people: values are read from the log, so an odd character may become another
        folders = [f"{key}={_ODD.sub('_', value or 'null')}" for key, value in self.partition.items()]
        self.path = "/".join([*folders, f"part-{uuid.uuid4().hex}.parquet"])
        store = s3.filesystem(self.writer.endpoint)
        self.target = store.open_output_stream(s3.key(f"{self.writer.path}/{self.path}"))
        self.parquet = pq.ParquetWriter(
            self.target, self.schema, compression="zstd", metadata_collector=self.footers
        )

    def add(self, rows: pa.RecordBatch) -> None:
        self.waiting.append(rows)
        if sum(batch.num_rows for batch in self.waiting) >= GROUP_ROWS:
            self._flush()

    def close(self) -> dict[str, Any]:
        self._flush()
        self.parquet.close()
        size = self.target.tell()
        self.target.close()
        stats = statistics.of_footer(self.footers[0], self.writer.columns)
        return {
            "path": self.path, "size": size, "partition": list(self.partition.items()),
            "records": stats.records, "statistics": stats.text,
        }  # fmt: skip

    def abandon(self) -> None:
        self.parquet.is_open = False  # a footer would make half a file look whole
        self.target.close()

    def _flush(self) -> None:
        if self.waiting:
            table = pa.Table.from_batches(self.waiting).combine_chunks()
            self.parquet.write_table(table, row_group_size=GROUP_ROWS)
            self.waiting = []


def _runs(
    batch: pa.RecordBatch, partition_by: tuple[str, ...]
) -> Iterator[tuple[dict[str, str | None], pa.RecordBatch]]:
    """Stretches of rows of one partition, without the partition's columns."""
    if not partition_by:
        if batch.num_rows:
            yield {}, batch
        return
    rows = batch.drop_columns(list(partition_by))
    starts = [*_starts(batch, partition_by), batch.num_rows]
    for start, end in pairwise(starts):
        values = {name: partitions.render(batch.column(name)[start].as_py()) for name in partition_by}
        yield values, rows.slice(start, end - start)


def _starts(batch: pa.RecordBatch, partition_by: tuple[str, ...]) -> list[int]:
    """Positions at which a value differs from the one before; null equals null."""
    if not batch.num_rows:
        return []
    changed = pa.array([False] * (batch.num_rows - 1), pa.bool_())
    for name in partition_by:
        column = batch.column(name)
        before, after = column.slice(0, len(column) - 1), column.slice(1)
        differs = pc.fill_null(pc.not_equal(before, after), False)
        lone = pc.xor(pc.is_null(before), pc.is_null(after))
        changed = pc.or_(changed, pc.or_(differs, lone))
    return [0, *(position + 1 for position in pc.indices_nonzero(changed).to_pylist())]
