"""Decisions against what people say: fresh cases that prove a side again, audits that withdraw one."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import asdict, dataclass
from datetime import datetime
from typing import Any

import polars as pl

from pozytywka_spark.config import Settings
from pozytywka_spark.factory.inputs import files_with_rows
from pozytywka_spark.factory.labels import AUDIT, Said, judged_cases
from pozytywka_spark.factory.proof.fresh import is_proven, low_at_any_time
from pozytywka_spark.factory.split import witnesses
from pozytywka_spark.factory.states import LAKE, LIVE, SHADOW, Row, States
from pozytywka_spark.factory.tally import RIGHT, Tally, tally, tally_of
from pozytywka_spark.lake.api import Lake
from pozytywka_spark.lake.shards import DataFile
from pozytywka_spark.lake.tasks import TaskFiles, Tasks
from pozytywka_spark.months import as_micros, as_moment


@dataclass(frozen=True)
class Watched:
    """A build's side, and which of its decisions: of these modes, about cases opened in [since, before)."""

    build_id: str
    group: str
    side: str
    modes: tuple[str, ...]
    since: int
    before: int


@dataclass(frozen=True)
class Compare:
    """Work on `Watched`s with their places: tells each's `Tally`, of every witness's first decided case in
    order of verdicts.
    """

    said: Said
    cases: tuple[DataFile, ...]
    limit: float

    def __call__(self, items: Sequence[tuple[int, Watched]], files: TaskFiles) -> Iterator[dict[str, Any]]:
        """A line a side."""
        cases = files.shared(self.cases, ["case_id", "group", "accounts", "opened_at"])
        cases = cases.with_columns(pl.col("opened_at").dt.epoch("us"))
        decisions = files.shared(
            self.said.decisions, ["case_id", "group", "decision", "mode", "build_id", "decided_at"]
        )
        for place, one in items:
            decided = decisions.filter((pl.col("build_id") == one.build_id) & (pl.col("group") == one.group))
            mine = decided.filter((pl.col("decision") == one.side) & pl.col("mode").is_in(one.modes))
            mine = mine.unique("case_id").drop("decided_at")
            opened = pl.col("opened_at")
            held = cases.filter((opened >= one.since) & (opened < one.before))
            joined = held.drop("group").join(mine, on="case_id", how="inner")
            judged = judged_cases(joined, self.said, files).filter(pl.col("verdict").is_not_null())
            judged = judged.sort("decided_at", "case_id")
            owner = pl.Series("witness", witnesses(judged.get_column("accounts").to_list()))
            first = judged.with_columns(owner).unique("witness", keep="first", maintain_order=True)
            final = pl.when(pl.col("looked") >= -1).then("looked").otherwise("verdict")
            wrong = first.select(final != RIGHT[one.side]).to_series().to_list()
            latest = decided.select(pl.col("decided_at").dt.epoch("us").max().fill_null(0)).item()
            judged_at = first.get_column("decided_at").to_list()
            yield {"place": place, **asdict(tally(wrong, judged_at, self.limit, latest))}


def compared(
    settings: Settings, lake: Lake, tasks: Tasks, sides: Sequence[Watched], at: datetime
) -> dict[Watched, Tally]:
    """Of each side what `Compare` tells; nothing where there are no decisions or no cases."""
    if not sides:
        return {}

    verdicts, decisions, looks, cases = (
        files_with_rows(lake, tasks, table) for table in ("verdicts", "decisions", "second_looks", "cases")
    )
    said = Said(verdicts, (), (), decisions, looks, as_micros(at))
    if not said.decisions or not said.verdicts or not cases:
        return {}
    size = sum(file.size for file in (*said.decisions, *cases))
    done = tasks.run(
        list(enumerate(sides)),
        Compare(said, cases, 1.0 - settings.factory.precision),
        weight=lambda _: size,
        named=lambda item: f"{item[1].side} of group {item[1].group}",
    )
    return {
        sides[line["place"]]: tally_of(line)
        for line in sorted(done.results, key=lambda line: int(line["place"]))
    }


def withdrawals(
    settings: Settings, lake: Lake, tasks: Tasks, states: States, until: datetime
) -> list[tuple[Row, str, datetime]]:
    """Live sides whose audits refute that they are as good as demanded: the row, why, and since when."""
    rows = sorted((row for row in states.of(LAKE).at(until) if row["state"] == LIVE), key=side_of)
    live = {
        Watched(*side_of(row), (AUDIT,), as_micros(row["effective_at"]), as_micros(until)): row
        for row in rows
    }
    found = []
    for one, side in compared(settings, lake, tasks, list(live), until).items():
        if side.withdrawn is not None:
            audited, wrong, at = side.withdrawn
            # not before what it has decided already: that was decided by a side that was live
            found.append((live[one], withdrawn_for(audited, wrong), as_moment(max(at, side.latest + 1))))
    return found


def withdrawn_for(audited: int, wrong: int) -> str:
    """Why a side is stopped."""
    return f"withdrawn: {wrong} of {audited} audited were wrong"


def side_of(row: Row) -> tuple[str, str, str]:
    """Build, group and side."""
    return row["build_id"], row["group"], row["side"]


@dataclass(frozen=True)
class Fresh:
    """What fresh shadow cases say of a side; `low` holds however often they are looked at."""

    tested: int
    wrong: int
    low: float
    proven: bool


def fresh(settings: Settings, lake: Lake, row: Row, since: datetime, at: datetime) -> Fresh:
    """Whether shadow cases since the build prove a side again."""
    one = Watched(*side_of(row), (SHADOW, AUDIT), as_micros(since), as_micros(at))
    with lake.tasks() as tasks:
        told = compared(settings, lake, tasks, [one], at)
    return judged_fresh(settings, told.get(one))


def judged_fresh(settings: Settings, told: Tally | None) -> Fresh:
    """Whether so few wrong ones among so many prove it."""
    if told is None:
        return Fresh(0, 0, 0.0, proven=False)
    limit, alpha = 1.0 - settings.factory.precision, 1.0 - settings.factory.confidence
    low = low_at_any_time(told.wrong, told.tested, alpha)
    return Fresh(told.tested, told.wrong, low, is_proven(told.wrong, told.tested, limit, alpha))
