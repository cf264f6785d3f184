"""Each command dies after each of its writes to the lake; run again it ends in the same tables.

After one write is before the next, before the first nothing was done, and after the last all is. The lake
as it is between two writes is what a command that dies there leaves behind.
"""

from __future__ import annotations

import shutil
from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import polars as pl
import pytest
from pyspark.sql import SparkSession

from pozytywka_spark.config import Settings, load_settings
from pozytywka_spark.factory.build import Asked, build
from pozytywka_spark.factory.decide import decide
from pozytywka_spark.factory.promote import promote, promote_of_table, stop
from pozytywka_spark.factory.table_watch import TableAsked
from pozytywka_spark.lake import open_lake
from pozytywka_spark.lake.api import Lake
from tests.breaking_lake import CopiedLake
from tests.factory.test_factory_job import labelled
from tests.factory.test_lake import BUILT, END, PROMOTED, days, erring, look_again, put
from tests.moderation.world import contents

MODELS, BOOSTERS, LOOKS, DECIDED = "factory_models", "factory_boosters", "second_looks", "decisions"
TABLES = (MODELS, BOOSTERS, LOOKS, DECIDED)
LIVE = PROMOTED + timedelta(days=2)
LATER = END + timedelta(days=9)


@dataclass(frozen=True)
class Step:
    """A command, its writes by table, and the days whose cases and verdicts come before it."""

    name: str
    run: Callable[[Settings, Any], object]
    writes: tuple[str, ...]
    first: int = 0
    last: int = 0
    errs: bool = False  # one first verdict of 30 is wrong
    answered: datetime | None = None  # before it people look again at what they are asked


def deciding(
    name: str,
    until: datetime,
    writes: tuple[str, ...],
    first: int = 0,
    last: int = 0,
    *,
    errs: bool = False,
) -> Step:
    return Step(name, lambda settings, lake: decide(settings, lake, until), writes, first, last, errs)


def building(name: str, at: datetime, writes: tuple[str, ...], first: int = 0, last: int = 0) -> Step:
    return Step(name, lambda settings, lake: build(settings, lake, Asked(at=at)), writes, first, last)


EARLY = LIVE + timedelta(days=5, minutes=1)  # so few audits that only second looks tell
TO_LIVE = [
    building("build", BUILT, (BOOSTERS, LOOKS, MODELS), 0, 111),
    deciding("decide in shadow", PROMOTED, (DECIDED,)),
    Step("promote", lambda settings, lake: promote(settings, lake, "pace", "refuse", LIVE), (MODELS,)),
]
# audits withdraw a side by what has just been decided, or by what was decided before
WITHDRAWN_AFTER = [
    deciding("decide live", END, (DECIDED, MODELS), 113, 150),
    Step("stop", lambda settings, lake: stop(settings, lake, "pace", "approve", END), (MODELS,)),
    deciding("decide up to the stop", LATER, (DECIDED,), 150, 155),
    building("build what nothing proves", LATER, (LOOKS, MODELS)),
]
WITHDRAWN_BEFORE = [
    deciding("decide live", EARLY, (DECIDED, LOOKS), 113, 150),
    replace(deciding("withdraw and decide", END, (MODELS, DECIDED)), answered=EARLY + timedelta(hours=1)),
]
ERRING = [
    building("build", BUILT, (BOOSTERS, LOOKS, MODELS), 0, 80),
    deciding("decide in shadow", PROMOTED, (DECIDED,), 80, 111, errs=True),
]


def promoting_at(name: str, at: datetime, writes: tuple[str, ...], answered: datetime | None = None) -> Step:
    return Step(
        name,
        lambda settings, lake: promote(settings, lake, "pace", "refuse", at),
        writes,
        answered=answered,
    )


LOOKED_AGAIN = [
    promoting_at("promote asks", LIVE, (LOOKS,)),
    promoting_at("promote", LIVE + timedelta(days=1), (MODELS,), answered=LIVE + timedelta(hours=1)),
    deciding("decide live asks", END, (DECIDED, LOOKS), 114, 150, errs=True),
]


FRESH = timedelta(days=90)  # after all that the table is built of


def of_table(settings: Settings, name: str, later: timedelta = timedelta(0)) -> str:
    """A table of cases that a number tells, so much later."""
    path = Path(settings.home) / f"{name}.parquet"
    if not path.exists():
        cases = labelled(("pace",), seed=len(name)).drop("score", "device")
        cases.with_columns(pl.col("cut_off") + later).write_parquet(path)
    return str(path)


def promoting(settings: Settings, lake: Any) -> object:
    asked = TableAsked(of_table(settings, "later", FRESH))
    return promote_of_table(settings, lake, "pace", "refuse", None, asked)


OF_TABLE = [
    Step("build", lambda s, lake: build(s, lake, Asked(file=of_table(s, "cases"))), (BOOSTERS, MODELS)),
    Step("promote", promoting, (MODELS,)),
    Step("stop", lambda s, lake: stop(s, lake, "pace", "refuse", LATER, "table"), (MODELS,)),
]


@dataclass(frozen=True)
class Lakes:
    """Lakes after so many undisturbed steps, each made once, from that of the steps before its last."""

    spark: SparkSession
    folder: Path

    def after(self, steps: list[Step]) -> Path:
        """Its root, to be copied."""
        root = self.folder / "-".join(["none", *(f"{step.name} {step.last}" for step in steps)])
        if root.exists():
            return root
        if not steps:
            root.mkdir()
            return root
        shutil.copytree(self.after(steps[:-1]), root)
        settings = with_few_trees(load_settings("local", [f"home={self.folder}/home"]))
        lake = at_root(settings, str(root), self.spark)
        prepare(steps[-1], lake)
        steps[-1].run(settings, lake)
        return root


@pytest.fixture(scope="module")
def lakes(spark: SparkSession, tmp_path_factory: pytest.TempPathFactory) -> Lakes:
    return Lakes(spark, tmp_path_factory.mktemp("lakes"))


@pytest.mark.parametrize(
    ("undisturbed", "killed"),
    [
        ([], TO_LIVE),
        (TO_LIVE, WITHDRAWN_AFTER),
        (TO_LIVE, WITHDRAWN_BEFORE),
        (TO_LIVE[:1], OF_TABLE),
        (ERRING, LOOKED_AGAIN),
    ],
    ids=["to live", "withdrawn after", "withdrawn before", "of a table", "looked again"],
)
def test_killed_after_each_write(
    spark: SparkSession, settings: Settings, lakes: Lakes, undisturbed: list[Step], killed: list[Step]
) -> None:
    settings = with_few_trees(settings)
    whole = at_root(settings, f"{settings.home}/whole", spark)
    shutil.copytree(lakes.after(undisturbed), whole.root)
    copied = CopiedLake(whole)
    for step in killed:
        prepare(step, whole)
        begun = len(copied.copies)
        step.run(settings, copied)
        assert copied.tables[begun:] == [*step.writes], step.name
        expected = contents(whole, *TABLES)
        step.run(settings, whole)
        assert contents(whole, *TABLES) == expected, f"{step.name}, run twice"
        for place, root in enumerate(copied.copies[begun + 1 :], 1):
            lake = at_root(settings, str(root), spark)
            step.run(settings, lake)
            assert contents(lake, *TABLES) == expected, (step.name, place)
    if killed is OF_TABLE:
        assert {row["source"] for row in expected[MODELS] if row["state"] != "shadow"} == {"table"}
        assert [row["state"] for row in expected[MODELS] if row["state"] in ("live", "stopped")] != []
        return
    modes = {row["mode"] for row in expected[DECIDED]}
    assert modes == ({"shadow", "live", "audit"} if undisturbed else {"shadow", "audit"})


def prepare(step: Step, lake: Lake) -> None:
    if step.last:
        made = days(step.first, step.last, fallen=step.first > 0 and not step.errs)
        put(lake, erring(made, 30) if step.errs else made)
    if step.answered:
        look_again(lake, [*days(80, 111), *days(113, 150, fallen=True)], step.answered)


def at_root(settings: Settings, root: str, spark: SparkSession) -> Lake:
    chosen = settings.lake.model_copy(update={"root": root})
    return open_lake(settings.model_copy(update={"lake": chosen}), spark)


def with_few_trees(settings: Settings) -> Settings:
    few = settings.factory.model_copy(update={"max_rounds": 10})
    return settings.model_copy(update={"factory": few})
