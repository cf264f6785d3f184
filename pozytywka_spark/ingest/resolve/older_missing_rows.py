"""Rows that quarantine held before: what they tell of where a row is missing."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import polars as pl

from pozytywka_spark.ingest.parcels import LOST, LOST_ROWS
from pozytywka_spark.ingest.resolve.missing_rows import losses_of
from pozytywka_spark.ingest.resolve.rejected import BatchStamp
from pozytywka_spark.lake.shards import DataFile, Parcel
from pozytywka_spark.lake.tasks import TaskFiles


@dataclass(frozen=True)
class OlderLosses:
    """Work on files of quarantine: stages LOST of their rows.

    A row that comes again with this batch, in one of the parcels `again` (with `line_id`), is where it
    belongs; and what an attempt of the same batch put there is told by the batch itself.
    """

    stamp: BatchStamp
    again: tuple[Parcel, ...]

    def __call__(self, items: Sequence[DataFile], files: TaskFiles) -> Iterator[dict[str, Any]]:
        """How many rows are missing, by file."""
        back = files.shared(self.again, ["line_id"]).get_column("line_id").drop_nulls().implode()
        mine = (pl.col("stream") == self.stamp.stream) & (pl.col("batch") == self.stamp.batch)
        for file in items:
            rows = files.read([file], ["quarantine_id", "raw", "source_file", "stream", "batch"])
            gone = rows.filter(~mine.fill_null(False) & ~pl.col("quarantine_id").is_in(back))
            lost = lost_of(gone.get_column("raw"), gone.get_column("source_file"))
            files.stage(LOST, lost)
            yield {LOST: lost.height}


def lost_of(raw: pl.Series, paths: pl.Series) -> pl.DataFrame:
    """`LOST_ROWS` of rejected rows' texts and plain paths, each loss once."""
    losses = {
        loss
        for text, path in zip(raw.to_list(), paths.to_list(), strict=True)
        for loss in losses_of(text, path)
    }
    frame = pl.DataFrame(list(losses), {**LOST_ROWS, "lost_time": pl.Int64}, orient="row")
    return frame.cast(LOST_ROWS)
