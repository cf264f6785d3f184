"""Sessions judged, resolved and kept batch by batch, by the real kernels, without Spark and without files."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Sequence
from datetime import UTC, datetime
from typing import Any

import polars as pl

from pozytywka_spark.ingest.outcomes import QUARANTINED
from pozytywka_spark.ingest.resolve.missing_rows import losses_of
from pozytywka_spark.ingest.resolve.rejected import BatchStamp, StillQuarantined
from pozytywka_spark.ingest.resolve.resolve_rows import BatchFiles, Resolved, resolve_events
from pozytywka_spark.ingest.validate.line_work import LineWork, ReplayWork
from pozytywka_spark.ingest.validate.rules.verdict import Judging
from pozytywka_spark.lake.shards import Shard, Written
from pozytywka_spark.lake.storage.filesystem import Storage
from pozytywka_spark.schemas import EVENTS, QUARANTINE, Table
from tests.in_memory import MemoryTasks
from tests.worlds.deliveries import Row

_MODIFIED = datetime(2023, 1, 1, tzinfo=UTC)
_LINES = {"value": pl.Binary, "path": pl.String, "source_order": pl.Int64, "time_unit": pl.String}
Counts = dict[tuple[str, str | None], int]


class MemoryIngest:
    """A lake of events and quarantine in memory, and the batches that go into it."""

    def __init__(self, *, buckets: int = 1, slots: int = 2) -> None:
        self.tasks = MemoryTasks(slots)
        self._buckets, self._number = buckets, 0
        self._events: list[Written] = []
        self._quarantine: list[Written] = []
        self._last: Counter[str] = Counter()

    def ingest(self, *files: Sequence[Row | str], number: int | None = None) -> Counts:
        """What becomes of a batch's rows, which are mappings or lines, file by file."""
        return _counts(self.resolve(*files, number=number))

    def resolve(self, *files: Sequence[Row | str], number: int | None = None) -> Resolved:
        """The same, as resolving tells it."""
        self._number += 1
        staged, paths = len(self.tasks.files.parcels), tuple(f"/d/{source}" for source in range(len(files)))
        lines = [
            {"value": _text(row).encode(), "path": path, "source_order": place, "time_unit": None}
            for path, rows in zip(paths, files, strict=True)
            for place, row in enumerate(rows)
        ]
        work = LineWork(Storage(), "sessions", Judging(2**20), self._buckets, paths, losses_of)
        list(work.judge_lines([self.tasks.files.put_file(pl.DataFrame(lines, _LINES), {})], self.tasks.files))
        sources = tuple((_MODIFIED, path) for path in paths)
        stamp = BatchStamp("sessions", "sessions-d", number or self._number, self._number)
        resolved = self._resolve(staged, BatchFiles(stamp, sources))
        self._last = Counter(one.table for one in resolved.written)
        self._events += [one for one in resolved.written if one.table == "events"]
        self._quarantine += [one for one in resolved.written if one.table == "quarantine"]
        return resolved

    def forget(self, table: str) -> None:
        """Take the last batch's rows of a table away, as if it had been cut short before."""
        kept = self._events if table == "events" else self._quarantine
        del kept[len(kept) - self._last[table] :]

    def replay(self, *reasons: str) -> Counts:
        """Rows of quarantine (of these reasons, if given) have another chance; those that left."""
        files, staged = self.tasks.files, len(self.tasks.files.parcels)
        quarantine = self._shards("quarantine")
        held = [file for shard in quarantine for file in shard.files]
        work = ReplayWork("sessions", Judging(2**20), self._buckets, ("/d/0", "/d/1"), losses_of, reasons)
        list(work(held, files))
        sources = ((_MODIFIED, "/d/0"), (_MODIFIED, "/d/1"))
        batch = BatchFiles(BatchStamp("sessions", "sessions-replay", 99, 99), sources, replay=True)
        resolved = self._resolve(staged, batch)
        self._events += [one for one in resolved.written if one.table == "events"]
        before = len(files.written)
        list(StillQuarantined("sessions", resolved.left, whole=True)(held, files) if resolved.left else ())
        if resolved.left:
            self._quarantine = [self.tasks.written(n) for n in range(before, len(files.written))]
        return {fate: rows for fate, rows in _counts(resolved).items() if fate[0] != QUARANTINED}

    def events(self) -> pl.DataFrame:
        """The rows of `events`."""
        return self._rows(self._events, EVENTS)

    def event_shards(self) -> list[Shard]:
        """The shards of `events`, by what was written for them."""
        return self.tasks.shards("events", self._events)

    def quarantine(self) -> pl.DataFrame:
        """The rows of `quarantine`."""
        return self._rows(self._quarantine, QUARANTINE)

    def _rows(self, written: Sequence[Written], table: Table) -> pl.DataFrame:
        none = pl.DataFrame(schema=dict.fromkeys(table.columns, pl.String))
        return pl.concat([self.tasks.rows(one) for one in written]) if written else none

    def _shards(self, table: str) -> list[Shard]:
        return self.tasks.shards(table, [*self._events, *self._quarantine])

    def _resolve(self, staged: int, batch: BatchFiles) -> Resolved:
        return resolve_events(
            self.tasks,
            self.tasks.files.parcels[staged:],
            self._shards("events"),
            self._shards("quarantine"),
            batch,
            buckets=self._buckets,
        )


def _text(row: Row | str) -> str:
    return row if isinstance(row, str) else json.dumps(row)


def _counts(resolved: Resolved) -> Counts:
    counts: dict[tuple[Any, Any], int] = {}
    for row in resolved.counts:
        fate = row["outcome"], row["reason"]
        counts[fate] = counts.get(fate, 0) + row["rows"]
    return counts
