"""Logged answers beside the lake, by tasks: what a table's version says of the keys that were asked."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import polars as pl

from pozytywka_spark.featurestore.materialize_work import CHANGED, ROWS, Slice
from pozytywka_spark.featurestore.record import EXPIRED, MISSING, PRESENT
from pozytywka_spark.featurestore.rows import KEY, KNOWN_AT, Reading, frame_of, needed, newest, same_bits
from pozytywka_spark.featurestore.slices import cut
from pozytywka_spark.featurestore.views import View
from pozytywka_spark.months import DAY_MICROS

if TYPE_CHECKING:
    from pozytywka_spark.lake.shards import DataFile, Parcel
    from pozytywka_spark.lake.tasks import TaskFiles

_SHOWN = 20  # of a slice, one by one; all are counted
_COLUMNS = ("view", KEY, "version", "status", "as_of", "known_at", "names", "values", "answer_id")


@dataclass(frozen=True)
class Audit:
    """One view at one version of its table, and how many slices its keys are cut into."""

    view: View
    version: int
    reading: Reading
    slices: int


def survey(files: Sequence[DataFile], reading: TaskFiles) -> Iterator[Mapping[str, Any]]:
    """How many logged values there are of each view and version of its table."""
    for file in files:
        rows = reading.read([file], ["view", "version", "status"])
        counts = rows.group_by("view", "version", "status").len().rows()
        yield {"counts": [list(count) for count in counts]}


def stage_asked(audit: Audit, served: Sequence[DataFile], files: TaskFiles) -> Iterator[Mapping[str, Any]]:
    """The view's logged values of that version, put down by slice."""
    for file in served:
        rows = files.read([file], _COLUMNS).filter(
            (pl.col("view") == audit.view.name)
            & (pl.col("version") == audit.version)
            & (pl.col("status") != MISSING)
        )
        for number, part in cut(rows, KEY, audit.slices):
            files.stage(CHANGED, part, (number,))
        yield {"files": 1}


def stage_rows(
    audit: Audit, asked: Sequence[Parcel], table: Sequence[DataFile], files: TaskFiles
) -> Iterator[Mapping[str, Any]]:
    """The table's rows of the keys that were asked, put down by slice."""
    key = audit.view.key
    keys = files.shared(asked, [KEY]).unique()
    for file in table:
        for part in files.read_parts(file, needed(audit.view)):
            text = part.with_columns(pl.col(key).cast(pl.String).alias("_text"))
            mine = text.join(keys, left_on="_text", right_on=KEY, how="semi")
            for number, rows in cut(mine, "_text", audit.slices):
                files.stage(ROWS, rows.drop("_text"), (number,))
        yield {"files": 1}


def compare_served(audit: Audit, slices: Sequence[Slice], files: TaskFiles) -> Iterator[Mapping[str, Any]]:
    """Each logged value beside the key's newest row."""
    for one in slices:
        if not one.changed:
            continue
        asked = files.read(one.changed)
        expected: dict[str, Mapping[str, Any]] = {}
        if one.rows:
            made = newest(frame_of(audit.view, files.read(one.rows), audit.version, audit.reading))
            expected = {row[KEY]: row for row in made.iter_rows(named=True)}
        found = [
            f"{row['answer_id']}: view {audit.view.name}, key {row[KEY]}: {problem}"
            for row in asked.with_columns(pl.col("as_of", "known_at").cast(pl.Int64)).iter_rows(named=True)
            if (problem := differs(audit.view, row, expected.get(row[KEY])))
        ]
        yield {"compared": asked.height, "differences": len(found), "shown": found[:_SHOWN]}


def differs(view: View, answer: Mapping[str, Any], row: Mapping[str, Any] | None) -> str:
    """In what an answer is other than the table's row, empty if in nothing."""
    if row is None:
        return f"table {view.table} has no row of it in version {answer['version']}"
    if answer["known_at"] != row[KNOWN_AT]:
        return f"it was known at {row[KNOWN_AT]}, and answered was {answer['known_at']}"
    status = status_of(view, row[KNOWN_AT], answer["as_of"])
    if answer["status"] != status:
        return f"it was {status}, and answered was {answer['status']}"
    for name, value in zip(answer["names"], answer["values"], strict=True):
        expected = row[name] if status == PRESENT else None
        if not same_bits(value, expected):
            return f"{name} was {expected}, and answered was {value}"
    return ""


def status_of(view: View, known_at: int, as_of: int) -> str:
    """What a row is as of a moment."""
    if known_at > as_of:
        return MISSING
    is_old = view.ttl_days is not None and as_of - known_at >= view.ttl_days * DAY_MICROS
    return EXPIRED if is_old else PRESENT
