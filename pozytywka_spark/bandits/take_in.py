"""A log taken in: files to `slot_decisions`, what can't be taken aside with its reason."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from pathlib import Path

from pozytywka_spark.bandits.log_lines import packing_of
from pozytywka_spark.bandits.slots import slots_of
from pozytywka_spark.bandits.take_in_work import (
    ASIDE,
    BEFORE,
    DAYS,
    IDS,
    REFUSED,
    ROWS,
    SOUND,
    TAKEN,
    FindBefore,
    JudgeFiles,
    LogFile,
    WriteAside,
    WriteSlices,
    buckets_for,
)
from pozytywka_spark.config import Settings
from pozytywka_spark.errors import DataError
from pozytywka_spark.lake.api import Lake, Txn
from pozytywka_spark.lake.data_files import data_files
from pozytywka_spark.lake.shards import Parcel, Written
from pozytywka_spark.lake.tasks import Done, Tasks
from pozytywka_spark.lake.written_alone import check_alone, next_txn
from pozytywka_spark.schemas import SLOT_DECISIONS, SLOT_DECISIONS_ASIDE, Table

_SLICE_BYTES = 800 << 20  # of lines whose rows are brought together at once
_ROOM = "bandits"
_BUCKETS_APP, _REVISION = "user_buckets", 1_000_000


@dataclass(frozen=True)
class TakenIn:
    """What became of a log: `rows` = `kept` + `quarantined` + `duplicates`; `days`: those of sound rows.

    `reasons`: of the quarantined, how many rows each.
    """

    files: int
    rows: int
    kept: int
    quarantined: int
    duplicates: int
    reasons: Mapping[str, int]
    days: tuple[date, ...]


def take_in(settings: Settings, lake: Lake, path: str) -> TakenIn:
    """Append a file's decisions, or those of a folder's files, to `slot_decisions`.

    All files are read before anything is written. Decisions first, then what is aside: broken off between,
    the next run finds the decisions there and takes none twice. Raises `DataError` for a file that can't be
    read to its end, a log without a row, and one of which nothing can be taken.
    """
    files = log_files(path)
    # before anything is looked at: who writes meanwhile uses them up
    txns = {table.name: next_txn(lake, table, _ROOM) for table in (SLOT_DECISIONS, SLOT_DECISIONS_ASIDE)}
    total = sum(file.size for file in files)
    slices = max(1, -(-total // _SLICE_BYTES))
    with lake.tasks() as tasks:
        judged = tasks.run(
            files,
            JudgeFiles(slots_of(settings), slices),
            weight=lambda file: file.size,
            named=lambda file: file.path,
        )
        rows = sum(line[ROWS] for line in judged.results)
        if not rows:
            raise DataError(f"--from {path}: there is no decision in it; expected a row a decision")
        days = _by_day(judged)
        written = _write(settings, lake, tasks, judged, days)
        kept = [file for file in written.written if file.table == SLOT_DECISIONS.name]
        _append(lake, kept, SLOT_DECISIONS, txns)
        reasons = _put_aside(lake, tasks, [*judged.of(ASIDE), *written.of(ASIDE)], txns)
    taken, quarantined = sum(line[TAKEN] for line in written.results), sum(reasons.values())
    return TakenIn(
        len(files), rows, taken, quarantined, rows - taken - quarantined, reasons, tuple(sorted(days))
    )


def log_files(path: str) -> list[LogFile]:
    """The files of a log, in order of their names. Raises `DataError` if there are none."""
    place = Path(path)
    if place.is_dir():
        found = sorted(
            each
            for each in place.rglob("*")
            if each.is_file() and not any(part[0] in "._" for part in each.relative_to(place).parts)
        )
    else:
        found = [place]
    if not found or not found[0].is_file():
        raise DataError(f"--from {path}: there is no file of a log")
    return [
        LogFile(str(file), number, int(file.stat().st_size * packing_of(str(file))))
        for number, file in enumerate(found)
    ]


def buckets_of(lake: Lake) -> int | None:
    """In how many buckets of users the log lies; None before the first take-in."""
    version = lake.txn_version(SLOT_DECISIONS.name, _BUCKETS_APP)
    return None if version is None else version % _REVISION


def _write(settings: Settings, lake: Lake, tasks: Tasks, judged: Done, days: Mapping[date, int]) -> Done:
    sound: dict[int, tuple[Parcel, ...]] = {}
    for parcel in judged.of(SOUND):
        number = int(parcel.key[0])
        sound[number] = (*sound.get(number, ()), parcel)
    if not sound:
        return Done((), (), ())
    buckets = buckets_of(lake)
    if buckets is None:
        buckets = settings.bandits.buckets or buckets_for(max(days.values()))
        # before the first rows, so that whoever comes next lays out theirs likewise
        lake.append([], SLOT_DECISIONS, txn=Txn(_BUCKETS_APP, _REVISION + buckets))
    before = tasks.run(
        data_files(lake, tasks, SLOT_DECISIONS.name),
        FindBefore(tuple(judged.of(IDS))),
        weight=lambda file: file.size // 4 + 1,
        named=lambda file: f"decisions in {file.place}",
    )
    return tasks.run(
        sorted(sound),
        WriteSlices(sound, tuple(before.of(BEFORE)), buckets),
        weight=lambda number: 4 * sum(parcel.size for parcel in sound[number]),
        named=lambda number: f"slice {number + 1} of decisions",
    )


def _put_aside(
    lake: Lake, tasks: Tasks, parcels: Sequence[Parcel], txns: Mapping[str, Txn]
) -> dict[str, int]:
    """How many rows of each reason are aside now that weren't before."""
    if not parcels:
        return {}
    there = data_files(lake, tasks, SLOT_DECISIONS_ASIDE.name)
    done = tasks.run(
        [tuple(parcels)],
        WriteAside(there),
        weight=lambda some: sum(parcel.size for parcel in some),
        named=lambda _: "decisions that can't be taken",
    )
    _append(lake, done.written, SLOT_DECISIONS_ASIDE, txns)
    return dict(done.results[0][REFUSED])


def _append(lake: Lake, written: Sequence[Written], table: Table, txns: Mapping[str, Txn]) -> None:
    if written:
        check_alone(lake.append(written, table, txn=txns[table.name]), table)


def _by_day(judged: Done) -> dict[date, int]:
    days: Counter[date] = Counter()
    for line in judged.results:
        days.update({date.fromisoformat(day): count for day, count in line[DAYS].items()})
    return dict(days)
