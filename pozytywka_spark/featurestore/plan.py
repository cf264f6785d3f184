"""How a view's keys go through tasks: what is run on what, for loading and for verifying alike."""

from __future__ import annotations

from collections.abc import Iterable

from pozytywka_spark.config import Settings
from pozytywka_spark.featurestore.codec import Schema
from pozytywka_spark.featurestore.lake_side import Files, files_of, reading_of
from pozytywka_spark.featurestore.materialize_work import (
    CHANGED,
    ROWS,
    WINNERS,
    Chosen,
    Job,
    Slice,
    Source,
    Whole,
)
from pozytywka_spark.featurestore.rows import known_micros, month_known, needed
from pozytywka_spark.featurestore.slices import number_of_slices
from pozytywka_spark.featurestore.state import TableNow
from pozytywka_spark.featurestore.target import Target
from pozytywka_spark.featurestore.views import View
from pozytywka_spark.lake.api import Lake
from pozytywka_spark.lake.shards import Parcel
from pozytywka_spark.lake.tasks import Done, Tasks

NOTHING = Files((), None)


def job_of(
    settings: Settings,
    view: View,
    now: TableNow,
    target: Target,
    files: Files = NOTHING,
    *,
    full: bool = True,
) -> Job:
    """What the tasks of a view share."""
    return Job(
        view,
        schema_of_view(view),
        reading_of(settings, now, files.last_month),
        now.version,
        target,
        number_of_slices(files.rows),
        full=full,
        numeric=view.entity == "user",
    )


def schema_of_view(view: View) -> Schema:
    """What a value of it holds."""
    return Schema(view.name, view.names, view.dtype)


def slices_of(gathered: Done) -> list[Slice]:
    """The parcels of each slice together."""
    rows, changed = _by_slice(gathered.of(ROWS)), _by_slice(gathered.of(CHANGED))
    numbers = sorted({*rows, *changed})
    return [Slice(n, tuple(rows.get(n, ())), tuple(changed.get(n, ()))) for n in numbers]


def _by_slice(parcels: Iterable[Parcel]) -> dict[int, list[Parcel]]:
    found: dict[int, list[Parcel]] = {}
    for parcel in parcels:
        found.setdefault(int(parcel.key[0]), []).append(parcel)
    return found


def chosen_files(lake: Lake, tasks: Tasks, job: Job, now: TableNow, settled: Done) -> list[Chosen]:
    """The files of a wide view that hold newest rows, with the keys that they may hold."""
    mine = (parcel for parcel in settled.of(WINNERS) if parcel.key[1] == job.view.name)
    winners = _by_slice(mine)  # by moment, that is
    if not winners:
        return []
    delay = job.reading.delay_hours
    months = [month_known(moment, delay) for moment in sorted(winners)]
    files = files_of(lake, tasks, job.view, now, needed(job.view), months).files
    moments = [known_micros(job.view, file.partition["month"], delay) for file in files]
    return [Chosen(file, tuple(winners[each])) for file, each in zip(files, moments, strict=True)]


def size_of(item: Source | Slice | Whole) -> int:
    """Bytes, for packing into tasks."""
    return max(1, item.size)


def size_of_chosen(one: Chosen) -> int:
    """Bytes, for packing into tasks."""
    return one.file.size


def name_of(item: Source | Slice | Whole | Chosen) -> str:
    """For errors."""
    if isinstance(item, Whole):
        return f"keys of view {item.job.view.name}"
    if isinstance(item, Slice):
        return f"slice {item.number} of its keys"
    return item.name if isinstance(item, Source) else item.file.place
