"""What tasks of an ingest do, in this process, on a few lines; prints the modules that it has then."""

from __future__ import annotations

import sys
from datetime import date
from pathlib import Path

import pozytywka_spark.spark.kernel_daemon  # noqa: F401 what a worker has from the start
from pozytywka_spark.ingest.intake.reader import Surveyed, parts_of
from pozytywka_spark.ingest.parcels import COMPLETE
from pozytywka_spark.ingest.quality.event_totals import count_slices, slices_of
from pozytywka_spark.ingest.quality.shard_counts import count_shards
from pozytywka_spark.ingest.resolve.missing_rows import losses_of
from pozytywka_spark.ingest.resolve.new_events import EventShard, NewEvents
from pozytywka_spark.ingest.validate.line_work import LineWork
from pozytywka_spark.ingest.validate.rules.verdict import Judging
from pozytywka_spark.lake.casting import arrow_schema
from pozytywka_spark.lake.shards import DataFile, Shard
from pozytywka_spark.lake.storage.filesystem import Storage
from pozytywka_spark.lake.storage.listed_file import ListedFile, naive_time
from pozytywka_spark.lake.table_files import TableFiles
from pozytywka_spark.lake.task_files import OpenFiles
from pozytywka_spark.lake.task_lines import as_batch
from pozytywka_spark.schemas import EVENTS

_LINE = (
    '{"timestamp": "2023-02-01T10:00:00", "user_id": 101, "track_id": "0123456789abcdefghijkl", '
    '"event_type": "%s", "session_id": 7}\n'
)
_SHARD = {"event_month": date(2023, 2, 1), "user_bucket": 0}


def main(folder: Path) -> None:
    """A sound line, one for the rules and a broken one, from their file to the checks."""
    path, staging = folder / "sessions.jsonl", folder / "staging"
    staging.mkdir()
    path.write_text(_LINE % "PLAY" + _LINE % "skip" + "{\n")
    files = OpenFiles(TableFiles(Storage(), str(folder)), str(staging))
    surveyed = Surveyed(ListedFile(str(path), path.stat().st_size, naive_time(0)))
    work = LineWork(Storage(), "sessions", Judging(2**20), 1, (str(path),), losses_of)
    told = [*work(parts_of([surveyed], 1), files)]
    complete = tuple(parcel for parcel in files.parcels if parcel.kind == COMPLETE)
    told += NewEvents(1)([EventShard(_SHARD["event_month"], _SHARD["user_bucket"], complete, ())], files)
    schema = arrow_schema(EVENTS.schema)
    written = tuple(
        DataFile(one.place, one.size, one.rows, _SHARD, one.path, schema) for one in files.written
    )
    assert sum(one.rows for one in written) == 2
    told += count_shards([Shard(EVENTS.name, _SHARD, written)], files, 1)
    told += count_slices(slices_of(files.parcels, frozenset(["events"])), files)
    as_batch(told)
    print(*sys.modules)


if __name__ == "__main__":
    main(Path(sys.argv[1]))
