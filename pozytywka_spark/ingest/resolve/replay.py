"""Quarantined rows get another chance: under today's rules, and beside what has arrived since."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime

from pozytywka_spark.ingest.intake import ingest_log
from pozytywka_spark.ingest.intake.contracts import CONTRACTS, SESSIONS, Contract
from pozytywka_spark.ingest.outcomes import QUARANTINED, UNRESOLVED
from pozytywka_spark.ingest.resolve.commit_batch import write_silver
from pozytywka_spark.ingest.resolve.existing_rows import Layout, resolve_beside_held
from pozytywka_spark.ingest.resolve.missing_rows import losses_of
from pozytywka_spark.ingest.resolve.rejected import BatchStamp, StillQuarantined
from pozytywka_spark.ingest.resolve.resolve_rows import BatchFiles
from pozytywka_spark.ingest.validate.line_work import ReplayWork
from pozytywka_spark.ingest.validate.pass_one import judged_rows
from pozytywka_spark.ingest.validate.rules.verdict import Judging
from pozytywka_spark.lake.api import Lake
from pozytywka_spark.lake.layout import buckets_of
from pozytywka_spark.lake.shards import DataFile, Parcel
from pozytywka_spark.lake.tasks import Result, TaskFiles, Tasks
from pozytywka_spark.schemas import QUARANTINE

_NEVER = datetime(1970, 1, 1)  # when the files of replayed rows were modified: it decides nothing


@dataclass(frozen=True)
class Tried:
    """Which of an entity's rows are tried: those of `reasons` (none given: any), but not of `but_of`."""

    reasons: tuple[str, ...] = ()
    but_of: int | None = None


def replay_stream(entity: str) -> str:
    """The name under which replayed rows stand in `ingest_counts`."""
    return f"{entity}-replay"


def replay_all(lake: Lake, ingest_id: int, judging: Judging) -> int:
    """Try every quarantined row again; the number that left quarantine."""
    return sum(replay(lake, contract, ingest_id, judging, Tried()) for contract in CONTRACTS)


def second_chance(lake: Lake, ingest_id: int, judging: Judging) -> int:
    """Try events again that earlier batches couldn't complete: their sessions may have grown."""
    batches = {
        (row["stream"], row["batch"])
        for row in ingest_log.counts_of(lake, ingest_id)
        if row["entity"] == SESSIONS.entity
    }
    # the rows of a lone batch were judged beside all that there is
    but_of = ingest_id if len(batches) == 1 else None
    return replay(lake, SESSIONS, ingest_id, judging, Tried(UNRESOLVED, but_of))


def replay(lake: Lake, contract: Contract, ingest_id: int, judging: Judging, tried: Tried) -> int:
    """Judge an entity's quarantined rows anew and move those that pass; the number that left quarantine.

    Silver is written before quarantine: cut short in between, a row is in both, and the next replay
    finds it a duplicate and takes it out.
    """
    if not lake.exists(QUARANTINE.name):
        return 0
    with lake.tasks() as tasks:
        files = quarantined(lake, tasks, contract)
        paths, buckets = _sources(tasks, files), buckets_of(lake)
        work = ReplayWork(contract.entity, judging, buckets, paths, losses_of, tried.reasons, tried.but_of)
        done = tasks.run(files, work, weight=lambda file: file.size, named=named_file)
        judged = judged_rows(done, work.paths)
        if not judged.rows:
            return 0
        stamp = BatchStamp(contract.entity, replay_stream(contract.entity), ingest_id, ingest_id)
        batch = BatchFiles(stamp, tuple((_NEVER, path) for path in work.paths), replay=True)
        resolved = resolve_beside_held(lake, tasks, contract, judged, batch, Layout(work.buckets))
        counts = [row for row in resolved.counts if row["outcome"] != QUARANTINED]
        moved = sum(int(row["rows"]) for row in counts)
        if moved:
            ingest_log.add_counts(lake, contract.entity, ingest_id, stamp.stream, counts)
            write_silver(lake, contract, resolved, None)
            _take_out(lake, tasks, contract, files, resolved.left)
        return moved


def quarantined(lake: Lake, tasks: Tasks, contract: Contract) -> list[DataFile]:
    """The files of quarantine that hold an entity's rows."""
    shards = lake.shards(QUARANTINE.name, tasks, partitions=[{"entity": contract.entity}])
    return [file for shard in shards for file in shard.files]


def named_file(file: DataFile) -> str:
    """A file of quarantine in words."""
    return f"quarantine, {file.path}"


def sources_of(files: Sequence[DataFile], reader: TaskFiles) -> Iterator[Result]:
    """Work that tells of which raw files the rows of quarantine are."""
    for file in files:
        paths = reader.read([file], ["source_file"]).get_column("source_file").unique()
        yield {"paths": sorted(paths.to_list())}


def _sources(tasks: Tasks, files: Sequence[DataFile]) -> tuple[str, ...]:
    results = tasks.run(files, sources_of, weight=lambda file: file.size, named=named_file).results
    return tuple(sorted({path for facts in results for path in facts["paths"]}))


def _take_out(
    lake: Lake, tasks: Tasks, contract: Contract, files: Sequence[DataFile], left: Sequence[Parcel]
) -> None:
    # where Spark put a partition's rows down in several files, they are replaced together: all are written
    together = len({file.path for file in files}) < len(files)
    work = StillQuarantined(contract.entity, tuple(left), whole=together)
    done = tasks.run(files, work, weight=lambda file: file.size, named=named_file)
    changed = {facts["path"] for facts in done.results if facts["changed"]}
    gone = [file for file in files if file.path in changed]
    lake.rewrite(QUARANTINE, gone, list(done.written))
