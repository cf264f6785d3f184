"""A month's plays by track, less the discounted ones, by a task."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import date
from typing import Any

import polars as pl

from pozytywka_spark.lake.tasks import TaskFiles
from pozytywka_spark.moderation.rows import Files

SHOWN = 20
PLAYS = pl.Schema({"track_id": pl.String(), "plays": pl.Int64()})


@dataclass(frozen=True)
class Correct:
    """Work on a month: tells the rows of `corrected`."""

    plays: Files
    discounted: Files

    def __call__(self, items: Sequence[date], files: TaskFiles) -> Iterator[dict[str, Any]]:
        """A line a track, a few in all."""
        for _ in items:
            yield from corrected(self.plays.read(files), self.discounted.read(files)).to_dicts()


def corrected(plays: pl.DataFrame, discounted: pl.DataFrame) -> pl.DataFrame:
    """The SHOWN tracks with most discounted plays: `track`, `plays`, `discounted`, `that count`, `rank` among
    all tracks by plays, `rank that counts` without those. Both frames: track_id, plays; a month's.
    """
    less = discounted.group_by("track_id").agg(pl.col("plays").sum().alias("discounted"))
    counted = (
        plays.group_by("track_id")
        .agg(pl.col("plays").sum())
        .join(less, on="track_id", how="left")
        .with_columns(pl.col("discounted").fill_null(0))
        .with_columns((pl.col("plays") - pl.col("discounted")).alias("that count"))
        .with_columns(
            pl.col("plays").rank("min", descending=True).alias("rank"),
            pl.col("that count").rank("min", descending=True).alias("rank that counts"),
        )
    )
    most = counted.filter(pl.col("discounted") > 0).sort("discounted", "track_id", descending=[True, False])
    return most.head(SHOWN).select(
        pl.col("track_id").alias("track"), "plays", "discounted", "that count", "rank", "rank that counts"
    )
