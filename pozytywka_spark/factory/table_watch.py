"""Decisions of a table's side against what people say of later cases, in a table too."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import asdict, dataclass
from datetime import datetime
from typing import Any

import polars as pl

from pozytywka_spark.config import Settings
from pozytywka_spark.errors import UsageError
from pozytywka_spark.factory.boosters import boosters_of
from pozytywka_spark.factory.decide import ruling_of
from pozytywka_spark.factory.decide_work import Decider, Ruling, decisions, is_audited, scores_of
from pozytywka_spark.factory.deciders import booster_files, deciders_of
from pozytywka_spark.factory.inputs import Group
from pozytywka_spark.factory.split import witnesses
from pozytywka_spark.factory.states import LIVE, Row, States
from pozytywka_spark.factory.table_inputs import gather_file
from pozytywka_spark.factory.tally import Tally, tally
from pozytywka_spark.factory.watch import RIGHT, tally_of
from pozytywka_spark.lake.api import Lake
from pozytywka_spark.lake.shards import DataFile
from pozytywka_spark.lake.tasks import TaskFiles
from pozytywka_spark.months import as_micros


@dataclass(frozen=True)
class TableAsked:
    """A labelled table, and the column that is the score if the side was built with one."""

    path: str
    score_column: str = ""


@dataclass(frozen=True)
class CompareTable:
    """Work on a group's rows: tells the `Tally` of a side's decisions about cases after `since` and up to
    `before` (microseconds), an account's first one for all; `audited`: those alone that audits have drawn.
    """

    side: str
    decider: Decider
    boosters: tuple[DataFile, ...]
    ruling: Ruling
    since: int
    before: int
    audited: bool
    limit: float

    def __call__(self, items: Sequence[Group], files: TaskFiles) -> Iterator[dict[str, Any]]:
        """A line a group."""
        for group in items:
            key = (self.decider.build_id, group.name)
            booster = boosters_of([key], self.boosters, files)[key]
            parts = []
            for parcel in group.rows:
                rows = files.read([parcel])
                time = pl.col("cut_off")
                rows = rows.filter((time > self.since) & (time <= self.before))
                if self.audited:
                    rows = rows.filter(is_audited(rows.get_column("case_id"), self.ruling))
                if not rows.height:
                    continue
                score, _ = scores_of(group.name, rows, self.ruling.names, self.ruling.names, booster)
                said = pl.Series("decision", decisions(score, self.decider.sides), pl.String)
                columns = ["case_id", "accounts", "cut_off", "verdict"]
                parts.append(rows.select(columns).filter(said == self.side))
            yield asdict(self._tally(parts))

    def _tally(self, parts: Sequence[pl.DataFrame]) -> Tally:
        if not parts:
            return tally([], [], self.limit, 0)
        decided = pl.concat(parts).sort("cut_off", "case_id")
        owner = pl.Series("witness", witnesses(decided.get_column("accounts").to_list()))
        first = decided.with_columns(owner).unique("witness", keep="first", maintain_order=True)
        wrong = first.select(pl.col("verdict") != RIGHT[self.side]).to_series().to_list()
        return tally(wrong, first.get_column("cut_off").to_list(), self.limit, 0)


def compared_with_table(
    settings: Settings, lake: Lake, states: States, row: Row, at: datetime | None, asked: TableAsked
) -> tuple[Tally | None, datetime]:
    """What the table says of a side in shadow since its build, of a live one's audits since it is live; and
    the time of the table's latest case. Raises `DataError`, `UsageError`.
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
            1.0 - settings.factory.precision,
        )
        done = tasks.run(
            gathered.groups, work, weight=lambda each: each.size, named=lambda each: f"group {each.name}"
        )
    return next(map(tally_of, done.results), None), gathered.latest
