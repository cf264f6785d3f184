"""State of earlier builds, as files that the third job reads: by bucket of users, and of tracks."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import date

from pozytywka_spark.features.build.items import Held
from pozytywka_spark.lake.api import Lake
from pozytywka_spark.lake.shards import DataFile, Shard
from pozytywka_spark.lake.tasks import Tasks
from pozytywka_spark.months import month_after
from pozytywka_spark.schemas import ARTIST_DEBUTS, FIRST_LIKES, TRACK_PLAYS, USER_DEBUTS


@dataclass(frozen=True)
class Earlier:
    """Of the months before a build's first one: `held` by bucket, `plays` the files of `track_plays`."""

    held: dict[int, Held] = field(default_factory=dict)
    plays: tuple[DataFile, ...] = ()


def earlier_than(lake: Lake, tasks: Tasks, first: date, built: Sequence[date], reach: int) -> Earlier:
    """Of the months `built` before `first`; the longest trailing window is of `reach` months."""
    before = sorted(month for month in built if month < first)
    if not before:
        return Earlier()
    oldest = month_after(first, 1 - reach)
    recent = [month for month in before if month >= oldest]

    def by_bucket(name: str, months: Sequence[date]) -> dict[int, tuple[DataFile, ...]]:
        files: dict[int, tuple[DataFile, ...]] = {}
        for shard in _of_months(lake, tasks, name, months):
            bucket = shard.partition["user_bucket"]
            files[bucket] = (*files.get(bucket, ()), *shard.files)
        return files

    likes, artists = by_bucket(FIRST_LIKES.name, before), by_bucket(ARTIST_DEBUTS.name, before)
    users, rows = by_bucket(USER_DEBUTS.name, before), by_bucket("user_month", recent)
    data_files = {
        bucket: Held(likes.get(bucket, ()), artists.get(bucket, ()), users[bucket], rows.get(bucket, ()))
        for bucket in users  # whoever is known has begun
    }
    plays = _of_months(lake, tasks, TRACK_PLAYS.name, before)
    return Earlier(data_files, tuple(file for shard in plays for file in shard.files))


def _of_months(lake: Lake, tasks: Tasks, name: str, months: Sequence[date]) -> list[Shard]:
    return lake.shards(name, tasks, [{"month": month} for month in months]) if months else []
