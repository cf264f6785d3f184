"""Rows that are kept until there are many don't keep in memory what they were taken from."""

from __future__ import annotations

import polars as pl

from pozytywka_spark.ingest.quality.key_parcels import TRACK_EVENTS, Staging
from tests.in_memory import MemoryFiles


def test_kept_keys_let_go_of_the_events_they_were_taken_from() -> None:
    events = pl.DataFrame({"track_id": [f"a track of a long name {number:06d}" for number in range(50_000)]})
    few = events.filter(pl.int_range(pl.len()) % 10_000 == 0).with_columns(plays=pl.lit(1), events=pl.lit(2))
    staging = Staging(MemoryFiles(), 1)
    staging.add(TRACK_EVENTS, few)
    (kept,) = staging._kept[TRACK_EVENTS]
    assert kept.rows() == few.rows()
    assert _bytes_behind(few) > 1_000_000
    assert _bytes_behind(kept) < 1_000


def _bytes_behind(rows: pl.DataFrame) -> int:
    """Of the texts' buffers, whoever else points into them."""
    texts = rows.get_column("track_id").to_arrow(compat_level=pl.CompatLevel.newest())
    return sum(buffer.size for buffer in texts.buffers() if buffer is not None)
