"""Tasks that write a frame's rows as data files: what is collected is a line a file."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from itertools import pairwise
from typing import Any

import pyarrow as pa
import pyarrow.compute as pc
from pyspark.sql import DataFrame

from pozytywka_spark.lake import casting, partitions
from pozytywka_spark.lake.shards import Written
from pozytywka_spark.lake.table_files import OpenFile, TableFiles
from pozytywka_spark.lake.task_lines import LINE, as_batch, collected
from pozytywka_spark.schemas import Table


def write_frame(df: DataFrame, table: Table, files: TableFiles) -> list[Written]:
    """Write `df`, which has the table's columns; the files, at least one a partition with rows."""
    if table.partition_by:
        # a partition's rows side by side, in as few tasks as are worth it
        df = df.hint("rebalance", *table.partition_by)
    order = (*table.partition_by, *table.sorted_by)
    if order:
        df = df.sortWithinPartitions(*order)
    return list(collected(df.mapInArrow(FrameWriter(files, table), LINE)))


@dataclass(frozen=True)
class FrameWriter:
    """A `mapInArrow` function: rows sorted by partition in, a line for each file written out."""

    files: TableFiles
    table: Table

    def __call__(self, batches: Iterator[pa.RecordBatch]) -> Iterator[pa.RecordBatch]:
        """Write everything; a file ends where its partition does."""
        current: OpenFile | None = None
        written: list[Written] = []
        try:
            for batch in batches:
                for values, rows in _runs(batch, self.table.partition_by):
                    rendered = {name: partitions.render(value) for name, value in values.items()}
                    if current is not None and current.values != rendered:
                        written.append(current.close())
                        current = None
                    if current is None:
                        current = self.files.begin(self.table, values)
                    current.writer.add(casting.declared(rows, self.table, self.table.partition_by))
            if current is not None:
                written.append(current.close())
                current = None
        finally:
            if current is not None:
                self.files.abandon(current)
        yield as_batch(written)


def _runs(
    batch: pa.RecordBatch, partition_by: tuple[str, ...]
) -> Iterator[tuple[Mapping[str, Any], pa.Table]]:
    """Stretches of rows of one partition, with its typed values."""
    rows = pa.Table.from_batches([batch])
    starts = [*_starts(batch, partition_by), batch.num_rows]
    for start, end in pairwise(starts):
        values = {name: batch.column(name)[start].as_py() for name in partition_by}
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
