"""Resolve a batch's judged rows: planned on the driver, done by tasks, the same for a replay.

Pass one has put down what lines mean (see `staged`). Here events that lack something are repaired, beside
their sessions; then each month and bucket of events, each slice of a catalogue and of the rejected lines
is held beside what the table holds, and what is new is written. Nothing is committed.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import date, datetime
from typing import Any

from pozytywka_spark.hashing.slices import slices_for
from pozytywka_spark.ingest.outcomes import summed
from pozytywka_spark.ingest.parcels import (
    COMPLETE,
    INCOMPLETE,
    LEFT,
    LOST,
    NEEDY,
    REJECTED,
    RESCUED,
    ROWS,
    SESSION,
)
from pozytywka_spark.ingest.quality.key_parcels import key_slices
from pozytywka_spark.ingest.resolve.event_counts import CountedFiles, counted_files
from pozytywka_spark.ingest.resolve.new_events import EventShard, NewEvents
from pozytywka_spark.ingest.resolve.new_rows import NewRows, RowSlice
from pozytywka_spark.ingest.resolve.new_texts import NewTexts
from pozytywka_spark.ingest.resolve.older_missing_rows import OlderLosses
from pozytywka_spark.ingest.resolve.regroup import Gather, SessionSlice
from pozytywka_spark.ingest.resolve.rejected import HEX, BatchStamp, NewRejected, RejectedSlice
from pozytywka_spark.ingest.resolve.repair_work import Repair, Tally, grammar_of
from pozytywka_spark.lake.shards import DataFile, Parcel, Shard, Written
from pozytywka_spark.lake.tasks import Done, Tasks
from pozytywka_spark.schemas import Table

# So many rows prove what there is to prove; of more, whole sessions are looked at until there are as many.
EVIDENCE_ROWS = 400_000
# Rows of sessions in need that a task looks at together, of catalogues, and of rejected lines with their text
_SESSION_ROWS, _CATALOGUE_ROWS, _REJECTED_ROWS = 500_000, 500_000, 200_000
_TEXT_BYTES = 128 << 20  # of texts a task holds no more at once, as they are put down
_WORTH_A_TASK = 50_000
# An incomplete row brings about so many others of its session with it
_SESSION = 50


@dataclass(frozen=True)
class BatchFiles:
    """A batch, or a replay: its stamp, and its files: when each was modified and its plain path.

    `sources` are in the order of `source` in parcels, which is that of the paths. `replay`: the rows come
    from quarantine.
    """

    stamp: BatchStamp
    sources: tuple[tuple[datetime, str], ...]
    replay: bool = False

    @property
    def paths(self) -> tuple[str, ...]:
        """The plain paths of its files."""
        return tuple(path for _, path in self.sources)


@dataclass(frozen=True)
class Resolved:
    """What became of a batch: counts (outcome, reason, event_month, rows), files written, parcels put down.

    `written`: data files of the entity's table and of quarantine, which no commit names yet. `replaces`:
    whether texts among them take the place of others. `rescued` and `left`: parcels of RESCUED and
    LEFT. `counted`: of events, what the checks needn't count again.
    """

    counts: list[dict[str, Any]]
    written: tuple[Written, ...]
    rescued: tuple[Parcel, ...]
    left: tuple[Parcel, ...]
    counted: CountedFiles | None = None
    replaces: bool = False


def resolve_events(
    tasks: Tasks,
    staged: Sequence[Parcel],
    existing: Sequence[Shard],
    quarantine: Sequence[Shard],
    batch: BatchFiles,
    *,
    buckets: int,
    staged_by_bucket: bool = True,
) -> Resolved:
    """Outcomes of session rows, from pass one's parcels.

    `existing`: shards of `events`, of the months that the batch touches and their neighbours; `quarantine`:
    the shards of its session rows. `buckets`: of the table; where parcels were put down by others,
    `staged_by_bucket` is false.
    """
    repaired: tuple[Done, ...] = ()
    if _of(staged, INCOMPLETE):
        repaired = _repair(tasks, staged, existing, quarantine, batch, buckets)
    parcels = [*staged, *(parcel for done in repaired for parcel in done.parcels)]
    shards = _event_shards(_of(parcels, COMPLETE), existing, buckets, staged_by_bucket)
    slices = (
        None
        if batch.replay
        else key_slices(_rows(_of(parcels, COMPLETE)) + sum(one.rows for one in existing))
    )
    new = tasks.run(
        shards,
        NewEvents(buckets, staged_by_bucket, slices=slices),
        weight=lambda shard: shard.size,
        named=lambda shard: f"events of {shard.month}, bucket {shard.bucket}",
    )
    counted = counted_files(new, shards, slices) if slices else None
    rejected = _rejected(tasks, _of(parcels, REJECTED), quarantine, batch)
    return replace(_resolved([*repaired, new, rejected]), counted=counted)


def resolve_catalogue(
    tasks: Tasks,
    staged: Sequence[Parcel],
    table: Table,
    existing: Sequence[Shard],
    quarantine: Sequence[Shard],
    batch: BatchFiles,
) -> Resolved:
    """Outcomes of catalogue rows, from pass one's parcels; `existing`: all shards of the table."""
    rows, files = _of(staged, ROWS), _files(existing)
    parts = slices_for(_rows(rows), _CATALOGUE_ROWS)
    new = tasks.run(
        [RowSlice(rows, files, part, parts) for part in range(parts)] if rows else [],
        NewRows(table, batch.sources, replaces=not batch.replay),
        weight=lambda one: one.size,
        named=lambda one: f"slice {one.part + 1} of {one.parts} of {table.name}",
    )
    return _resolved([new, _rejected(tasks, _of(staged, REJECTED), quarantine, batch)])


def resolve_texts(
    tasks: Tasks,
    staged: Sequence[Parcel],
    existing: Sequence[Shard],
    quarantine: Sequence[Shard],
    batch: BatchFiles,
    *,
    buckets: int,
    texts_from: datetime | None,
) -> Resolved:
    """Outcomes of texts, from pass one's parcels; `existing`: all shards of the table `feedback`.

    `buckets` of users; `texts_from`: see `NewTexts`.
    """
    rows, files = _of(staged, ROWS), _files(existing)
    size = sum(parcel.size for parcel in rows)
    parts = max(slices_for(_rows(rows), _CATALOGUE_ROWS), slices_for(size, _TEXT_BYTES))
    new = tasks.run(
        [RowSlice(rows, files, part, parts) for part in range(parts)] if rows else [],
        NewTexts(batch.sources, buckets, texts_from, replaces=not batch.replay),
        weight=lambda one: one.size,
        named=lambda one: f"slice {one.part + 1} of {one.parts} of feedback",
    )
    resolved = _resolved([new, _rejected(tasks, _of(staged, REJECTED), quarantine, batch)])
    return replace(resolved, replaces=any(facts["replaced"] for facts in new.results))


def _rejected(
    tasks: Tasks, rejected: tuple[Parcel, ...], quarantine: Sequence[Shard], batch: BatchFiles
) -> Done:
    """Rejected rows of a batch are put into quarantine; those of a replay are there, and stay."""
    if not rejected or batch.replay:
        return Done((), (), ())
    prefixes = HEX if _rows(rejected) > _REJECTED_ROWS else ("",)
    return tasks.run(
        [RejectedSlice(rejected, _files(quarantine), prefix) for prefix in prefixes],
        NewRejected(batch.stamp, batch.paths),
        weight=lambda part: part.size,
        named=lambda part: f"rejected {batch.stamp.entity} of line ids {part.prefix}*",
    )


def _repair(
    tasks: Tasks,
    staged: Sequence[Parcel],
    existing: Sequence[Shard],
    quarantine: Sequence[Shard],
    batch: BatchFiles,
    buckets: int,
) -> tuple[Done, ...]:
    """Sessions with rows that lack something, brought together and repaired."""
    incomplete, complete, files = _of(staged, INCOMPLETE), _of(staged, COMPLETE), _files(existing)
    lost = (*_of(staged, LOST), *_older_losses(tasks, staged, quarantine, batch))
    ours, before = _rows(complete) + _rows(incomplete), sum(file.rows for file in files)
    shares = 1 << max(0, (max(ours, before) - 1) // EVIDENCE_ROWS).bit_length()
    looked_at = min(ours + before, _rows(incomplete) * _SESSION + (ours + before) // shares)
    lying: list[Parcel | DataFile] = [*incomplete, *complete, *files]
    gathered = tasks.run(
        lying,
        Gather(incomplete, _slices(looked_at, tasks.slots), shares),
        weight=lambda one: one.size,
        named=lambda one: one.place,
    )
    slices = _session_slices(gathered)
    shown = tasks.run(
        slices, Tally(shares, lost, batch.paths), weight=lambda one: one.rows, named=_name_of_slice
    )
    repaired = tasks.run(
        slices,
        Repair(grammar_of(shown.results), lost, batch.paths, buckets, replay=batch.replay),
        weight=lambda one: sum(parcel.rows for parcel in one.needy),
        named=_name_of_slice,
    )
    return (repaired,)


def _slices(rows: int, slots: int) -> int:
    """As few slices as memory allows, but work for all slots where it is worth a task."""
    return max(slices_for(rows, _SESSION_ROWS), min(slots, slices_for(rows, _WORTH_A_TASK)))


def _older_losses(
    tasks: Tasks, staged: Sequence[Parcel], quarantine: Sequence[Shard], batch: BatchFiles
) -> tuple[Parcel, ...]:
    """LOST of what quarantine held before and doesn't come again."""
    kinds = (COMPLETE, INCOMPLETE, REJECTED) if batch.replay else (INCOMPLETE, REJECTED)
    again = tuple(parcel for parcel in staged if parcel.kind in kinds)
    results = tasks.run(
        _files(quarantine),
        OlderLosses(batch.stamp, again),
        weight=lambda file: file.size,
        named=lambda file: file.place,
    )
    return tuple(results.of(LOST))


def _session_slices(gathered: Done) -> list[SessionSlice]:
    around: dict[Any, list[Parcel]] = defaultdict(list)
    needy: dict[Any, list[Parcel]] = defaultdict(list)
    for kind, parcels in ((SESSION, around), (NEEDY, needy)):
        for parcel in gathered.of(kind):
            parcels[parcel.key[0]].append(parcel)
    numbers = sorted(around.keys() | needy.keys())
    return [SessionSlice(int(n), tuple(around[n]), tuple(needy[n])) for n in numbers]


def _event_shards(
    complete: Sequence[Parcel], existing: Sequence[Shard], buckets: int, staged_by_bucket: bool
) -> list[EventShard]:
    """One shard for each month and bucket that rows were put down for."""
    files = {
        (shard.partition["event_month"], shard.partition["user_bucket"]): shard.files for shard in existing
    }
    by_shard: dict[tuple[date, int], list[Parcel]] = defaultdict(list)
    for parcel in complete:
        month, bucket = date.fromisoformat(str(parcel.key[0])), int(parcel.key[1])
        for mine in (bucket,) if staged_by_bucket else range(buckets):
            by_shard[month, mine].append(parcel)
    return [
        EventShard(month, bucket, tuple(parcels), files.get((month, bucket), ()))
        for (month, bucket), parcels in sorted(by_shard.items(), key=lambda one: one[0])
    ]


def _resolved(done: Sequence[Done]) -> Resolved:
    return Resolved(
        summed(facts for one in done for facts in one.results),
        tuple(written for one in done for written in one.written),
        tuple(parcel for one in done for parcel in one.of(RESCUED)),
        tuple(parcel for one in done for parcel in one.of(LEFT)),
    )


def _of(parcels: Sequence[Parcel], kind: str) -> tuple[Parcel, ...]:
    return tuple(parcel for parcel in parcels if parcel.kind == kind)


def _files(shards: Sequence[Shard]) -> tuple[DataFile, ...]:
    return tuple(file for shard in shards for file in shard.files)


def _rows(parcels: Sequence[Parcel]) -> int:
    return sum(parcel.rows for parcel in parcels)


def _name_of_slice(one: SessionSlice) -> str:
    return f"sessions of slice {one.number}"
