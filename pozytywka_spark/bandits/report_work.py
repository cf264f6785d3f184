"""The job of the page: how often each arm was shown, by day, stream and group, and what it brought."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import polars as pl

from pozytywka_spark.bandits.offpolicy.shard_work import Bucket, Reader
from pozytywka_spark.lake.tasks import TaskFiles

# Parcels of sums over mature decisions, with `rounds`, `reward` and `square` (Σ reward²)
BY_DAY, BY_GROUP = "by day", "by group"
KEYS = {BY_DAY: ("day", "stream", "arm"), BY_GROUP: ("group", "arm")}


@dataclass(frozen=True)
class CountShown:
    """Work on `Bucket`s: stages BY_DAY and BY_GROUP."""

    reader: Reader

    def __call__(self, items: Sequence[Bucket], files: TaskFiles) -> Iterator[dict[str, Any]]:
        """Nothing is told."""
        for item in items:
            found: dict[str, list[pl.DataFrame]] = {kind: [] for kind in KEYS}
            for rows in self.reader(item, files):
                named = rows.select(
                    pl.col("decided_at").dt.date().alias("day"),
                    pl.col("stream").fill_null("unknown"),
                    pl.col("group").fill_null(""),
                    pl.col("chosen").alias("arm"),
                    pl.lit(1, pl.Int64).alias("rounds"),
                    pl.col("reward"),
                    (pl.col("reward") ** 2).alias("square"),
                )
                for kind in KEYS:
                    found[kind].append(together(named, kind))
            for kind, parts in found.items():
                if parts:
                    files.stage(kind, together(pl.concat(parts), kind), (item.number,))
        yield from ()


def together(rows: pl.DataFrame, kind: str) -> pl.DataFrame:
    """Sums of rows by the keys of their kind, in their order."""
    sums = rows.group_by(KEYS[kind]).agg(pl.col("rounds", "reward", "square").sum())
    return sums.sort(KEYS[kind])
