"""A whole build by its kernels, without Spark: silver rows in plain Python to `user_month` and `features`."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import date
from typing import Any

import polars as pl
import pyarrow as pa

from pozytywka_spark import schemas
from pozytywka_spark.features.build.first_pass import CatalogueTables, FirstPass
from pozytywka_spark.features.build.items import REAL, MonthShard
from pozytywka_spark.features.build.lookups import lookups_of
from pozytywka_spark.features.build.parcels import (
    BOUGHT,
    FAVOURITE_GROUPS,
    LIKED,
    LISTENED,
    MEASURED,
    PLAYED,
    TRACKS,
    USERS,
)
from pozytywka_spark.features.build.plan import CataloguePlan, plan_of
from pozytywka_spark.features.build.purchases import BoughtIn
from pozytywka_spark.features.build.second_pass import MeasureMonths
from pozytywka_spark.features.build.texts import Queues, text_rows
from pozytywka_spark.features.build.user_kernel import SliceMade, SliceRows, make_slice
from pozytywka_spark.features.declared.declaration import Feature
from pozytywka_spark.lake.casting import arrow_schema
from pozytywka_spark.lake.shards import DataFile
from pozytywka_spark.lake.tasks import Done
from tests.in_memory import MemoryTasks

Rows = Sequence[Mapping[str, Any]]
QUEUES = Queues(("payment",), ("adverts",))
_GROUPS = (schemas.GENRE_GROUPS, schemas.ARTIST_GROUPS, schemas.TRACK_LANGUAGES)


def build(silver: Mapping[str, Rows], features: Sequence[Feature]) -> SliceMade:
    """All months of all users, in one slice. `silver`: rows by the tables' names, of groups and texts too."""
    tasks, plan = MemoryTasks(), plan_of(features)
    months = _months(tasks, silver["events"])
    first = _first_pass(tasks, silver, months)
    measured = _second_pass(tasks, plan, months, first)
    (tracks,) = first.of(TRACKS)
    found = {kind: measured.of(kind) for kind in (MEASURED, LISTENED, LIKED)}
    signals = silver.get("feedback_signals")
    texts = text_rows(table_rows(schemas.FEEDBACK_SIGNALS, signals), QUEUES) if signals else None
    rows = SliceRows(*(tasks.files.read(parcels) for parcels in found.values()), texts=texts)
    fond = next(iter(first.of(FAVOURITE_GROUPS)), None)
    sides = lookups_of(tracks, measured.of(PLAYED), tasks.files, grouped=plan.grouped, fond=fond)
    return make_slice(rows, sides, plan, list(months))


def table_rows(table: schemas.Table, rows: Rows) -> pl.DataFrame:
    """Rows with the table's columns and types."""
    made = pl.from_arrow(pa.Table.from_pylist([dict(row) for row in rows], arrow_schema(table.schema)))
    assert isinstance(made, pl.DataFrame)
    return made


def _months(tasks: MemoryTasks, events: Rows) -> dict[date, DataFile]:
    found = table_rows(schemas.EVENTS, events).partition_by("event_month", as_dict=True)
    return {
        month: tasks.files.put_file(
            rows.drop("event_month", "user_bucket").sort("user_id", "event_time"),
            {"event_month": month, "user_bucket": 0},
        )
        for (month,), rows in sorted(found.items())
    }


def _first_pass(tasks: MemoryTasks, silver: Mapping[str, Rows], months: Mapping[date, DataFile]) -> Done:
    tables = {
        table.name: (tasks.files.put_file(table_rows(table, silver[table.name]), {}),)
        for table in (*schemas.SILVER[:-1], *_GROUPS)
        if table.name in silver
    }
    items = [CatalogueTables(**tables), *(BoughtIn(month, 0, (file,)) for month, file in months.items())]
    return tasks.run(items, FirstPass(), weight=lambda item: item.size, named=str)


def _second_pass(
    tasks: MemoryTasks, plan: CataloguePlan, months: Mapping[date, DataFile], first: Done
) -> Done:
    (tracks,), (users,) = first.of(TRACKS), first.of(USERS)
    work = MeasureMonths(plan, tracks, users, {REAL: tuple(first.of(BOUGHT))})
    items = [MonthShard((REAL,), month, 0, (file,)) for month, file in months.items()]
    return tasks.run(items, work, weight=lambda item: item.size, named=lambda item: f"{item.month}")
