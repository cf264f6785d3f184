"""Decisions against what people say: fresh cases that prove a side again, audits that withdraw one.

Where the first verdict of a person speaks against a side, the case goes back to people, so many at a time as
`factory.second_looks` says, in the order of these verdicts. Chargebacks, silence and appeals count as they
are.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import asdict, dataclass
from datetime import datetime
from typing import Any

import polars as pl

from pozytywka_spark.config import Settings
from pozytywka_spark.factory.inputs import files_with_rows
from pozytywka_spark.factory.labels import AUDIT, Said, judged_cases
from pozytywka_spark.factory.people import noise_of_people
from pozytywka_spark.factory.proof.cases import NOT_LOOKED
from pozytywka_spark.factory.proof.fresh import fewest_at_any_time, is_proven, low_at_any_time
from pozytywka_spark.factory.proof.noise import NOBODY_ERRS, Noise
from pozytywka_spark.factory.split import first_of_witnesses
from pozytywka_spark.factory.states import LAKE, LIVE, SHADOW, Row, States
from pozytywka_spark.factory.tally import RIGHT, Against, Tally, tally, tally_of
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
    noise: Noise
    most: int

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
            first = first_of_witnesses(judged.sort("decided_at", "case_id"))
            told, ask = against(first, RIGHT[one.side], self.most)
            latest = decided.select(pl.col("decided_at").dt.epoch("us").max().fill_null(0)).item()
            yield {"place": place, **asdict(tally(told, self.limit, latest, self.noise, ask))}


def against(judged: pl.DataFrame, right: int, most: int) -> tuple[Against, list[str]]:
    """What is said against decisions that are right where the verdict is `right`, and whom to ask again: so
    many that at `most` cases are on people's desks. `judged`: as `labels.judged_cases` has it, in its order.
    """
    looked, verdict = pl.col("looked"), pl.col("verdict")
    # once asked, the first of three may look like a change of mind: unsure before, and sure since
    by_person = (pl.col("delayed") == verdict).fill_null(value=False)
    unsettled = (looked == NOT_LOOKED) & by_person & ((verdict != right) | pl.col("asked_at").is_not_null())
    flags = judged.select(
        "case_id",
        "decided_at",
        "asked_at",
        at_first=verdict != right,
        waits=unsettled if most else pl.lit(value=False),
        wrong=pl.when(looked == NOT_LOOKED).then(verdict).otherwise(looked) != right,
    )
    waiting = flags.filter("waits").head(most).filter(pl.col("asked_at").is_null())
    wrong = flags.get_column("wrong") & ~flags.get_column("waits")
    columns = [flags.get_column(name).to_list() for name in ("waits", "at_first", "decided_at")]
    return Against(wrong.to_list(), *columns), waiting.get_column("case_id").to_list()


def compared(
    settings: Settings, lake: Lake, tasks: Tasks, sides: Sequence[Watched], at: datetime, noise: Noise
) -> dict[Watched, Tally]:
    """Of each side what `Compare` tells; nothing where there are no decisions or no cases.

    `noise`: how often people err (`people.noise_of_people`).
    """
    if not sides:
        return {}
    verdicts, decisions, looks, cases = (
        files_with_rows(lake, tasks, table) for table in ("verdicts", "decisions", "second_looks", "cases")
    )
    said = Said(verdicts, (), (), decisions, looks, as_micros(at), watches=True)
    if not said.decisions or not said.verdicts or not cases:
        return {}
    chosen = settings.factory
    size = sum(file.size for file in (*said.decisions, *cases))
    done = tasks.run(
        list(enumerate(sides)),
        Compare(said, cases, 1.0 - chosen.precision, noise, chosen.second_looks),
        weight=lambda _: size,
        named=lambda item: f"{item[1].side} of group {item[1].group}",
    )
    return {
        sides[line["place"]]: tally_of(line)
        for line in sorted(done.results, key=lambda line: int(line["place"]))
    }


def audited(
    settings: Settings, lake: Lake, tasks: Tasks, states: States, until: datetime
) -> list[tuple[Row, Tally]]:
    """Live sides with audits, and what these say."""
    rows = sorted((row for row in states.of(LAKE).at(until) if row["state"] == LIVE), key=side_of)
    live = {
        Watched(*side_of(row), (AUDIT,), as_micros(row["effective_at"]), as_micros(until)): row
        for row in rows
    }
    if not live:
        return []
    noise = noise_of_people(lake, tasks, until)
    found = compared(settings, lake, tasks, list(live), until, noise)
    return [(live[one], side) for one, side in found.items()]


def withdrawals(sides: Sequence[tuple[Row, Tally]]) -> list[tuple[Row, str, datetime]]:
    """Those whose audits refute that they are as good as demanded: the row, why, and since when."""
    found = []
    for row, side in sides:
        if side.withdrawn is not None:
            tested, wrong, at = side.withdrawn
            # not before what it has decided already: that was decided by a side that was live
            found.append((row, withdrawn_for(tested, wrong), as_moment(max(at, side.latest + 1))))
    return found


def withdrawn_for(audited: int, wrong: int) -> str:
    """Why a side is stopped."""
    return f"withdrawn: {wrong} of {audited} audited were wrong"


def side_of(row: Row) -> tuple[str, str, str]:
    """Build, group and side."""
    return row["build_id"], row["group"], row["side"]


@dataclass(frozen=True)
class Fresh:
    """What fresh shadow cases say of a side; `low` holds however often they are looked at.

    Those `waiting` for second looks aren't in `wrong`, and count as wrong until then; `ask`: cases to ask
    about now. `needed`: accounts without an error that would prove it.
    """

    tested: int
    wrong: int
    low: float
    proven: bool
    needed: int
    waiting: int = 0
    ask: tuple[str, ...] = ()


def fresh(settings: Settings, lake: Lake, row: Row, since: datetime, at: datetime) -> Fresh:
    """Whether shadow cases since the build prove a side again."""
    one = Watched(*side_of(row), (SHADOW, AUDIT), as_micros(since), as_micros(at))
    with lake.tasks() as tasks:
        noise = noise_of_people(lake, tasks, at)
        told = compared(settings, lake, tasks, [one], at, noise)
    return judged_fresh(settings, told.get(one), noise)


def judged_fresh(settings: Settings, told: Tally | None, noise: Noise = NOBODY_ERRS) -> Fresh:
    """Whether so few wrong ones among so many prove it; `noise`: what people's errors hide of wrong ones."""
    limit, alpha = 1.0 - settings.factory.precision, 1.0 - settings.factory.confidence
    noise = noise if told is None else noise.or_as_much(told.overturned)
    limit = noise.visible(limit, 0.0)
    needed = fewest_at_any_time(limit, alpha)
    if told is None:
        return Fresh(0, 0, 0.0, proven=False, needed=needed)
    wrong = told.wrong + told.waiting
    low = max(0.0, 1.0 - noise.true(1.0 - low_at_any_time(wrong, told.tested, alpha), 0.0))
    proven = is_proven(wrong, told.tested, limit, alpha)
    return Fresh(told.tested, told.wrong, low, proven, needed, told.waiting, told.ask)
