"""What is due becomes releases, fouls, blocks and discounted plays; a run is finished once it is recorded.

The tables are append-only in what they say: of each, a run writes the months from that of the last finished
run on anew, the rows up to it as they were and those of this run behind them. So a run that broke off leaves
nothing that the next doesn't write over.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from typing import Any

import pyarrow as pa

from pozytywka_spark import schemas
from pozytywka_spark.config import Settings
from pozytywka_spark.errors import UsageError
from pozytywka_spark.lake.api import Lake, Txn
from pozytywka_spark.lake.casting import arrow_schema
from pozytywka_spark.lake.shards import Written
from pozytywka_spark.lake.tasks import Done, Tasks
from pozytywka_spark.moderation import rows
from pozytywka_spark.moderation.discount import discount
from pozytywka_spark.moderation.inputs import (
    cases_of,
    decided_of,
    files_of,
    settled_until,
    size_of,
    slices_of,
)
from pozytywka_spark.moderation.ladder_work import CANCELLED, WalkLadders
from pozytywka_spark.moderation.release_work import (
    ACCOUNT_EVENTS,
    LATE,
    LEFT_OVER,
    MONTHS,
    NEW,
    ReleaseCases,
)
from pozytywka_spark.moderation.rows import month_at
from pozytywka_spark.months import HOUR_MICROS, as_moment
from pozytywka_spark.schemas import Table

_Results = Sequence[Mapping[str, Any]]


@dataclass(frozen=True)
class RunReport:
    """What a run did: rows by table; `late` answers and appeals came in once all was settled.

    `unchanged`: an earlier run had come as far already.
    """

    since: int
    until: int
    releases: int = 0
    fouls: int = 0
    blocks: int = 0
    cancelled: int = 0
    months_discounted: int = 0
    late: int = 0
    unchanged: bool = False


def run(settings: Settings, lake: Lake, until: int, *, asked: bool) -> RunReport:
    """Release all that is due up to and with `until` (microseconds since 1970).

    `asked`: a person named `until`; one before an earlier run's is refused with `UsageError` then, else
    nothing is done. What held up to an earlier run never changes: answers that came in too late for it count
    from the instant after it. Raises `DataError` if there are no cases.
    """
    since = settled_until(lake)
    if until < since and asked:
        raise UsageError(
            f"--until {as_moment(until):%Y-%m-%d %H:%M:%S}: a run went up to "
            f"{as_moment(since):%Y-%m-%d %H:%M:%S}, and what held until then never changes: name a later time"
        )
    if until <= since:
        return _nothing_more(settings, lake, since)
    with lake.tasks() as tasks:
        released = _release(settings, lake, tasks, since, until)
        walked = _walk(settings, lake, tasks, released, since)
        for_verdicts = [file for done in (released, walked) for file in _written(done, schemas.VERDICTS)]
        _commit_verdicts(lake, for_verdicts)
        _commit(lake, tasks, schemas.RELEASES, released, released.results, since)
        for table in (schemas.FOULS, schemas.BLOCKS):
            _commit(lake, tasks, table, walked, [line[table.name] for line in walked.results], since)
        inputs, months = discount(lake, tasks)
    report = RunReport(
        since,
        until,
        releases=_sum(released.results, NEW),
        fouls=_sum([line[schemas.FOULS.name] for line in walked.results], NEW),
        blocks=_sum([line[schemas.BLOCKS.name] for line in walked.results], NEW),
        cancelled=_sum(walked.results, CANCELLED),
        months_discounted=months,
        late=_sum(released.results, LATE),
    )
    _record(lake, report, inputs)
    return report


def _nothing_more(settings: Settings, lake: Lake, since: int) -> RunReport:
    """Of a run that an earlier one has done already: only how many answers wait for a later one."""
    with lake.tasks() as tasks:
        work = _release_work(settings, lake, tasks, since, since)
        counted = tasks.run(
            range(work.slices),
            work,
            weight=lambda _: size_of(work.cases, work.verdicts),
            named=_slice_of_cases,
        )
    return RunReport(since, since, late=_sum(counted.results, LATE), unchanged=True)


def _release_work(settings: Settings, lake: Lake, tasks: Tasks, since: int, until: int) -> ReleaseCases:
    cases = cases_of(lake, tasks)
    verdicts = files_of(lake, tasks, schemas.VERDICTS.name, rows.VERDICTS)
    fouls = files_of(lake, tasks, schemas.FOULS.name, rows.FOULS)
    return ReleaseCases(
        slices_of(cases, verdicts),
        slices_of(cases, fouls),
        cases,
        verdicts,
        decided_of(lake, tasks),
        files_of(lake, tasks, schemas.SECOND_LOOKS.name, rows.LOOKS),
        files_of(lake, tasks, schemas.RELEASES.name, rows.RELEASES),
        files_of(lake, tasks, schemas.APPEALS.name, rows.APPEALS),
        dict(settings.moderation.silence_days),
        since,
        until,
    )


def _release(settings: Settings, lake: Lake, tasks: Tasks, since: int, until: int) -> Done:
    work = _release_work(settings, lake, tasks, since, until)
    size = size_of(work.cases, work.verdicts, work.releases) + work.decisions.size
    return tasks.run(range(work.slices), work, weight=lambda _: size, named=_slice_of_cases)


def _walk(settings: Settings, lake: Lake, tasks: Tasks, released: Done, since: int) -> Done:
    fouls = files_of(lake, tasks, schemas.FOULS.name, rows.FOULS)
    work = WalkLadders(
        slices_of(cases_of(lake, tasks), fouls),
        tuple(released.of(ACCOUNT_EVENTS)),
        fouls,
        files_of(lake, tasks, schemas.BLOCKS.name, rows.BLOCKS),
        files_of(lake, tasks, schemas.VERDICTS.name, rows.VERDICTS),
        tuple(hours * HOUR_MICROS for hours in settings.moderation.ladder_hours),
        since,
    )
    size = size_of(work.fouls, work.blocks) + sum(parcel.size for parcel in work.events)
    return tasks.run(range(work.slices), work, weight=lambda _: size, named=_slice_of_accounts)


def _commit_verdicts(lake: Lake, written: Sequence[Written]) -> None:
    """Silences and upheld appeals; what a run that broke off has left there isn't written again."""
    if written:
        lake.append(written, schemas.VERDICTS)


def _commit(lake: Lake, tasks: Tasks, table: Table, done: Done, told: _Results, since: int) -> None:
    """Replace the months from that of the last run on, if anything in them is new or left by a broken run."""
    if not (_sum(told, NEW) or _sum(told, LEFT_OVER)):
        return
    months = {date.fromisoformat(month) for line in told for month in line[MONTHS]}
    if lake.exists(table.name):
        held = {shard.partition["month"] for shard in lake.shards(table.name, tasks)}
        months |= {month for month in held if month >= month_at(since)}
    lake.replace_partitions(_written(done, table), table, [{"month": month} for month in sorted(months)])


def _record(lake: Lake, report: RunReport, inputs: Mapping[str, str]) -> None:
    row = {
        "until": as_moment(report.until),
        "releases": report.releases,
        "fouls": report.fouls,
        "blocks": report.blocks,
        "cancelled": report.cancelled,
        "discounted": json.dumps(inputs, sort_keys=True),
    }
    table = schemas.MODERATION_RUNS
    rows_ = pa.Table.from_pylist([row], schema=arrow_schema(table.schema))
    lake.append(rows_, table, txn=Txn("moderation run", report.until))


def _written(done: Done, table: Table) -> list[Written]:
    return [file for file in done.written if file.table == table.name]


def _sum(told: _Results, name: str) -> int:
    return sum(line[name] for line in told)


def _slice_of_cases(number: int) -> str:
    return f"slice {number + 1} of cases"


def _slice_of_accounts(number: int) -> str:
    return f"slice {number + 1} of accounts"
