"""Events -> signals by account and day, rings, cases; only of the months whose inputs have changed."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass
from datetime import date

from pyspark.sql import SparkSession

from pozytywka_spark.config import Settings
from pozytywka_spark.fraud.declared.catalogue import NAMES
from pozytywka_spark.fraud.inputs import (
    Chosen,
    Inputs,
    Scanned,
    choose,
    look_at,
    recorded,
    write_scanned,
)
from pozytywka_spark.fraud.make import make_cases, make_signals
from pozytywka_spark.fraud.ring_months import rings_of
from pozytywka_spark.fraud.rules.read import read_rules
from pozytywka_spark.lake.api import Lake
from pozytywka_spark.lake.open_tasks import workers_awake
from pozytywka_spark.lake.run_tasks import INLINE_BYTES
from pozytywka_spark.lake.shards import Written
from pozytywka_spark.lake.tasks import Done, Tasks
from pozytywka_spark.schemas import CASES, RINGS, Table, signals_table

_KERNELS = ("pozytywka_spark.fraud.signals.work", "pozytywka_spark.fraud.cases.work")


@dataclass(frozen=True)
class ScanReport:
    """What was scanned: months by table, rows of the months whose cases were made, and days by rule.

    `days`, `rings`, `cases`: of those months together; `compared`: rows that the guard has looked at, None
    where no signal was made or it is off.
    """

    signals: Sequence[date]
    months: Sequence[date]
    days: int
    rings: int
    cases: int
    flagged: Mapping[str, int]
    compared: int | None
    span: str

    @property
    def unchanged(self) -> bool:
        """Whether there was nothing to do."""
        return not self.signals and not self.months


def scan(
    spark: SparkSession,
    settings: Settings,
    lake: Lake,
    *,
    months: tuple[date, date] | None = None,
    full: bool = False,
) -> ScanReport:
    """Make `signals`, `rings` and `cases` of the months whose inputs changed since they were last scanned.

    Of the months between two with `months`; of all with `full`. The result is that of a full scan, exactly.
    Every table is replaced in one commit, the record of what was scanned last: an interrupted scan is
    repeated. Raises `DataError` without events or for a rule that flags half of all days, `UsageError` for a
    rule that isn't one, `GuardError` for a signal that looks past its day's end; then nothing is committed.
    """
    rules = read_rules(settings)
    with lake.tasks() as tasks:
        inputs = look_at(lake, tasks, settings, rules)
        chosen = choose(lake, inputs, months, full=full)
        if not chosen.any:
            return _report(inputs, chosen, None, None)
        with _ready(spark, inputs, chosen):
            compared, written = _signals(lake, tasks, settings, inputs, chosen)
        over = [month for month in chosen.rings if inputs.span.is_over(month)]
        written[RINGS.name] = rings_of(tasks, settings, inputs.shards, over) if over else ()
        made = make_cases(lake, tasks, settings, inputs, chosen, rules, written)
        written[CASES.name] = made.written
        _commit(lake, inputs, chosen, written, made)
    return _report(inputs, chosen, made, compared)


def _ready(spark: SparkSession, inputs: Inputs, chosen: Chosen) -> AbstractContextManager[None]:
    """Workers that start while this process plans, if there is more to come."""
    size = sum(shard.size for shard in inputs.shards.of(list(chosen.signals)))
    return workers_awake(spark, _KERNELS) if size > INLINE_BYTES else nullcontext()


def _signals(
    lake: Lake, tasks: Tasks, settings: Settings, inputs: Inputs, chosen: Chosen
) -> tuple[int | None, dict[str, Sequence[Written]]]:
    if not chosen.signals:
        return None, {}
    made = make_signals(lake, tasks, settings, inputs, chosen.signals)
    return made.compared, {signals_table(NAMES).name: made.written}


def _commit(
    lake: Lake, inputs: Inputs, chosen: Chosen, written: Mapping[str, Sequence[Written]], made: Done
) -> None:
    """A table in one commit, the record last. First it forgets the months that are replaced: a scan that
    breaks off, and inputs that are then taken back, must not find its rows and call them scanned."""
    anew = {*chosen.signals, *chosen.rings, *chosen.cases}
    staying = {
        month: each
        for month, each in inputs.before.items()
        if month not in anew and month in inputs.months and not chosen.whole
    }
    if len(staying) < len(inputs.before):
        write_scanned(lake, staying)
    _replace(lake, signals_table(NAMES), written, chosen.signals, whole=chosen.whole)
    _replace(lake, RINGS, written, chosen.rings, whole=chosen.whole)
    _replace(lake, CASES, written, chosen.cases, whole=chosen.whole)
    told = {date.fromisoformat(line["month"]): line for line in made.results}
    scanned = {
        month: Scanned(recorded(inputs, month), line["days"], line["rings"], line["cases"])
        for month, line in told.items()
    }
    write_scanned(lake, staying | scanned)


def _replace(
    lake: Lake, table: Table, written: Mapping[str, Sequence[Written]], months: Sequence[date], *, whole: bool
) -> None:
    files = written.get(table.name, ())
    if whole:
        lake.overwrite(files, table)
    elif months:
        lake.replace_partitions(files, table, [{"month": month} for month in months])


def _report(inputs: Inputs, chosen: Chosen, made: Done | None, compared: int | None) -> ScanReport:
    lines = made.results if made else ()
    flagged = Counter[str]()
    for line in lines:
        flagged.update(line["flagged"])
    return ScanReport(
        signals=chosen.signals,
        months=chosen.cases,
        days=sum(line["days"] for line in lines),
        rings=sum(line["rings"] for line in lines),
        cases=sum(line["cases"] for line in lines),
        flagged=dict(flagged),
        compared=compared,
        span=inputs.span.described(),
    )
