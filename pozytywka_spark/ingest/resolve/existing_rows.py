"""A batch's rows beside what the lake holds: which of its files are looked at, and in which layout."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from datetime import date, datetime

from pozytywka_spark.ingest.intake.contracts import FEEDBACK, SESSIONS, Contract
from pozytywka_spark.ingest.parcels import EVENT
from pozytywka_spark.ingest.resolve.rescued import write_rescued
from pozytywka_spark.ingest.resolve.resolve_rows import (
    BatchFiles,
    Resolved,
    resolve_catalogue,
    resolve_events,
    resolve_texts,
)
from pozytywka_spark.ingest.validate.pass_one import JudgedRows
from pozytywka_spark.lake.api import Lake, Partition
from pozytywka_spark.lake.layout import buckets_for, buckets_of, recording
from pozytywka_spark.lake.shards import Shard
from pozytywka_spark.lake.tasks import Tasks
from pozytywka_spark.schemas import EVENTS, QUARANTINE

_COMPARED = (*EVENT, "repair_reason")


@dataclass(frozen=True)
class Layout:
    """In how many buckets of users events lie, and whether pass one put rows down by these."""

    buckets: int
    staged_by_bucket: bool = True


def chosen_layout(lake: Lake, contract: Contract, judged: JudgedRows, setting: int | None) -> Layout:
    """The lake's own layout of events; of a new table, what the setting or the largest month asks for."""
    if contract is not SESSIONS or lake.exists(EVENTS.name):
        return Layout(buckets_of(lake))
    buckets = buckets_for(max(judged.of_all.months.values(), default=0), setting)
    return Layout(buckets, staged_by_bucket=buckets == 1)


def record_layout(lake: Lake, contract: Contract, layout: Layout) -> None:
    """Make the table of events in so many buckets, if there is none and it isn't one."""
    if contract is SESSIONS and layout.buckets > 1 and not lake.exists(EVENTS.name):
        lake.append([], EVENTS, txn=recording(lake, layout.buckets))


def resolve_beside_held(
    lake: Lake,
    tasks: Tasks,
    contract: Contract,
    judged: JudgedRows,
    batch: BatchFiles,
    layout: Layout,
    texts_from: datetime | None = None,
) -> Resolved:
    """What becomes of judged rows beside silver and quarantine as they are.

    `texts_from`: texts from before that moment are over their retention.
    """
    quarantine = _shards(lake, tasks, QUARANTINE.name, [{"entity": contract.entity}])
    table = contract.table
    if contract is FEEDBACK:
        resolved = resolve_texts(
            tasks,
            judged.parcels,
            _shards(lake, tasks, table.name, None),
            quarantine,
            batch,
            buckets=layout.buckets,
            texts_from=texts_from,
        )
        return _with_rescued(tasks, resolved, batch)
    if contract is not SESSIONS:
        existing = _shards(lake, tasks, table.name, None)
        resolved = resolve_catalogue(tasks, judged.parcels, table, existing, quarantine, batch)
        return _with_rescued(tasks, resolved, batch)
    around: list[Partition] = [{"event_month": month} for month in months_around(judged)]
    existing = _shards(lake, tasks, table.name, around, _COMPARED) if around else []
    resolved = resolve_events(
        tasks,
        judged.parcels,
        existing,
        quarantine,
        batch,
        buckets=layout.buckets,
        staged_by_bucket=layout.staged_by_bucket,
    )
    return _with_rescued(tasks, resolved, batch)


def _with_rescued(tasks: Tasks, resolved: Resolved, batch: BatchFiles) -> Resolved:
    """Fields that the contract doesn't know, written as well; those of replayed rows stay as they were."""
    if batch.replay:
        return resolved
    return replace(resolved, written=(*resolved.written, *write_rescued(tasks, resolved.rescued, batch)))


def months_around(judged: JudgedRows) -> list[date]:
    """The months from the one before the first event to the one after the last: sessions cross borders."""
    stats = judged.of_all
    if stats.first_month is None or stats.last_month is None:
        return []
    first, last = (_number(date.fromisoformat(month)) for month in (stats.first_month, stats.last_month))
    return [date(number // 12, number % 12 + 1, 1) for number in range(first - 1, last + 2)]


def _number(month: date) -> int:
    return month.year * 12 + month.month - 1


def _shards(
    lake: Lake,
    tasks: Tasks,
    table: str,
    partitions: Sequence[Partition] | None,
    columns: Iterable[str] | None = None,
) -> list[Shard]:
    if not lake.exists(table):
        return []
    return lake.shards(table, tasks, partitions, None if columns is None else tuple(columns))
