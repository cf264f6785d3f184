"""What the lake and the registry say of a view: its table's version, its files, the champion."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date

from pozytywka_spark.config import Settings
from pozytywka_spark.featurestore.rows import Reading
from pozytywka_spark.featurestore.state import TableNow
from pozytywka_spark.featurestore.views import View
from pozytywka_spark.lake.api import Lake, Partition
from pozytywka_spark.lake.shards import DataFile, Shard
from pozytywka_spark.lake.tasks import Tasks


@dataclass(frozen=True)
class Files:
    """A view's table at a version: files, and the newest month that they hold rows of."""

    files: tuple[DataFile, ...]
    last_month: date | None

    @property
    def rows(self) -> int:
        """How many rows the files hold."""
        return sum(file.rows for file in self.files)


def table_now(settings: Settings, lake: Lake, view: View) -> TableNow:
    """The table as it is. Raises `LakeError` if there is none, `TrackingError` if MLflow isn't reached."""
    model = champion_of(settings) if view.champion else None
    # a table that is made anew between the two has a low version and the new name, and is read whole
    version, identity = lake.version(view.table), lake.identity(view.table)
    return TableNow(version, identity, definition_of(settings, view, model), model)


def definition_of(settings: Settings, view: View, model: tuple[str, int] | None) -> str:
    """Names all that decides a view's values but its table's rows."""
    return view.definition(settings.featurestore.delay_hours, model)


def champion_of(settings: Settings) -> tuple[str, int] | None:
    """Name and version of the model that serves; None if there is none."""
    from pozytywka_spark.tracking.registry import CHAMPION, aliased
    from pozytywka_spark.tracking.store import connect

    tracking = connect(settings)
    version = aliased(tracking, CHAMPION)
    return (tracking.model_name, version.number) if version else None


def reading_of(settings: Settings, now: TableNow, last_month: date | None) -> Reading:
    """What a view's rows depend on beside the table's."""
    return Reading(settings.featurestore.delay_hours, now.model, last_month)


def partitions_of(view: View, now: TableNow, months: Sequence[date] | None = None) -> list[Partition] | None:
    """The table's partitions that a view has rows of; None: all."""
    given: dict[str, int] = {"model_version": now.model[1]} if view.champion and now.model else {}
    if months is None:
        return [given] if given else None
    return [{"month": month, **given} for month in months]


def files_of(
    lake: Lake,
    tasks: Tasks,
    view: View,
    now: TableNow,
    columns: Sequence[str],
    months: Sequence[date] | None = None,
) -> Files:
    """The table's files, of some months only if given; none of a view of the champion's without one."""
    if (view.champion and now.model is None) or months == []:
        return Files((), None)
    partitions = partitions_of(view, now, months)
    shards = lake.shards(view.table, tasks, partitions, list(columns), version=now.version)
    files = tuple(file for shard in shards for file in shard.files)
    return Files(files, _last_month(shards) if view.by_month else None)


def _last_month(shards: Sequence[Shard]) -> date | None:
    months = [shard.partition["month"] for shard in shards if shard.rows and shard.partition.get("month")]
    return max(months, default=None)
