"""Texts: one row an identifier, the latest wins, each in its month; what the lake held of it gives way."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

import polars as pl

from pozytywka_spark.hashing.identity import user_bucket
from pozytywka_spark.ingest.outcomes import COUNTS
from pozytywka_spark.ingest.parcels import LEFT, LEFT_ROWS, RESCUED
from pozytywka_spark.ingest.resolve.new_rows import (
    RowSlice,
    counts_of,
    latest_of,
    rescued_of,
    rows_of,
    says_as_held,
)
from pozytywka_spark.lake.tasks import TaskFiles
from pozytywka_spark.schemas import FEEDBACK

_KEY = "feedback_id"
_BODY = [name for name in FEEDBACK.columns if name not in FEEDBACK.partition_by]
# What a text says; how much of it was masked follows from the text
_SAYS = [name for name in _BODY if name not in (_KEY, "masked")]


@dataclass(frozen=True)
class NewTexts:
    """Work on `RowSlice`s of texts: writes rows that are new or say something new, by month and bucket.

    Which row of an identifier is the latest, and `sources` and `replaces`, as of `NewRows`. Texts from before
    `texts_from` are over their retention: they are taken in without the text. `buckets`: of users.

    Tells `COUNTS` and how many held rows are `replaced`; stages RESCUED and LEFT.
    """

    sources: tuple[tuple[datetime, str], ...]
    buckets: int
    texts_from: datetime | None = None
    replaces: bool = True

    def __call__(self, items: Sequence[RowSlice], files: TaskFiles) -> Iterator[dict[str, Any]]:
        """Facts of each slice."""
        for one in items:
            rows = rows_of(one, _KEY, files)
            if rows.height:
                yield self._settle(rows, one, files)

    def _settle(self, rows: pl.DataFrame, one: RowSlice, files: TaskFiles) -> dict[str, Any]:
        """Write what is new; facts of what became of all rows."""
        latest = self._without_old_texts(latest_of(rows, _KEY, self.sources))
        there = latest.join(_held(latest.select(_KEY), one, files), on=_KEY, how="left", suffix="_held")
        held = pl.col("_held").is_not_null()
        same = there.select(held & says_as_held(_SAYS)).to_series()
        stays = there.select(held & (not self.replaces)).to_series()
        is_new = ~(same | stays)
        new, replaced = latest.filter(is_new), there.filter(is_new).select(held).to_series().sum()
        files.stage(LEFT, rows.select("line_id").drop_nulls().cast(LEFT_ROWS))
        write_texts(
            new.with_columns(user_bucket(pl.col("user_id"), self.buckets).alias("user_bucket")), files
        )
        files.stage(RESCUED, rescued_of(new, _KEY))
        counts = counts_of(rows.height, new.height, int(same.sum()))
        return {COUNTS: counts, "replaced": int(replaced)}

    def _without_old_texts(self, rows: pl.DataFrame) -> pl.DataFrame:
        return rows if self.texts_from is None else without_old_texts(rows, self.texts_from)


def write_texts(rows: pl.DataFrame, files: TaskFiles) -> None:
    """Write texts in the month and the bucket that each is of."""
    placed = rows.sort(*FEEDBACK.partition_by, *FEEDBACK.sorted_by, _KEY)
    for key, mine in placed.partition_by(*FEEDBACK.partition_by, as_dict=True, maintain_order=True).items():
        files.write(FEEDBACK, mine.select(_BODY), dict(zip(FEEDBACK.partition_by, key, strict=True)))


def without_old_texts(rows: pl.DataFrame, texts_from: datetime) -> pl.DataFrame:
    """The rows, with null for a text from before that moment."""
    return rows.with_columns(
        pl.when(pl.col("feedback_time") >= texts_from).then(pl.col("text")).alias("text")
    )


def _held(keys: pl.DataFrame, one: RowSlice, files: TaskFiles) -> pl.DataFrame:
    """What the table holds of these identifiers, marked `_held`; only files that have some are read whole."""
    columns = [_KEY, *_SAYS]
    frames = [keys.clear().with_columns(pl.lit(None).alias(name) for name in _SAYS)]
    for file in one.existing:
        ids = files.read([file], [_KEY])
        if ids.join(keys, on=_KEY, how="semi").height:
            frames.append(files.read([file], columns).join(keys, on=_KEY, how="semi"))
    return pl.concat(frames, how="vertical_relaxed").with_columns(_held=pl.lit(True))
