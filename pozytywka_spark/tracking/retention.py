"""Keeping the lake tidy without losing what a registered model came from."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from pozytywka_spark import schemas
from pozytywka_spark.config import Settings
from pozytywka_spark.lake.api import Lake
from pozytywka_spark.tracking.registry import pinned_versions
from pozytywka_spark.tracking.store import connect


@dataclass(frozen=True)
class RetentionRow:
    """What was done to one table: `deleted` files; versions kept; pins that were lost before."""

    table: str
    compacted: bool
    deleted: int
    pinned: tuple[int, ...]
    lost: tuple[int, ...]


def maintain(settings: Settings, lake: Lake, *, compact: bool = True) -> list[RetentionRow]:
    """Compact every table of the lake, then delete the files that neither a version younger than
    `lake.retention_hours` nor a pinned one needs. Pinned are the versions that any registered model of the
    MLflow store was trained on.

    Without the store nobody knows the pins: nothing is deleted then. Raises `TrackingError` if MLflow can't
    be reached, `LakeError` if a table can't be rewritten.

    Of tables that people may be known by no older version is kept, for a model neither: what was deleted or
    masked in them must be gone.
    """
    pins = pinned_versions(connect(settings), lake.root)
    tables = []
    for table in table_names(settings):
        if lake.exists(table):
            tables.append(_maintain(lake, table, pins.get(table, set()), settings, compact=compact))
    return tables


def table_names(settings: Settings) -> list[str]:
    """Every table that a job of this project writes."""
    made = [value.name for value in vars(schemas).values() if isinstance(value, schemas.Table)]
    computed = [
        schemas.user_month_table([]),
        schemas.features_table([]),
        schemas.labels_table(settings.label.horizon_column),
    ]
    return sorted({*made, *(table.name for table in computed)})


def _maintain(lake: Lake, table: str, needed: set[int], settings: Settings, *, compact: bool) -> RetentionRow:
    personal = bool(schemas.personal_columns(table))
    hours = 0 if personal else settings.lake.retention_hours
    compacted = compact and lake.compact(table) is not None
    there = {commit.version for commit in lake.history(table)}
    pinned = [] if personal else sorted(needed & there)
    deleted = lake.vacuum(table, retention_hours=hours, keep_versions=pinned)
    return RetentionRow(table, compacted, deleted, tuple(pinned), tuple(sorted(needed - set(pinned))))


def as_rows(tables: Sequence[RetentionRow]) -> list[dict[str, object]]:
    """A row a table, for people."""
    return [
        {
            "table": each.table,
            "compacted": each.compacted,
            "files deleted": each.deleted,
            "versions kept for models": ", ".join(map(str, each.pinned)) or None,
            "lost before": ", ".join(map(str, each.lost)) or None,
        }
        for each in tables
    ]
