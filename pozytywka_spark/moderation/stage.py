"""Answers and appeals taken in from files: each chunk goes to tasks, then one commit a table."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import polars as pl

from pozytywka_spark import schemas
from pozytywka_spark.lake.api import Lake
from pozytywka_spark.lake.shards import Parcel, Written
from pozytywka_spark.lake.tasks import Done, Tasks
from pozytywka_spark.lake.written_alone import check_alone, next_txn
from pozytywka_spark.moderation import answers, appeals, chargebacks, rows
from pozytywka_spark.moderation.inputs import cases_of, files_of, settled_until, size_of, slices_of
from pozytywka_spark.moderation.intake_work import (
    ACCOUNTS,
    CAME_ANSWERS,
    CAME_APPEALS,
    CASE_DAYS,
    CHANGED,
    CUT_OFFS,
    DUPLICATES,
    FOUND,
    LATEST_FOULS,
    REFUSED,
    TAKEN,
    TRIED,
    TakeAnswers,
    TakeAppeals,
)
from pozytywka_spark.moderation.reading import times
from pozytywka_spark.moderation.rows import Files
from pozytywka_spark.schemas import Table

_SHOWN = 3
_ROOM = "moderation"


@dataclass(frozen=True)
class IntakeReport:
    """What became of a file's rows: `came` = `taken` + `refused` + `duplicates`.

    `reasons`: of the refused, how many rows and some of their cases. Of those that had waited aside since
    earlier files `found` of `tried` wait no longer.
    """

    came: int
    taken: int
    refused: int
    duplicates: int
    reasons: Sequence[Mapping[str, Any]]
    tried: int = 0
    found: int = 0


@dataclass(frozen=True)
class ChargebackReport:
    """`came`: chargebacks of a file; `answers`: to the cases that they are about."""

    came: int
    answers: IntakeReport


def take_answers(lake: Lake, chunks: Iterable[pl.DataFrame]) -> IntakeReport:
    """Append the answers of a file to `verdicts`, put aside what can't be taken, try again what waits there.

    `chunks`: of `reading.read_rows`. Taken first, then aside: broken off between, the next run finds the
    rows among the verdicts and takes none twice. Raises `DataError` if there are no cases.
    """
    with lake.tasks() as tasks:
        cases = cases_of(lake, tasks)
        return _take(lake, tasks, cases, _put(tasks, chunks, CAME_ANSWERS, _answers))


def take_chargebacks(lake: Lake, chunks: Iterable[pl.DataFrame]) -> ChargebackReport:
    """The same of a file of chargebacks: each is the answer `bad` to its account's cases of that day.

    `chunks`: of `reading.read_rows` with `CHARGEBACK_COLUMNS`. Raises `DataError` if there are no cases.
    """
    with lake.tasks() as tasks:
        cases = cases_of(lake, tasks)
        charged = _put(tasks, chunks, chargebacks.CAME, chargebacks.purchases)
        parcels = tuple(each for each in charged.files if isinstance(each, Parcel))
        if not parcels:
            return ChargebackReport(0, IntakeReport(0, 0, 0, 0, ()))
        done = tasks.run(
            cases.files,
            chargebacks.FindCharged(parcels, CASE_DAYS),
            weight=lambda file: file.size,
            named=lambda file: f"cases in {file.place}",
        )
        came = Files(tuple(done.of(chargebacks.FOUND)), CAME_ANSWERS)
        return ChargebackReport(charged.rows, _take(lake, tasks, cases, came))


def _take(lake: Lake, tasks: Tasks, cases: Files, came: Files) -> IntakeReport:
    verdicts = files_of(lake, tasks, schemas.VERDICTS.name, rows.VERDICTS)
    aside = files_of(lake, tasks, schemas.VERDICTS_ASIDE.name, rows.ASIDE)
    if not came.rows and not aside.rows:
        return IntakeReport(0, 0, 0, 0, ())
    slices = slices_of(came, cases, verdicts, aside)
    work = TakeAnswers(slices, came, Files(cases.files, CUT_OFFS), verdicts, aside)
    done = _run(tasks, work, slices, size_of(came, cases, verdicts, aside))
    taken = _of(done, schemas.VERDICTS)
    if taken:
        table = schemas.VERDICTS
        check_alone(lake.append(taken, table, txn=next_txn(lake, table, _ROOM)), table)
    if any(line[CHANGED] for line in done.results):
        lake.overwrite(_of(done, schemas.VERDICTS_ASIDE), schemas.VERDICTS_ASIDE)
    return _report(came.rows, done)


def take_appeals(lake: Lake, chunks: Iterable[pl.DataFrame]) -> IntakeReport:
    """Add a file's appeals to `appeals`, and judgements to those that waited for one; the next run acts on
    them. Raises `DataError` if there are no cases.
    """
    with lake.tasks() as tasks:
        cases = cases_of(lake, tasks)
        came = _put(tasks, chunks, CAME_APPEALS, _appeals)
        if not came.rows:
            return IntakeReport(0, 0, 0, 0, ())
        verdicts = files_of(lake, tasks, schemas.VERDICTS.name, rows.VERDICTS)
        fouls = files_of(lake, tasks, schemas.FOULS.name, LATEST_FOULS)
        held = files_of(lake, tasks, schemas.APPEALS.name, rows.APPEALS)
        slices = slices_of(came, cases, verdicts, fouls, held)
        work = TakeAppeals(
            slices, came, Files(cases.files, ACCOUNTS), verdicts, fouls, held, settled_until(lake)
        )
        done = _run(tasks, work, slices, size_of(came, cases, verdicts, fouls, held))
        if any(line[TAKEN] for line in done.results):
            table = schemas.APPEALS
            check_alone(lake.overwrite(_of(done, table), table, txn=next_txn(lake, table, _ROOM)), table)
        return _report(came.rows, done)


def _answers(chunk: pl.DataFrame) -> pl.DataFrame:
    return chunk.with_columns(
        times(chunk.get_column("decided_at")), pl.col("verdict").str.to_lowercase()
    ).select(CAME_ANSWERS.names())


def _appeals(chunk: pl.DataFrame) -> pl.DataFrame:
    read = chunk.with_columns(times(chunk.get_column(name)) for name in ("appealed_at", "decided_at"))
    bad_time = chunk.get_column("decided_at").is_not_null() & read.get_column("decided_at").is_null()
    return read.with_columns(
        pl.col("user_id").cast(pl.Int64, strict=False),
        pl.col("verdict").str.to_lowercase(),
        bad_time=bad_time,
    ).select(CAME_APPEALS.names())


def _put(tasks: Tasks, chunks: Iterable[pl.DataFrame], schema: pl.Schema, read: Any) -> Files:
    """Each chunk put down for the tasks."""
    parcels: list[Parcel] = [tasks.put("came", read(chunk)) for chunk in chunks]
    return Files(tuple(parcels), schema)


def _run(tasks: Tasks, work: TakeAnswers | TakeAppeals, slices: int, size: int) -> Done:
    return tasks.run(
        range(slices), work, weight=lambda _: size, named=lambda number: f"slice {number + 1} of cases"
    )


def _report(came: int, done: Done) -> IntakeReport:
    reasons: dict[str, dict[str, Any]] = {}
    for line in done.results:
        for reason, told in line[REFUSED].items():
            row = reasons.setdefault(reason, {"reason": reason, "rows": 0, "cases": []})
            row["rows"] += told["rows"]
            row["cases"] = sorted([*row["cases"], *told["cases"]])[:_SHOWN]
    return IntakeReport(
        came,
        sum(line[TAKEN] for line in done.results),
        sum(row["rows"] for row in reasons.values()),
        sum(line[DUPLICATES] for line in done.results),
        sorted(reasons.values(), key=lambda row: str(row["reason"])),
        sum(line.get(TRIED, 0) for line in done.results),
        sum(line.get(FOUND, 0) for line in done.results),
    )


def _of(done: Done, table: Table) -> list[Written]:
    return [file for file in done.written if file.table == table.name]


ANSWER_COLUMNS, APPEAL_COLUMNS = answers.COLUMNS, appeals.COLUMNS
CHARGEBACK_COLUMNS = chargebacks.COLUMNS
