"""What a build or a decision reads of the lake: pinned versions, and parcels of each group's rows."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from hashlib import sha256
from pathlib import Path

from pozytywka_spark.config import Settings
from pozytywka_spark.errors import DataError, UsageError
from pozytywka_spark.factory.gather_work import BASE, PAST, SIGNALS, WANTED, ReadCases, ReadSignals
from pozytywka_spark.factory.labels import Said
from pozytywka_spark.hashing.fingerprints import fingerprint_of
from pozytywka_spark.lake.api import Lake
from pozytywka_spark.lake.data_files import data_files
from pozytywka_spark.lake.event_days import INGEST, recorded_span
from pozytywka_spark.lake.shards import DataFile, Parcel
from pozytywka_spark.lake.tasks import Tasks
from pozytywka_spark.months import as_micros

_KEYS = ("user_id", "day", "month", "user_bucket")
NEVER = 2**62  # after all times
READ = ("cases", "signals", "rings", "verdicts", "fouls")


@dataclass(frozen=True)
class Group:
    """A group's parcels: `rows` of a labelled table, or `base` and `signals` of the lake's."""

    name: str
    cases: int
    rows: tuple[Parcel, ...] = ()
    base: tuple[Parcel, ...] = ()
    signals: tuple[Parcel, ...] = ()

    @property
    def size(self) -> int:
        """What its work weighs: fitting takes far longer than reading."""
        return 64 * sum(parcel.size for parcel in (*self.rows, *self.base, *self.signals)) + 1


def is_too_big(group: Group, names: Sequence[str], max_cells: int) -> bool:
    """Whether a task that has all of a group's cases would hold more than so many rows times features."""
    return group.cases * max(1, len(names)) > max_cells


@dataclass(frozen=True)
class Gathered:
    """All groups; `names`: the features of a labelled table or the signals; `past`: parcels of delays; of a
    table the time of its `latest` case, and whether it has second looks.
    """

    groups: tuple[Group, ...]
    names: tuple[str, ...]
    past: tuple[Parcel, ...]
    latest: datetime | None = None
    has_looks: bool = False


def data_end(settings: Settings, lake: Lake) -> datetime:
    """The end of the data, which stands for "now". Raises `UsageError` where nothing says it."""
    span = recorded_span(lake, settings.data, INGEST)
    if span is not None:
        return span.end
    if settings.data.end is not None:
        return settings.data.end
    raise UsageError("the lake doesn't say where its data end: run the ingest job, or give --at or --until")


def files_with_rows(lake: Lake, tasks: Tasks, table: str) -> tuple[DataFile, ...]:
    """A table's files but for those without rows, which say nothing of the columns' types."""
    return tuple(file for file in data_files(lake, tasks, table) if file.rows)


def signal_names(lake: Lake) -> tuple[str, ...]:
    """The signals of the lake's table, in its order."""
    schema = lake.schema("signals")
    return tuple(name for name in schema.names if name not in _KEYS) if schema is not None else ()


def catalogue_of(names: Sequence[str]) -> str:
    """Names the features that a model was built with."""
    return fingerprint_of(sorted(names))


def versions(lake: Lake) -> dict[str, int]:
    """The versions of what is read, of tables that are there."""
    return {name: lake.version(name) for name in READ if lake.exists(name)}


def digest_of_file(path: str) -> str:
    """SHA-256 of a file. Raises `DataError` if it isn't there."""
    try:
        with Path(path).open("rb") as file:
            whole = sha256()
            while piece := file.read(1 << 20):
                whole.update(piece)
    except OSError as error:
        raise DataError(f"--from {path}: can't be read: {error.strerror}") from None
    return whole.hexdigest()


def gather_lake(
    lake: Lake,
    tasks: Tasks,
    at: datetime,
    *,
    group: str | None,
    labelled: bool,
    since: datetime | None = None,
    live: Sequence[tuple[str, datetime, datetime | None]] = (),
    build_id: str = "",
) -> Gathered:
    """Of the lake's tables (`live`, `build_id` as in `labels.Said`).

    Raises `DataError` without cases, `UsageError` if there is no such group.
    """
    if not lake.exists("cases"):
        raise DataError(f"table cases is not in {lake.root}: run fraud scan first")

    def files(table: str) -> tuple[DataFile, ...]:
        return files_with_rows(lake, tasks, table)

    said = Said(
        verdicts=files("verdicts"),
        fouls=files("fouls"),
        rings=files("rings"),
        decisions=files("decisions"),
        second_looks=files("second_looks"),
        at=as_micros(at),
        live=tuple(
            (name, as_micros(begin), NEVER if end is None else as_micros(end)) for name, begin, end in live
        ),
        build_id=build_id,
    )
    work = ReadCases(said, group, labelled, 0 if since is None else as_micros(since))
    done = tasks.run(files("cases"), work, weight=lambda file: file.size, named=lambda file: file.place)
    counts: dict[str, int] = {}
    for line in done.results:
        for name, cases in line["groups"].items():
            counts[name] = counts.get(name, 0) + cases
    base = by_group(done.of(BASE))
    groups = [Group(name, cases, base=base.get(name, ())) for name, cases in sorted(counts.items())]
    refuse_unknown(group if labelled else None, groups)
    names = signal_names(lake)
    if names and done.of(WANTED):
        months = {month for line in done.results for month in line["months"]}
        shards = [
            each for each in lake.shards("signals", tasks) if f"{each.partition['month']:%Y-%m}" in months
        ]
        read = tasks.run(
            shards,
            ReadSignals(tuple(done.of(WANTED)), names),
            weight=lambda shard: shard.size,
            named=lambda shard: f"signals {dict(shard.partition)}",
        )
        signals = by_group(read.of(SIGNALS))
        groups = [replace(each, signals=signals.get(each.name, ())) for each in groups]
    return Gathered(tuple(groups), names, tuple(done.of(PAST)))


def by_group(parcels: Sequence[Parcel]) -> Mapping[str, tuple[Parcel, ...]]:
    """Parcels whose key is a group's name."""
    found: dict[str, list[Parcel]] = {}
    for parcel in parcels:
        found.setdefault(str(parcel.key[0]), []).append(parcel)
    return {name: tuple(each) for name, each in found.items()}


def refuse_unknown(group: str | None, groups: Sequence[Group]) -> None:
    """Raises `UsageError` for a group that no case is of."""
    if group is not None and group not in {each.name for each in groups}:
        raise UsageError(f"--group {group}: no case with a verdict is of such a group")
