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
class Compare:
    """Work on sides (build_id, group, side, modes, since, before, threshold): tells of each, in order of
    verdicts, when each witness's first decided case was judged, and whether it was wrong; and `latest`, when
    the build last decided a case of the group.
    """

    said: Said
    cases: tuple[DataFile, ...]

    def __call__(self, items: Sequence[tuple[Any, ...]], files: TaskFiles) -> Iterator[dict[str, Any]]:
        """A line a side."""
        cases = files.shared(self.cases, ["case_id", "group", "accounts", "opened_at"])
        cases = cases.with_columns(pl.col("opened_at").dt.epoch("us"))
        decisions = files.shared(
            self.said.decisions, ["case_id", "group", "decision", "mode", "build_id", "decided_at"]
        )
        for build_id, group, side, modes, since, before in items:
            decided = decisions.filter((pl.col("build_id") == build_id) & (pl.col("group") == group))
            mine = decided.filter((pl.col("decision") == side) & pl.col("mode").is_in(list(modes)))
            mine = mine.unique("case_id").drop("decided_at")
            opened = pl.col("opened_at")
            held = cases.filter((opened >= since) & (opened < before))
            joined = held.drop("group").join(mine, on="case_id", how="inner")
            judged = judged_cases(joined, self.said, files).filter(pl.col("verdict").is_not_null())
            judged = judged.sort("decided_at", "case_id")
            owner = pl.Series("witness", witnesses(judged.get_column("accounts").to_list()))
            first = judged.with_columns(owner).unique("witness", keep="first", maintain_order=True)
            final = pl.when(pl.col("looked") >= -1).then("looked").otherwise("verdict")
            wrong = first.select(final != _RIGHT[side]).to_series().to_list()
            yield {
                "key": [build_id, group, side],
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


def compared(
    lake: Lake, tasks: Tasks, sides: Sequence[tuple[Any, ...]], at: datetime
) -> dict[tuple[str, str, str], Compared]:
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
        sides, Compare(said, cases), weight=lambda _: size, named=lambda side: f"{side[2]} of group {side[1]}"
    )
    return {tuple(line["key"]): Compared(line["wrong"], line["at"], line["latest"]) for line in done.results}


def withdrawals(
    settings: Settings, lake: Lake, tasks: Tasks, states: States, until: datetime
) -> list[tuple[Row, str, datetime]]:
    """Live sides whose audits refute that they are as good as demanded: the row, why, and since when."""
    live = {(r["build_id"], r["group"], r["side"]): r for r in states.at(until) if r["state"] == LIVE}
    sides = [
        (*key, (AUDIT,), as_micros(row["effective_at"]), as_micros(until))
        for key, row in sorted(live.items())
    ]
    limit, found = 1.0 - settings.factory.precision, []
    for key, side in compared(lake, tasks, sides, until).items():
        place = withdrawn_at(side.wrong, limit)
        if place is not None:
            reason = f"withdrawn: {sum(side.wrong[: place + 1])} of {place + 1} audited were wrong"
            # not before what it has decided already: that was decided by a side that was live
            found.append((live[key], reason, as_moment(max(side.at[place], side.latest + 1))))
    return found


@dataclass(frozen=True)
class Fresh:
    """What fresh shadow cases say of a side."""

    tested: int
    wrong: int
    low: float
    proven: bool


def fresh(settings: Settings, lake: Lake, row: Row, since: datetime, at: datetime) -> Fresh:
    """Whether shadow cases since the build prove a side again."""
    key = (row["build_id"], row["group"], row["side"])
    with lake.tasks() as tasks:
        told = compared(lake, tasks, [(*key, (SHADOW, AUDIT), as_micros(since), as_micros(at))], at)
    wrong = told[key].wrong if key in told else []
    chosen = settings.factory
    count, bad = len(wrong), sum(wrong)
    proven = (
        count > 0 and float(p_value(bad, count, 1.0 - chosen.precision)) <= 1.0 - chosen.confidence + 1e-12
    )
    low = precision_low(bad, count, chosen.confidence) if count else 0.0
    return Fresh(count, bad, low, proven)
