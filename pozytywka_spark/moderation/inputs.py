"""The tables that moderation reads, as files for its tasks; those that aren't there have none."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import cast

import polars as pl

from pozytywka_spark import schemas
from pozytywka_spark.errors import DataError
from pozytywka_spark.hashing.slices import slices_for
from pozytywka_spark.lake.api import Lake, Partition
from pozytywka_spark.lake.data_files import data_files
from pozytywka_spark.lake.tasks import Tasks
from pozytywka_spark.moderation import rows
from pozytywka_spark.moderation.decided import Decided
from pozytywka_spark.moderation.rows import NEVER, ROWS_AT_ONCE, Files
from pozytywka_spark.months import as_micros


def files_of(
    lake: Lake, tasks: Tasks, table: str, columns: pl.Schema, partitions: Sequence[Partition] | None = None
) -> Files:
    """All files of a table, or of some partitions; none if there is no such table."""
    return Files(data_files(lake, tasks, table, columns.names(), partitions), columns)


def decided_of(lake: Lake, tasks: Tasks, known: int | None = None) -> Decided:
    """The lake's; none without the factory's tables."""
    return Decided(
        files_of(lake, tasks, schemas.DECISIONS.name, rows.DECISIONS),
        files_of(lake, tasks, schemas.FACTORY_MODELS.name, rows.MODELS),
        known,
    )


def cases_of(lake: Lake, tasks: Tasks) -> Files:
    """The cases. Raises `DataError` if nothing ever looked for any."""
    if not lake.exists(schemas.CASES.name):
        raise DataError(f"table cases is not in {lake.root}: run fraud scan first")
    return files_of(lake, tasks, schemas.CASES.name, rows.CASES)


def settled_until(lake: Lake) -> int:
    """The end of the last finished run, in microseconds since 1970; NEVER before the first."""
    if not lake.exists(schemas.MODERATION_RUNS.name):
        return NEVER
    until = lake.rows(schemas.MODERATION_RUNS.name, ["until"]).column("until").to_pylist()
    return max((as_micros(cast("datetime", moment)) for moment in until), default=NEVER)


def slices_of(*files: Files) -> int:
    """In how many slices tables are looked at, so that no task holds too much of one."""
    return slices_for(max(each.rows for each in files), ROWS_AT_ONCE)


def size_of(*files: Files) -> int:
    """Bytes that a slice's task opens."""
    return sum(each.size for each in files)
