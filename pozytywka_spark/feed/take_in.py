"""Take in what users said and saw: files -> `feed_surveys`, `feed_seen`, and what can't be taken aside."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import date
from pathlib import Path

import polars as pl

from pozytywka_spark import schemas
from pozytywka_spark.errors import DataError
from pozytywka_spark.feed.said import KINDS, SURVEYS, Kind, as_aside, read
from pozytywka_spark.feed.take_in_work import (
    CAME,
    DUPLICATES,
    NEW,
    REASONS,
    REFUSED,
    PutAside,
    TakeIn,
    table_of,
)
from pozytywka_spark.lake.api import Lake
from pozytywka_spark.lake.data_files import data_files
from pozytywka_spark.lake.layout import buckets_of
from pozytywka_spark.lake.shards import DataFile, Parcel
from pozytywka_spark.lake.tasks import Tasks
from pozytywka_spark.lake.written_alone import check_alone, next_txn
from pozytywka_spark.moderation.reading import times
from pozytywka_spark.schemas import Table

_ROOM = "feed"


@dataclass(frozen=True)
class TakenIn:
    """What became of a file's rows: `came` = `taken` + `duplicates` + those refused, by reason."""

    kind: str
    came: int
    taken: int
    duplicates: int
    refused: Mapping[str, int]


def take_in(lake: Lake, kind_name: str, chunks: Iterable[pl.DataFrame], path: str) -> TakenIn:
    """Append a file's rows to the kind's table; what can't be taken goes to `feed_aside`.

    `chunks`: of `moderation.reading.read_rows`. The same file again adds nothing. Taken first, then aside:
    broken off between, the next run takes none twice. Raises `DataError` where the lake has no users.
    """
    kind = KINDS[kind_name]
    for name in ("users", "tracks"):
        if not lake.exists(name):
            raise DataError(f"table {name} is not in {lake.root}: run the ingest job first")
    source = Path(path).name
    with lake.tasks() as tasks:
        reasons: Counter[str] = Counter()
        came, refused, rows, days = _put(tasks, kind, chunks, source, reasons)
        taken = duplicates = 0
        if came:
            table = table_of(kind)  # FEED_SURVEYS or FEED_SEEN
            txn = next_txn(lake, table, _ROOM)
            buckets = buckets_of(lake)
            work = TakeIn(
                kind.name,
                buckets,
                came,
                _files_of_days(lake, tasks, table, days),
                data_files(lake, tasks, "users", ["user_id"]),
                data_files(lake, tasks, "tracks", ["id"]),
                source,
            )
            size = sum(parcel.size for parcel in came)
            done = tasks.run(
                range(buckets), work, weight=lambda _: size, named=lambda n: f"users' bucket {n}"
            )
            if done.written:
                check_alone(lake.append(done.written, table, txn=txn), table)
            refused = (*refused, *done.of(REFUSED))
            for line in done.results:
                taken += line[NEW]
                duplicates += line[DUPLICATES]
                reasons.update(line[REASONS])
        _put_aside(lake, tasks, refused)
    return TakenIn(kind.name, rows, taken, duplicates, dict(sorted(reasons.items())))


def _put(
    tasks: Tasks, kind: Kind, chunks: Iterable[pl.DataFrame], source: str, reasons: Counter[str]
) -> tuple[tuple[Parcel, ...], tuple[Parcel, ...], int, set[date]]:
    """Chunks put down for the tasks: rows that can be read, rows that can't; how many there were, of which
    days."""
    came: list[Parcel] = []
    refused: list[Parcel] = []
    rows, days = 0, set[date]()
    for chunk in chunks:
        sound, aside = read(kind, chunk, times(chunk.get_column(kind.time)))
        rows += chunk.height
        reasons.update(dict(aside.group_by("reason").len().iter_rows()))
        if sound.height:
            came.append(tasks.put(CAME, sound))
            days |= set(pl.from_epoch(sound.get_column(kind.time), "us").dt.date().unique().to_list())
        if aside.height:
            refused.append(tasks.put(REFUSED, as_aside(kind, aside, source)))
    return tuple(came), tuple(refused), rows, days


def _put_aside(lake: Lake, tasks: Tasks, refused: tuple[Parcel, ...]) -> None:
    if not refused:
        return
    table = schemas.FEED_ASIDE
    txn = next_txn(lake, table, _ROOM)
    work = PutAside(refused, data_files(lake, tasks, table.name))
    size = sum(parcel.size for parcel in refused)
    done = tasks.run([0], work, weight=lambda _: size, named=lambda _: "what is put aside")
    if done.written:
        check_alone(lake.append(done.written, table, txn=txn), table)


def _files_of_days(lake: Lake, tasks: Tasks, table: Table, days: set[date]) -> tuple[DataFile, ...]:
    """The table's files that may hold rows of those days."""
    files = data_files(lake, tasks, table.name)
    return tuple(
        file for file in files if file.partition.get("day", None) in days or "day" not in file.partition
    )


__all__ = ["SURVEYS", "TakenIn", "take_in"]
