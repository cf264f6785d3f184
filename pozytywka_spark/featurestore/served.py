"""The endpoint's logged answers: into the table `served`, and worked out again from the lake."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass
from datetime import date
from functools import partial
from pathlib import Path
from typing import Any

from pozytywka_spark.config import Settings
from pozytywka_spark.errors import DataError, LakeError, require
from pozytywka_spark.featurestore.declared import declared_of
from pozytywka_spark.featurestore.lake_side import champion_of, definition_of, files_of, reading_of
from pozytywka_spark.featurestore.plan import name_of, size_of, slices_of
from pozytywka_spark.featurestore.record import MISSING
from pozytywka_spark.featurestore.rows import needed
from pozytywka_spark.featurestore.serve.answer_log import SUFFIX, log_folder
from pozytywka_spark.featurestore.served_work import (
    Audit,
    compare_served,
    stage_asked,
    stage_rows,
    survey,
)
from pozytywka_spark.featurestore.slices import number_of_slices
from pozytywka_spark.featurestore.state import TableNow
from pozytywka_spark.featurestore.views import View
from pozytywka_spark.lake.api import Lake, Txn
from pozytywka_spark.lake.casting import as_table
from pozytywka_spark.lake.data_files import data_files
from pozytywka_spark.lake.shards import DataFile
from pozytywka_spark.lake.tasks import Done, Tasks
from pozytywka_spark.months import as_moment
from pozytywka_spark.schemas import SERVED

_BYTES_AT_ONCE = 16_000_000  # of a log
_SHOWN = 100
_NO_ROW = -1  # in the place of a version: nothing was stored of the key


@dataclass(frozen=True)
class VerifiedServed:
    """What came of the logged answers: values taken in, worked out again, and not (of no row, or of a version
    that can't be read any more); differences, the first of them in words.
    """

    taken_in: int
    compared: int
    skipped: int
    differences: int
    shown: Sequence[str]

    def plain(self) -> dict[str, Any]:
        """As JSON."""
        return asdict(self)


def verify_served(settings: Settings, lake: Lake) -> VerifiedServed:
    """Take the logged answers in, and work each of them out again from the table's version that it names."""
    require("featurestore")
    taken_in = take_in_served(settings, lake)
    compared = skipped = differences = 0
    shown: list[str] = []
    with lake.tasks() as tasks:
        files = data_files(lake, tasks, SERVED.name)
        views = declared_of(settings, lake).views
        for (view, version), count in sorted(_surveyed(tasks, files).items()):
            done = None
            if view in views and version != _NO_ROW:
                done = _audited(settings, lake, tasks, files, views[view], version, count)
            if done is None:
                skipped += count
                continue
            compared += sum(line["compared"] for line in done.results)
            differences += sum(line["differences"] for line in done.results)
            shown += [text for line in done.results for text in line["shown"]]
    return VerifiedServed(taken_in, compared, skipped, differences, tuple(shown[:_SHOWN]))


def take_in_served(settings: Settings, lake: Lake) -> int:
    """New lines of the endpoint's logs into the table `served`; how many values.

    How far a file was read is recorded with its rows, in one commit: nothing is taken in twice.
    """
    folder, taken = log_folder(settings), 0
    for file in sorted(folder.glob(f"*{SUFFIX}")) if folder.is_dir() else ():
        app = f"{SERVED.name} {file.name}"
        offset = lake.txn_version(SERVED.name, app) or 0
        for lines, end in _new_lines(file, offset):
            rows = [row for line in lines for row in _rows(file, line)]
            lake.append(as_table(rows, SERVED), SERVED, txn=Txn(app, end))
            taken += len(rows)
    return taken


def _new_lines(file: Path, offset: int) -> Iterator[tuple[list[bytes], int]]:
    """Whole lines after an offset, some at a time, and where the next begin."""
    with file.open("rb") as source:
        source.seek(offset)
        while lines := source.readlines(_BYTES_AT_ONCE):
            whole = [line for line in lines if line.endswith(b"\n")]
            offset += sum(map(len, whole))
            if whole:
                yield whole, offset


def _rows(file: Path, line: bytes) -> Iterator[dict[str, Any]]:
    try:
        answer = json.loads(line)
    except ValueError as error:
        raise DataError(f"{file}: a line of it is no answer of the endpoint: {error}") from None
    served_at = as_moment(answer["served_at"])
    for view, told in answer["views"].items():
        columns = [told[name] for name in ("keys", "status", "known_at", "version", "values")]
        for key, status, known_at, version, values in zip(*columns, strict=True):
            yield {
                "answer_id": answer["answer_id"],
                "served_at": served_at,
                "as_of": as_moment(told["as_of"]),
                "service": answer["service"],
                "view": view,
                "key": key,
                "names": told["names"],
                "values": values,
                "status": status,
                "known_at": None if status == MISSING else as_moment(known_at),
                "version": None if status == MISSING else version,
                "day": date(served_at.year, served_at.month, served_at.day),
            }


def _surveyed(tasks: Tasks, files: Sequence[DataFile]) -> Mapping[tuple[str, int], int]:
    done = tasks.run(files, survey, weight=lambda file: file.size, named=lambda file: file.place)
    counts = Counter[tuple[str, int]]()
    for line in done.results:
        for view, version, status, count in line["counts"]:
            counts[view, _NO_ROW if status == MISSING else version] += count
    return counts


def _audited(
    settings: Settings,
    lake: Lake,
    tasks: Tasks,
    served: Sequence[DataFile],
    view: View,
    version: int,
    count: int,
) -> Done | None:
    """What the comparison told; None where the version can't be read any more."""
    model = champion_of(settings) if view.champion else None
    try:
        now = TableNow(version, lake.identity(view.table), definition_of(settings, view, model), model)
        table = files_of(lake, tasks, view, now, needed(view))
    except LakeError:
        return None
    audit = Audit(view, version, reading_of(settings, now, table.last_month), number_of_slices(count))
    asked = tasks.run(
        served, partial(stage_asked, audit), weight=lambda file: file.size, named=lambda file: file.place
    )
    try:
        rows = tasks.run(
            table.files,
            partial(stage_rows, audit, asked.parcels),
            weight=lambda file: file.size,
            named=lambda file: file.place,
        )
    except LakeError:  # vacuumed: the log still names its files
        return None
    both = Done((), (*asked.parcels, *rows.parcels), ())
    return tasks.run(slices_of(both), partial(compare_served, audit), weight=size_of, named=name_of)
