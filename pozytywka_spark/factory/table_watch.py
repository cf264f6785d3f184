"""Decisions of a table's side against what people say of later cases, in a table too."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from pozytywka_spark.config import Settings
from pozytywka_spark.errors import UsageError
from pozytywka_spark.factory.decide import ruling_of
from pozytywka_spark.factory.deciders import booster_files, deciders_of
from pozytywka_spark.factory.states import LIVE, Row, States
from pozytywka_spark.factory.table_inputs import gather_file
from pozytywka_spark.factory.table_watch_work import CompareTable
from pozytywka_spark.factory.tally import Tally, tally_of
from pozytywka_spark.lake.api import Lake
from pozytywka_spark.months import as_micros


@dataclass(frozen=True)
class TableSays:
    """What a table says of a side (None: it has no case of the group), when its `latest` case is, and whether
    it has what people said who looked again.
    """

    told: Tally | None
    latest: datetime
    has_looks: bool


@dataclass(frozen=True)
class TableAsked:
    """A labelled table, and the column that is the score if the side was built with one."""

    path: str
    score_column: str = ""


def compared_with_table(
    settings: Settings, lake: Lake, states: States, row: Row, at: datetime | None, asked: TableAsked
) -> TableSays:
    """What the table says of a side in shadow since its build, of a live one's audits since it is live.

    Raises `DataError`, `UsageError`.
    """
    build_id, group = row["build_id"], row["group"]
    is_live = row["state"] == LIVE
    with lake.tasks() as tasks:
        gathered = gather_file(tasks, asked.path, group=group, score_column=asked.score_column)
        if gathered.latest is None:
            raise UsageError(f"--from {asked.path}: no row has a verdict")
        work = CompareTable(
            row["side"],
            next(one for one in deciders_of(states)[group] if one.build_id == build_id),
            booster_files(lake, tasks, [build_id]),
            ruling_of(settings, gathered.names),
            as_micros(row["effective_at"] if is_live else states.built_at(build_id, group)),
            as_micros(at or gathered.latest),
            is_live,
            gathered.has_looks,
            1.0 - settings.factory.precision,
        )
        done = tasks.run(
            gathered.groups, work, weight=lambda each: each.size, named=lambda each: f"group {each.name}"
        )
    return TableSays(next(map(tally_of, done.results), None), gathered.latest, gathered.has_looks)
