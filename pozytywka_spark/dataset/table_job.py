"""The training table from the lake: two jobs over files, one that counts and one that puts rows down."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import date
from typing import Any

from pozytywka_spark.config import Settings
from pozytywka_spark.dataset import table_counts
from pozytywka_spark.dataset.load_table import StagedTable
from pozytywka_spark.dataset.prepare import (
    FEATURES,
    LABELS,
    Pinned,
    Planned,
    Prepared,
    name_inputs,
    plan_months,
    share_in_memory,
    whole_only,
)
from pozytywka_spark.dataset.questions import Asked
from pozytywka_spark.dataset.table import SIDES
from pozytywka_spark.dataset.table_counts import CountCities, CountLabels, counted, counted_cities
from pozytywka_spark.dataset.table_guards import check_table, content_of
from pozytywka_spark.dataset.table_tasks import TableTasks
from pozytywka_spark.dataset.table_work import ROWS, MonthRows, MonthTable
from pozytywka_spark.lake.api import Lake
from pozytywka_spark.lake.shards import DataFile, Parcel
from pozytywka_spark.lake.tasks import TaskFiles, Tasks

USERS = "users"


@dataclass(frozen=True)
class Laid:
    """A training table that is there to be asked, and what is known of it."""

    plan: Planned
    prepared: Prepared
    asked: Asked


@contextmanager
def training_table(pinned: Pinned, settings: Settings, lake: Lake) -> Iterator[Laid]:
    """The table, put down and guarded, as long as the block lasts.

    Raises `DataError` for rows that can't be trained on, `GuardError` for rows that mustn't be.
    """
    with lake.tasks() as tasks:
        plan = plan_rows(pinned, settings, lake, tasks)
        prepared, staged = put_down(plan, settings, lake, tasks)
        small = settings.training.small_table_mb << 20
        yield Laid(plan, prepared, TableTasks(tasks, staged, small_bytes=small))


@contextmanager
def table_to_ask(pinned: Pinned, settings: Settings, lake: Lake) -> Iterator[Asked]:
    """`training_table` for who knows all the rest."""
    with training_table(pinned, settings, lake) as laid:
        yield laid.asked


def plan_rows(pinned: Pinned, settings: Settings, lake: Lake, tasks: Tasks) -> Planned:
    """Plan the split. Raises `DataError` for one that can't be trained on."""
    label, whole = settings.label.column, whole_only(pinned, settings)
    columns = ["user_id", "month", "cut_off", "horizon_end", "mature", label]
    files = _files(LABELS, [*columns, *(["complete"] if pinned.complete else [])], pinned, lake, tasks)
    done = tasks.run(
        files, CountLabels(label, whole), weight=lambda file: file.size, named=lambda file: file.place
    )
    counts = counted(done.results)
    return plan_months(pinned, counts.counts, counts.left_out, settings)


def put_down(plan: Planned, settings: Settings, lake: Lake, tasks: Tasks) -> tuple[Prepared, StagedTable]:
    """Put the table down, and name all that decides the model. Raises `GuardError`."""
    pinned, label = plan.pinned, settings.label.column
    share = share_in_memory(plan, settings)
    work = PutDown(MonthTable(pinned.order, label, whole_only(pinned, settings), share), CountCities(share))
    items: list[MonthRows | DataFile] = [*_months(plan, settings, lake, tasks)]
    if USERS in pinned.versions:
        items += _files(USERS, ["user_id", "city"], pinned, lake, tasks)
    done = tasks.run(items, work, weight=lambda item: item.size, named=_named)
    of_months = [facts for facts in done.results if "month" in facts]
    check_table(of_months, plan.counts, plan.split)
    users: tuple[Parcel, ...] | None = None
    if USERS in pinned.versions:
        users = tuple(done.of(table_counts.USERS))
    cities = counted_cities([facts for facts in done.results if "cities" in facts])
    staged = StagedTable(pinned.order, tuple(done.of(ROWS)), users, cities)
    return name_inputs(plan, content_of(of_months, pinned.order), settings, share), staged


@dataclass(frozen=True)
class PutDown:
    """Work on months of the table and on files of `users`, each by its own."""

    months: MonthTable
    users: CountCities

    def __call__(self, items: Sequence[MonthRows | DataFile], files: TaskFiles) -> Iterator[dict[str, Any]]:
        """What either tells."""
        yield from self.months([item for item in items if isinstance(item, MonthRows)], files)
        yield from self.users([item for item in items if isinstance(item, DataFile)], files)


def _named(item: MonthRows | DataFile) -> str:
    return f"training rows of {item.month:%Y-%m}" if isinstance(item, MonthRows) else item.place


def _files(name: str, columns: list[str], pinned: Pinned, lake: Lake, tasks: Tasks) -> list[DataFile]:
    shards = lake.shards(name, tasks, columns=columns, version=pinned.versions.get(name))
    return [file for shard in shards for file in shard.files]


def _months(plan: Planned, settings: Settings, lake: Lake, tasks: Tasks) -> list[MonthRows]:
    """The split's months, each with its files."""
    pinned = plan.pinned
    sides = {month: SIDES.index(side) for side, months in plan.split.sides.items() for month in months}
    columns = ["user_id", "month", "cut_off", "horizon_end", "mature", settings.label.column]
    needed_months = {
        LABELS: [*columns, *(["complete"] if pinned.complete else [])],
        FEATURES: ["user_id", "month", *pinned.order],
    }
    files: dict[str, dict[date, tuple[DataFile, ...]]] = {}
    for name, parts in needed_months.items():
        partitions = [{"month": month} for month in sides]
        shards = lake.shards(name, tasks, partitions, parts, version=pinned.versions.get(name))
        files[name] = {shard.partition["month"]: shard.files for shard in shards}
    return [
        MonthRows(month, side, files[LABELS][month], files[FEATURES].get(month, ()))
        for month, side in sides.items()
        if month in files[LABELS]
    ]
