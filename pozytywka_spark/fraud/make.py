"""The jobs of a scan over its months: files are written, none is committed."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from typing import Any

from pozytywka_spark.config import Settings
from pozytywka_spark.features.build.survey import without_ids
from pozytywka_spark.fraud.cases.work import MakeCases, MonthCases
from pozytywka_spark.fraud.declared.catalogue import NAMES
from pozytywka_spark.fraud.declared.load import DECLARED
from pozytywka_spark.fraud.inputs import Chosen, Inputs
from pozytywka_spark.fraud.rules.grammar import Rule
from pozytywka_spark.fraud.rules.too_many import check_shares
from pozytywka_spark.fraud.signals.work import DAYS, REAL, DayShard, MakeSignals, MeasureDays, UserSlice
from pozytywka_spark.fraud.signals.worlds import WORLDS, Guarded, guarded_day
from pozytywka_spark.lake.api import Lake
from pozytywka_spark.lake.data_files import data_files
from pozytywka_spark.lake.shards import DataFile, Parcel, Written
from pozytywka_spark.lake.table_files import readable
from pozytywka_spark.lake.tasks import Done, Tasks
from pozytywka_spark.schemas import RINGS, Table, signals_table

_DAYS_A_SLICE = 400_000  # account-days that one task holds with ease
_WORTH_A_SLICE = 20_000


@dataclass(frozen=True)
class Signals:
    """Files of `signals` of the months made, and how many rows the guard has compared (None: it is off)."""

    written: tuple[Written, ...]
    compared: int | None


def make_signals(
    lake: Lake,
    tasks: Tasks,
    settings: Settings,
    inputs: Inputs,
    months: Sequence[date],
    declared: str = DECLARED,
) -> Signals:
    """Signals of a stretch of months, from their events, those of the month before and earlier signals.

    Raises `GuardError` where a signal looks past its day's end.
    """
    every = list(inputs.months)
    earlier = every[: every.index(months[0])]
    before = earlier[-1:]  # 28 days reach into one month
    guarded = guarded_day(months[settings.guards.seed % len(months)], settings.guards.seed)
    watched = guarded if settings.guards.perturbation else None
    measured = _measured(tasks, inputs, [*before, *months], watched, declared)
    held = _signals_files(lake, tasks, earlier[:-1])
    real = [parcel for parcel in measured.of(DAYS) if parcel.key[0] == REAL]
    slices = _slices(sum(parcel.rows for parcel in real), inputs.buckets, tasks.slots)
    items = [
        UserSlice(
            bucket,
            number,
            tuple(parcel for parcel in real if parcel.key[2] == bucket),
            tuple(file for file in held if file.partition["user_bucket"] == bucket),
            _worlds_of(measured, bucket) if watched else (),
        )
        for bucket in sorted({parcel.key[2] for parcel in real if isinstance(parcel.key[2], int)})
        for number in range(slices)
    ]
    work = MakeSignals(tuple(months), inputs.buckets, slices, watched, declared)
    done = tasks.run(
        items,
        work,
        weight=lambda item: item.size,
        named=lambda item: f"slice {item.number} of accounts of bucket {item.bucket}",
    )
    compared = sum(line["compared"] for line in done.results)
    return Signals(done.written, compared if watched else None)


def make_cases(
    lake: Lake,
    tasks: Tasks,
    settings: Settings,
    inputs: Inputs,
    chosen: Chosen,
    rules: Sequence[Rule],
    written: Mapping[str, Sequence[Written]],
) -> Done:
    """Cases of the months chosen; `written`: files by table that aren't committed yet.

    Raises `DataError` naming a rule that flags half of all days or more.
    """
    signals = _by_month(
        written.get("signals", ()), signals_table(NAMES), chosen.signals,
        _signals_files(lake, tasks, [month for month in chosen.cases if month not in chosen.signals]),
    )  # fmt: skip
    held = [month for month in chosen.cases if month not in chosen.rings]
    rings = _by_month(
        written.get("rings", ()), RINGS, chosen.rings, _of_months(lake, tasks, RINGS.name, held)
    )
    items = [
        MonthCases(
            month,
            tuple(signals.get(month, ())),
            tuple(rings.get(month, ())),
            _events(inputs, [month]) if rings.get(month) else (),
            inputs.span.is_over(month),
        )
        for month in chosen.cases
    ]
    fraud = settings.fraud
    work = MakeCases(tuple(rules), fraud.unknown_share, fraud.random_share, fraud.seed, fraud.unknown_rows)
    done = tasks.run(
        items, work, weight=lambda item: item.size, named=lambda item: f"cases of {item.month:%Y-%m}"
    )
    check_rules(done.results)
    return done


def check_rules(results: Sequence[Mapping[str, Any]]) -> None:
    """Raise `DataError` naming the rule that flags half of all account-days or more, if there is one."""
    flagged = Counter[str]()
    for line in results:
        flagged.update(line["flagged"])
    check_shares(flagged, sum(line["days"] for line in results))


def _measured(
    tasks: Tasks, inputs: Inputs, months: Sequence[date], guarded: Guarded | None, declared: str
) -> Done:
    shards = [
        DayShard(world, shard.partition["event_month"], shard.partition["user_bucket"], shard.files)
        for shard in inputs.shards.of(list(months))
        for world in (REAL, *(WORLDS if guarded and shard.partition["event_month"] == guarded.month else ()))
    ]
    return tasks.run(
        shards,
        MeasureDays(inputs.tracks, guarded, declared),
        weight=lambda shard: without_ids(shard.size),
        named=lambda shard: f"events of {shard.month:%Y-%m}, bucket {shard.bucket}",
    )


def _worlds_of(measured: Done, bucket: int) -> tuple[tuple[str, tuple[Parcel, ...]], ...]:
    return tuple(
        (world, tuple(one for one in measured.of(DAYS) if one.key[0] == world and one.key[2] == bucket))
        for world in WORLDS
    )


def _slices(days: int, buckets: int, slots: int) -> int:
    """In how many slices each bucket's accounts go."""
    needed = max(-(-days // _DAYS_A_SLICE), min(slots, -(-days // _WORTH_A_SLICE)), 1)
    even = -(-needed // slots) * slots if needed > 1 else needed
    return -(-even // buckets)


def _by_month(
    written: Sequence[Written], table: Table, months: Sequence[date], held: Sequence[DataFile]
) -> dict[date, list[DataFile]]:
    """Files by month: those written, of the months that were made, else those that are in the table."""
    found: dict[date, list[DataFile]] = {}
    made = [readable(file, table) for file in written]
    for file in (*(one for one in made if one.partition["month"] in months), *held):
        found.setdefault(file.partition["month"], []).append(file)
    return found


def _signals_files(lake: Lake, tasks: Tasks, months: Sequence[date]) -> tuple[DataFile, ...]:
    return _of_months(lake, tasks, signals_table(NAMES).name, months)


def _of_months(lake: Lake, tasks: Tasks, table: str, months: Sequence[date]) -> tuple[DataFile, ...]:
    return data_files(lake, tasks, table, partitions=[{"month": month} for month in months]) if months else ()


def _events(inputs: Inputs, months: Sequence[date]) -> tuple[DataFile, ...]:
    return tuple(file for shard in inputs.shards.of(list(months)) for file in shard.files)
