"""Rows that are made part by part, by one Spark job or, without a session, by this process itself.

A part depends on the plan and its number alone: either way its file holds the same rows in the same order.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from io import BytesIO

import pyarrow as pa
from pyarrow import parquet
from pyspark.sql import DataFrame, SparkSession

from pozytywka_spark.lake.storage.folder import Folder

LINES = "value string"


@dataclass(frozen=True)
class Parts:
    """`make` of each number below `number`: rows, whose columns `schema` names in Spark's words."""

    number: int
    make: Callable[[int], pa.RecordBatch]
    schema: str

    @classmethod
    def of_lines(cls, number: int, lines: Callable[[int], Sequence[str] | pa.Array]) -> Parts:
        """One row a line of text, as `value`."""

        def make(part: int) -> pa.RecordBatch:
            return pa.record_batch([pa.array(lines(part), pa.string())], names=["value"])

        return cls(number, make, LINES)

    def as_lines(self) -> Parts:
        """Each row as a line of JSON, without what is null in it; times are texts by then."""

        def lines(part: int) -> list[str]:
            rows = self.make(part).to_pylist()
            told = ({name: value for name, value in row.items() if value is not None} for row in rows)
            return [json.dumps(row, ensure_ascii=False) for row in told]

        return Parts.of_lines(self.number, lines)


def rows_of(spark: SparkSession | None, parts: Parts) -> pa.Table:
    """All rows, which are to be few: they come to the driver, in the order of the parts."""
    if spark is not None:
        return frame_of(spark, parts).toArrow()
    return pa.Table.from_batches([parts.make(part) for part in range(parts.number)])


def write_lines(spark: SparkSession | None, parts: Parts, folder: Folder, into: str) -> None:
    """Lines (`LINES`) as `into/part-00000.jsonl` and so on."""
    if spark is not None:
        frame_of(spark, parts).write.text(folder.child(f"_{into}").uri)
        folder.adopt_parts(f"_{into}", into, "jsonl")
        return
    for part in range(parts.number):
        text = "".join(f"{line}\n" for line in parts.make(part).column("value").to_pylist())
        folder.child(into).write(f"part-{part:05}.jsonl", text)
    if not parts.number:
        folder.child(into).write("part-00000.jsonl", "")  # as Spark does: readers ask for a file


def write_parquet(spark: SparkSession | None, parts: Parts, folder: Folder) -> None:
    """Rows as `part-00000.parquet` and so on."""
    if spark is not None:
        frame_of(spark, parts).write.parquet(folder.child("_written").uri)
        folder.adopt_parts("_written", "", "parquet")
        return
    for part in range(parts.number):
        file = BytesIO()
        parquet.write_table(pa.Table.from_batches([parts.make(part)]), file)
        folder.write_bytes(f"part-{part:05}.parquet", file.getvalue())


def frame_of(spark: SparkSession, parts: Parts) -> DataFrame:
    """One row a made one, the columns of `parts.schema`.

    One partition a part, and so one file, whatever the number of cores: memory is that of one part.
    """

    def batches(numbers: Iterator[pa.RecordBatch]) -> Iterator[pa.RecordBatch]:
        for batch in numbers:
            for number in batch.column(0).to_pylist():
                yield parts.make(number)

    return spark.range(0, parts.number, 1, max(1, parts.number)).mapInArrow(batches, parts.schema)
