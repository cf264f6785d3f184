"""Rows on their way to parcels: what one task has for a key is put down together, not shard by shard."""

from __future__ import annotations

from dataclasses import dataclass, field

import polars as pl

from pozytywka_spark.lake.tasks import TaskFiles

Key = tuple[str | int, ...]
ROWS_KEPT = 1_000_000


@dataclass
class Gathered:
    """Rows by kind and key; they are put down when there are `rows_kept`, and at the end (`put_down`)."""

    files: TaskFiles
    rows_kept: int = ROWS_KEPT
    _frames: dict[tuple[str, Key], list[pl.DataFrame]] = field(default_factory=dict)
    _rows: int = 0

    def add(self, kind: str, rows: pl.DataFrame, key: Key) -> None:
        """Take rows of a kind."""
        if rows.height:
            self._frames.setdefault((kind, key), []).append(rows)
            self._rows += rows.height
        if self._rows > self.rows_kept:
            self.put_down()

    def put_down(self) -> None:
        """Stage what is here."""
        for (kind, key), frames in self._frames.items():
            self.files.stage(kind, pl.concat(frames), key)
        self._frames.clear()
        self._rows = 0
