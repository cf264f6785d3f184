"""Complete events put down by shard: by the month and the bucket of users that they belong to."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date, timedelta
from typing import Any

import numpy as np
import polars as pl

from pozytywka_spark.hashing.event_texts import KIND
from pozytywka_spark.hashing.identity import user_bucket
from pozytywka_spark.ingest.parcels import COMPLETE, COMPLETE_ROWS
from pozytywka_spark.ingest.validate.file_stats import MONTH
from pozytywka_spark.lake.tasks import TaskFiles

Places = np.ndarray[Any, np.dtype[np.intp]]

_EPOCH = date(1970, 1, 1)
_FEW = 1 << 16


def stage_complete(rows: pl.DataFrame, buckets: int, files: TaskFiles) -> None:
    """Stage events as COMPLETE parcels. `rows`: `COMPLETE_ROWS`, and `file_stats.MONTH`."""
    for (month, bucket), mine in _by_shard(rows, buckets):
        files.stage(COMPLETE, mine, (str(month), bucket))


def _by_shard(rows: pl.DataFrame, buckets: int) -> Iterator[tuple[tuple[date, int], pl.DataFrame]]:
    if not rows.height:
        return
    days = rows.get_column(MONTH).to_physical().to_numpy()
    first = int(days.min())
    months = np.flatnonzero(np.bincount(days - first))  # of all that there are, days between it and the first
    number = np.zeros(months[-1] + 1, np.uint32)
    number[months] = np.arange(len(months)) * buckets
    shard = number[days - first]
    if buckets > 1:
        shard += rows.select(user_bucket(pl.col("user_id"), buckets)).to_series().to_numpy().astype(np.uint32)
    rows = rows.select(*COMPLETE_ROWS).cast({"event_type": KIND})
    if (shard[1:] < shard[:-1]).any():  # else no row has to be moved, as in files that follow the time
        # sorted by counting where there are few shards
        order = np.argsort(shard.astype(np.uint16) if len(months) * buckets < _FEW else shard, kind="stable")
        rows = gathered(rows, order)
    start = 0
    for place, length in enumerate(np.bincount(shard).tolist()):
        if length:
            month = _EPOCH + timedelta(days=first + int(months[place // buckets]))
            yield (month, place % buckets), rows.slice(start, length)
        start += length


def gathered(rows: pl.DataFrame, places: Places) -> pl.DataFrame:
    """The rows at these places, in their order.

    Each column is brought together first: of many pieces a place takes three times as long to find. One
    without a value isn't looked at.
    """
    at = pl.Series(places.astype(np.uint32))
    return pl.DataFrame(
        [
            column.clear(len(at)) if column.null_count() == rows.height else column.rechunk().gather(at)
            for column in rows
        ]
    )
