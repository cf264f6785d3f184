"""Which build's sides decide a group's cases, since when: of what `factory_models` says."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime

from pozytywka_spark.factory.decide_work import Decider, Side
from pozytywka_spark.factory.inputs import NEVER
from pozytywka_spark.factory.states import Row, States
from pozytywka_spark.lake.api import Lake
from pozytywka_spark.lake.data_files import data_files
from pozytywka_spark.lake.shards import DataFile
from pozytywka_spark.lake.tasks import Tasks
from pozytywka_spark.months import as_micros
from pozytywka_spark.schemas import FACTORY_BOOSTERS

Deciders = Mapping[str, tuple[Decider, ...]]


def deciders_of(states: States, until: datetime | None = None) -> Deciders:
    """Of each group the builds that watch or decide at some time before `until` (None: ever)."""
    sides: dict[tuple[str, str], dict[str, Row]] = {}
    for row in sorted(states.rows, key=lambda row: row["effective_at"]):
        if row["threshold"] is not None and (until is None or row["effective_at"] <= until):
            sides.setdefault((row["group"], row["build_id"]), {})[row["side"]] = row
    by_group = states.of_groups()
    found: dict[str, list[Decider]] = {}
    for (group, build_id), mine in sorted(sides.items()):
        own = by_group[group]
        chosen = tuple(
            Side(side, float(row["threshold"]), _in_micros(own.history(build_id, side)))
            for side, row in sorted(mine.items())
        )
        since = as_micros(own.built_at(build_id, group))
        found.setdefault(group, []).append(Decider(build_id, chosen, since, _ends(chosen)))
    return {group: tuple(each) for group, each in found.items()}


def newest_of(deciders: Deciders) -> Deciders:
    """Of each group the newest build alone, which decides tables."""
    return {
        group: (max(each, key=lambda one: (one.since, one.build_id)),) for group, each in deciders.items()
    }


def booster_files(lake: Lake, tasks: Tasks, builds: Iterable[str]) -> tuple[DataFile, ...]:
    """Where tasks find the builds' boosters (`boosters.boosters_of`)."""
    partitions = [{"build_id": build_id} for build_id in sorted(set(builds))]
    return data_files(lake, tasks, FACTORY_BOOSTERS.name, partitions=partitions) if partitions else ()


def builds_of(deciders: Deciders) -> set[str]:
    """The builds that they are of."""
    return {one.build_id for each in deciders.values() for one in each}


def _in_micros(history: Sequence[tuple[datetime, str]]) -> tuple[tuple[int, str], ...]:
    return tuple((as_micros(moment), state) for moment, state in history)


def _ends(sides: Sequence[Side]) -> int:
    """When a build's part ends: once no side of it is in force any more; a side never comes back."""
    return max(side.states[-1][0] if side.states[-1][1] == "" else NEVER for side in sides)
