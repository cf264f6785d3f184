"""Popularity without what cheats played: tracks' plays of a month, less their discounted ones."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from typing import Any

import polars as pl

from pozytywka_spark import schemas
from pozytywka_spark.lake.api import Lake
from pozytywka_spark.lake.partitions import of_path
from pozytywka_spark.lake.tasks import TaskFiles, Tasks
from pozytywka_spark.moderation.inputs import files_of
from pozytywka_spark.moderation.rows import Files, month_at

SHOWN = 20
_PLAYS = pl.Schema({"track_id": pl.String(), "plays": pl.Int64()})


@dataclass(frozen=True)
class Popularity:
    """A month's tracks with most discounted plays, as `corrected` has them; no month where there are none."""

    month: date | None
    tracks: Sequence[Mapping[str, Any]]


def popularity_of(lake: Lake, tasks: Tasks, at: int) -> Popularity:
    """Of the latest month begun by `at` (microseconds) that has both plays and discounted ones."""
    both = _months(lake, schemas.DISCOUNTED_PLAYS.name) & _months(lake, schemas.TRACK_PLAYS.name)
    month = max((each for each in both if each <= month_at(at)), default=None)
    if month is None:
        return Popularity(None, ())
    plays, discounted = (
        files_of(lake, tasks, table.name, _PLAYS, [{"month": month}])
        for table in (schemas.TRACK_PLAYS, schemas.DISCOUNTED_PLAYS)
    )
    done = tasks.run(
        [month],
        Correct(plays, discounted),
        weight=lambda _: plays.size + discounted.size,
        named=lambda each: f"plays of {each:%Y-%m}",
    )
    return Popularity(month, done.results)


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


def _months(lake: Lake, table: str) -> set[date]:
    if not lake.exists(table):
        return set()
    return {date.fromisoformat(str(of_path(path)["month"])) for path in lake.files(table)}
