"""Decisions against what people say: fresh cases that prove a side again, audits that withdraw one."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

import polars as pl

from pozytywka_spark.config import Settings
from pozytywka_spark.factory.inputs import files_with_rows
from pozytywka_spark.factory.labels import AUDIT, Said, judged_cases
from pozytywka_spark.factory.proof.audits import withdrawn_at
from pozytywka_spark.factory.proof.binomial import p_value, precision_low
from pozytywka_spark.factory.proof.cases import APPROVE, BAD, OK, REFUSE
from pozytywka_spark.factory.split import witnesses
from pozytywka_spark.factory.states import LIVE, SHADOW, Row, States
from pozytywka_spark.lake.api import Lake
from pozytywka_spark.lake.shards import DataFile
from pozytywka_spark.lake.tasks import TaskFiles, Tasks
from pozytywka_spark.months import as_micros, as_moment

_RIGHT = {REFUSE: BAD, APPROVE: OK}


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
    """Work on `Watched`s with their places: tells of each, in order of verdicts, when each witness's first
    decided case was judged, and whether it was wrong; and `latest`, when the build last decided a case of the
    group.
    """

    said: Said
    cases: tuple[DataFile, ...]

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
            wrong = first.select(final != _RIGHT[one.side]).to_series().to_list()
            yield {
                "place": place,
                "wrong": [bool(each) for each in wrong],
                "at": first.get_column("decided_at").to_list(),
                "latest": decided.get_column("decided_at").dt.epoch("us").max() or 0,
            }


@dataclass(frozen=True)
class Compared:
    """A side's decisions against people, an account or ring each: `wrong`, and when people judged it (`at`,
    microseconds). `latest`: when the build last decided a case of the group.
    """

    wrong: list[bool]
    at: list[int]
    latest: int


def compared(lake: Lake, tasks: Tasks, sides: Sequence[Watched], at: datetime) -> dict[Watched, Compared]:
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
        Compare(said, cases),
        weight=lambda _: size,
        named=lambda item: f"{item[1].side} of group {item[1].group}",
    )
    return {
        sides[line["place"]]: Compared(line["wrong"], line["at"], line["latest"])
        for line in sorted(done.results, key=lambda line: int(line["place"]))
    }


def withdrawals(
    settings: Settings, lake: Lake, tasks: Tasks, states: States, until: datetime
) -> list[tuple[Row, str, datetime]]:
    """Live sides whose audits refute that they are as good as demanded: the row, why, and since when."""
    rows = sorted((row for row in states.at(until) if row["state"] == LIVE), key=_side_of)
    live = {
        Watched(*_side_of(row), (AUDIT,), as_micros(row["effective_at"]), as_micros(until)): row
        for row in rows
    }
    limit, found = 1.0 - settings.factory.precision, []
    for one, side in compared(lake, tasks, list(live), until).items():
        place = withdrawn_at(side.wrong, limit)
        if place is not None:
            reason = f"withdrawn: {sum(side.wrong[: place + 1])} of {place + 1} audited were wrong"
            # not before what it has decided already: that was decided by a side that was live
            found.append((live[one], reason, as_moment(max(side.at[place], side.latest + 1))))
    return found


def _side_of(row: Row) -> tuple[str, str, str]:
    return row["build_id"], row["group"], row["side"]


@dataclass(frozen=True)
class Fresh:
    """What fresh shadow cases say of a side."""

    tested: int
    wrong: int
    low: float
    proven: bool


def fresh(settings: Settings, lake: Lake, row: Row, since: datetime, at: datetime) -> Fresh:
    """Whether shadow cases since the build prove a side again."""
    one = Watched(*_side_of(row), (SHADOW, AUDIT), as_micros(since), as_micros(at))
    with lake.tasks() as tasks:
        told = compared(lake, tasks, [one], at)
    wrong = told[one].wrong if one in told else []
    chosen = settings.factory
    count, bad = len(wrong), sum(wrong)
    proven = (
        count > 0 and float(p_value(bad, count, 1.0 - chosen.precision)) <= 1.0 - chosen.confidence + 1e-12
    )
    low = precision_low(bad, count, chosen.confidence) if count else 0.0
    return Fresh(count, bad, low, proven)
