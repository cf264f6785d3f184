"""The table `discounted_plays`: months whose bad days or events are others than they were."""

from __future__ import annotations

import json
from collections.abc import Sequence
from datetime import date

from pozytywka_spark import schemas
from pozytywka_spark.hashing.fingerprints import fingerprint_of
from pozytywka_spark.lake.api import Lake
from pozytywka_spark.lake.partitions import of_path
from pozytywka_spark.lake.shards import Parcel
from pozytywka_spark.lake.tasks import Tasks
from pozytywka_spark.moderation import rows
from pozytywka_spark.moderation.discount_work import (
    BAD_DAYS,
    COUNTED,
    DIGESTS,
    AddUp,
    CountPlays,
    FindBadDays,
)
from pozytywka_spark.moderation.inputs import cases_of, files_of, size_of, slices_of

_MONTH = "event_month"


def discount(lake: Lake, tasks: Tasks) -> tuple[dict[str, str], int]:
    """Count the plays on bad days, of months of which these or the events have changed since the last run.

    What each month was counted from, for the record of the run, and how many months were counted.
    """
    fouls = files_of(lake, tasks, schemas.FOULS.name, rows.FOULS)
    rings = files_of(lake, tasks, schemas.RINGS.name, rows.RINGS)
    if not fouls.files or not lake.exists(schemas.EVENTS.name):
        return {}, 0
    find = FindBadDays(slices_of(fouls, rings), fouls, cases_of(lake, tasks), rings)
    found = tasks.run(
        range(find.slices),
        find,
        weight=lambda _: size_of(fouls, find.cases),
        named=lambda number: f"slice {number + 1} of accounts",
    )
    digests: dict[str, list[str]] = {}
    for line in found.results:
        for month, digest in line[DIGESTS].items():
            digests.setdefault(month, []).append(digest)
    names = _files_by_month(lake)
    inputs = {
        month: fingerprint_of([sorted(parts), sorted(names.get(month, []))])
        for month, parts in digests.items()
    }
    before = _counted_from(lake)
    changed = sorted(month for month in {*inputs, *before} if inputs.get(month) != before.get(month))
    if changed:
        _count(lake, tasks, found.of(BAD_DAYS), [date.fromisoformat(month) for month in changed])
    return inputs, len(changed)


def _count(lake: Lake, tasks: Tasks, bad: Sequence[Parcel], months: Sequence[date]) -> None:
    wanted = [{_MONTH: month} for month in months]
    counted = tasks.run(
        lake.shards(schemas.EVENTS.name, tasks, wanted, rows.EVENTS.names()),
        CountPlays(tuple(bad), rows.EVENTS),
        weight=lambda shard: shard.size,
        named=lambda shard: f"events of {shard.partition[_MONTH]:%Y-%m}",
    )
    parcels = tuple(counted.of(COUNTED))
    added = tasks.run(
        months,
        AddUp(parcels),
        weight=lambda month: sum(each.size for each in parcels if each.key == (month.isoformat(),)),
        named=lambda month: f"discounted plays of {month:%Y-%m}",
    )
    table = schemas.DISCOUNTED_PLAYS
    if added.written or lake.exists(table.name):
        lake.replace_partitions(added.written, table, [{"month": month} for month in months])


def _files_by_month(lake: Lake) -> dict[str, list[str]]:
    """The names of the events' files by month, from the log."""
    names: dict[str, list[str]] = {}
    for path in lake.files(schemas.EVENTS.name):
        names.setdefault(str(of_path(path).get(_MONTH)), []).append(path.rpartition("/")[2])
    return names


def _counted_from(lake: Lake) -> dict[str, str]:
    """What the last finished run counted each month from."""
    if not lake.exists(schemas.MODERATION_RUNS.name):
        return {}
    runs = lake.rows(schemas.MODERATION_RUNS.name, ["until", "discounted"]).to_pylist()
    last = max(runs, key=lambda row: row["until"], default=None)
    return {} if last is None else dict(json.loads(last["discounted"]))
