"""Raw lines as rows of a frame, and where each comes from."""

from __future__ import annotations

from pyspark.sql import Column, DataFrame
from pyspark.sql import functions as F

# Where a row comes from; every frame of ingest carries these beside the row itself.
SOURCE = ("line_id", "source_file", "source_order", "source_size", "source_modified")


def as_lines(batch: DataFrame) -> DataFrame:
    """Grain: line of a file that holds something. `batch` is as `reader.read_lines` gives it.

    `line_id` is left to the rules, which take the hash of entity and line where it is needed.
    `source_order` grows with the position in the file: it takes the place of a line number, which
    files read in parallel don't have. `time_unit` is the unit (`s`, `ms`, `us`) of a file whose timestamps
    are numbers, null: they are ISO.
    """
    return batch.where(F.length(F.trim("value")) > 0).select(
        "value",
        _none().alias("line_id"),
        F.col("_metadata.file_path").alias("source_file"),
        "source_order",
        F.col("_metadata.file_size").alias("source_size"),
        F.col("_metadata.file_modification_time").alias("source_modified"),
        "time_unit",
    )


def as_lines_again(quarantine: DataFrame) -> DataFrame:
    """Grain: quarantined row, as a line to be judged anew."""
    return quarantine.select(
        F.col("raw").alias("value"),
        F.col("quarantine_id").alias("line_id"),
        "source_file",
        "source_order",
        F.lit(0).cast("bigint").alias("source_size"),
        F.timestamp_seconds(F.lit(0)).alias("source_modified"),
        "time_unit",
    )


def _none() -> Column:
    return F.lit(None).cast("string")
