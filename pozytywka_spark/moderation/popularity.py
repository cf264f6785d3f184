"""Popularity without what cheats played: tracks' plays of a month, less their discounted ones."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from typing import Any

from pozytywka_spark import schemas
from pozytywka_spark.lake.api import Lake
from pozytywka_spark.lake.partitions import of_path
from pozytywka_spark.lake.tasks import Tasks
from pozytywka_spark.moderation.inputs import files_of
from pozytywka_spark.moderation.popularity_work import PLAYS, Correct
from pozytywka_spark.moderation.rows import month_at


@dataclass(frozen=True)
class Popularity:
    """A month's tracks with most discounted plays, as `corrected` has them; no month where there are none."""

    month: date | None
    tracks: Sequence[Mapping[str, Any]]


def popularity_of(lake: Lake, tasks: Tasks, at: int) -> Popularity:
    """Of the latest month begun by `at` (microseconds) that has both plays and discounted ones."""
    both = _months(lake, schemas.DISCOUNTED_PLAYS.name) & _months(lake, schemas.TRACK_PLAYS.name)
    month = max((each for each in both if each <= month_at(at)), default=None)
    if month is None:
        return Popularity(None, ())
    plays, discounted = (
        files_of(lake, tasks, table.name, PLAYS, [{"month": month}])
        for table in (schemas.TRACK_PLAYS, schemas.DISCOUNTED_PLAYS)
    )
    done = tasks.run(
        [month],
        Correct(plays, discounted),
        weight=lambda _: plays.size + discounted.size,
        named=lambda each: f"plays of {each:%Y-%m}",
    )
    return Popularity(month, done.results)


def _months(lake: Lake, table: str) -> set[date]:
    if not lake.exists(table):
        return set()
    return {date.fromisoformat(str(of_path(path)["month"])) for path in lake.files(table)}
