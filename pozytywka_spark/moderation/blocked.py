"""Who is blocked at a time, for stages that leave them out: read within their own tasks, never collected.

    with lake.tasks() as tasks:
        blocked = blocked_at(lake, tasks, at)
        tasks.run(shards, Work(blocked, …), …)

and in the work `blocked.users(files)`, a frame of the accounts blocked at the time, to join against.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, date, datetime, time

import polars as pl

from pozytywka_spark import schemas
from pozytywka_spark.lake.api import Lake
from pozytywka_spark.lake.shards import DataFile
from pozytywka_spark.lake.tasks import TaskFiles, Tasks
from pozytywka_spark.moderation import rows
from pozytywka_spark.moderation.inputs import settled_until
from pozytywka_spark.moderation.rows import in_micros
from pozytywka_spark.moderation.standing import blocked
from pozytywka_spark.months import as_micros

_COLUMNS = ["user_id", "case_id", "starts_at", "ends_at", "recorded_at"]


@dataclass(frozen=True)
class Blocked:
    """The blocks' files, the time asked about, and until when anything is settled, both in microseconds.

    No files: nobody is blocked.
    """

    files: tuple[DataFile, ...] = ()
    at: int = 0
    settled: int = 0

    @property
    def key(self) -> str:
        """Names what it is read from, for the identity of work that leaves the blocked out."""
        return f"{self.at} {' '.join(sorted(file.path for file in self.files))}" if self.files else ""

    def users(self, files: TaskFiles) -> pl.DataFrame:
        """Grain account that is blocked: `user_id`, `blocked_until` (microseconds). For tasks."""
        nothing = pl.Schema({name: rows.BLOCKS[name] for name in _COLUMNS}).to_frame()
        known = files.shared(self.files, _COLUMNS) if self.files else nothing
        return blocked(in_micros(known), self.at, self.settled)


NOBODY = Blocked()


def blocked_from(lake: Lake, tasks: Tasks, cut_off: date) -> Blocked:
    """Who is blocked as a day begins, in UTC."""
    return blocked_at(lake, tasks, datetime.combine(cut_off, time(), UTC))


def blocked_at(lake: Lake, tasks: Tasks, moment: datetime) -> Blocked:
    """Who is blocked at a moment, from what was recorded by then. Nobody where moderation never ran."""
    at, settled = as_micros(moment), settled_until(lake)
    if settled == rows.NEVER or not lake.exists(schemas.BLOCKS.name):
        return Blocked((), at, settled)
    month = moment.astimezone(UTC).date().replace(day=1)
    shards = lake.shards(schemas.BLOCKS.name, tasks, None, _COLUMNS)
    found = tuple(file for shard in shards if shard.partition["month"] <= month for file in shard.files)
    return Blocked(found, at, settled)
