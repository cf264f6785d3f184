"""Complete events put down by shard: by the month and the bucket of users that they belong to."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date

import polars as pl

from pozytywka_spark.hashing.identity import user_bucket
from pozytywka_spark.ingest.parcels import COMPLETE, COMPLETE_ROWS
from pozytywka_spark.ingest.validate.file_stats import MONTH
from pozytywka_spark.lake.tasks import TaskFiles


def stage_complete(rows: pl.DataFrame, buckets: int, files: TaskFiles) -> None:
    """Stage events as COMPLETE parcels. `rows`: `COMPLETE_ROWS`, and `file_stats.MONTH`."""
    for (month, bucket), mine in _by_shard(rows, buckets):
        files.stage(COMPLETE, mine.select(*COMPLETE_ROWS), (str(month), bucket))


def _by_shard(rows: pl.DataFrame, buckets: int) -> Iterator[tuple[tuple[date, int], pl.DataFrame]]:
    months = rows.get_column(MONTH)
    if buckets == 1 and months.is_sorted():  # as in files that follow the time: no row has to be moved
        start = 0
        for length, month in months.rle().struct.unnest().iter_rows():
            yield (month, 0), rows.slice(start, length)
            start += length
        return
    bucket = user_bucket(pl.col("user_id"), buckets).alias("_bucket")
    parts = rows.with_columns(bucket).partition_by(MONTH, "_bucket", as_dict=True)
    for (month, number), mine in parts.items():
        yield (month, int(number)), mine
