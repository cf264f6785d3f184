"""Reads and counts what the page shows."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from pathlib import Path

import polars as pl

from pozytywka_spark.config import Settings
from pozytywka_spark.errors import DataError
from pozytywka_spark.feedback.champion import champion
from pozytywka_spark.feedback.page import PAGE, Shown, render
from pozytywka_spark.feedback.report_work import (
    COUNTS,
    EXAMPLES,
    EXAMPLES_EACH,
    PURCHASES,
    TEXTS,
    USERS,
    CountAnswers,
    Part,
    Slice,
    SliceRows,
    summed,
)
from pozytywka_spark.hashing.slices import slices_for
from pozytywka_spark.lake.api import Lake
from pozytywka_spark.lake.data_files import data_files
from pozytywka_spark.lake.shards import DataFile, Parcel
from pozytywka_spark.lake.tasks import Done, Tasks
from pozytywka_spark.reports.files import write_page
from pozytywka_spark.schemas import FEEDBACK, FEEDBACK_SIGNALS, FIRST_PURCHASES
from pozytywka_spark.schemas import USERS as USERS_TABLE

_ROWS = 2_000_000  # of texts and users in one slice


def write_report(settings: Settings, lake: Lake) -> Path:
    """The page of signals as they are. Raises `DataError` without any, `TrackingError` without a model."""
    if not lake.exists(FEEDBACK_SIGNALS.name):
        raise DataError(f"table {FEEDBACK_SIGNALS.name} is not in {lake.root}: run feedback score first")
    model = champion(settings)
    with lake.tasks() as tasks:
        parts = _parts(lake, tasks)
        rows = sum(file.rows for part in parts for file in part.files)
        slices = slices_for(rows, _ROWS)
        sliced = tasks.run(
            parts, SliceRows(slices), weight=lambda part: part.size, named=lambda part: part.files[0].place
        )
        counted = _counted(tasks, sliced, slices)
        if not counted.of(COUNTS):
            raise DataError(f"table {FEEDBACK_SIGNALS.name} has no text: run feedback score")
        counts = summed(tasks.fetch(counted.of(COUNTS)))
        examples = _examples(tasks, sliced.of(EXAMPLES))
    return write_page(settings, PAGE, render(Shown(counts, examples, model, settings.feedback.languages)))


def _parts(lake: Lake, tasks: Tasks) -> list[Part]:
    signals: defaultdict[str, list[DataFile]] = defaultdict(list)
    for shard in lake.shards(FEEDBACK_SIGNALS.name, tasks):
        signals[str(sorted(shard.partition.items()))] += shard.files
    texts = [
        Part(TEXTS, shard.files, tuple(signals[str(sorted(shard.partition.items()))]))
        for shard in lake.shards(FEEDBACK.name, tasks)
    ]
    users = [Part(USERS, (file,)) for file in data_files(lake, tasks, USERS_TABLE.name, ["user_id", "city"])]
    columns = ["user_id", "purchased_at"]
    purchases = [Part(PURCHASES, (file,)) for file in data_files(lake, tasks, FIRST_PURCHASES.name, columns)]
    return [*texts, *users, *purchases]


def _counted(tasks: Tasks, sliced: Done, slices: int) -> Done:
    by_slice: defaultdict[int, list[Parcel]] = defaultdict(list)
    for parcel in sliced.parcels:
        if parcel.kind != EXAMPLES:
            by_slice[int(parcel.key[0])].append(parcel)
    return tasks.run(
        [Slice(number, tuple(by_slice[number])) for number in range(slices)],
        CountAnswers(),
        weight=lambda one: one.size,
        named=lambda one: f"answers of slice {one.number} of users",
    )


def _examples(tasks: Tasks, parcels: Sequence[Parcel]) -> pl.DataFrame:
    if not parcels:
        return pl.DataFrame(schema={"queue": pl.String(), "language": pl.String(), "text": pl.String()})
    ordered = tasks.fetch(parcels).sort("queue", "order", "text")
    return ordered.group_by("queue", maintain_order=True).head(EXAMPLES_EACH).drop("order")
