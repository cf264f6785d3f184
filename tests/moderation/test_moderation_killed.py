"""SIGKILL once so many commits are made, as of a machine that goes down; then the same commands again."""

from __future__ import annotations

import time
from pathlib import Path

from pyspark.sql import SparkSession

from pozytywka_spark import schemas
from pozytywka_spark.config import Settings
from pozytywka_spark.lake import open_lake
from pozytywka_spark.lake.api import Lake
from tests.forked import SECONDS, forked
from tests.moderation.killed_child import commands, work
from tests.moderation.world import OUTCOME, case, contents, play, put

KILLS = 4


def test_killed_within_its_commits(spark: SparkSession, settings: Settings) -> None:
    lakes = {name: f"{settings.home}/{name}" for name in ("whole", "killed")}
    for root in lakes.values():
        a_few(at_root(settings, root, spark))
    commands(settings, at_root(settings, lakes["whole"], spark))
    kills = 0
    while kills < KILLS and not is_done(settings, lakes["killed"], kill_after=1):
        kills += 1
    assert kills
    assert is_done(settings, lakes["killed"])
    found = {name: contents(at_root(settings, root, spark), *OUTCOME) for name, root in lakes.items()}
    assert found["killed"] == found["whole"]
    assert len(found["whole"]["fouls"]) == 5


def at_root(settings: Settings, root: str, spark: SparkSession) -> Lake:
    return open_lake(
        settings.model_copy(update={"lake": settings.lake.model_copy(update={"root": root})}), spark
    )


def a_few(lake: Lake) -> None:
    put(lake, schemas.CASES, *(case(name, 1, number) for name, number in (("a", 0), ("b", 3), ("c", 6))))
    put(lake, schemas.EVENTS, *(play(1, number + 0.5) for number in range(40)))


def commits(root: str) -> int:
    return sum(1 for _ in Path(root).glob("*/_delta_log/*.json"))


def is_done(settings: Settings, root: str, kill_after: int | None = None) -> bool:
    """Whether the child came to its end; it is killed as soon as it has made so many commits."""
    overrides = [f"home={settings.home}", f"lake.root={root}"]
    most = commits(root) + (kill_after or 0)
    with forked(work, overrides) as child:
        assert child.hear() == "ready"
        if kill_after is None:
            return bool(child.hear() == "done")
        until = time.monotonic() + SECONDS
        while commits(root) < most and time.monotonic() < until and not child.pipe.poll(0.005):
            pass
        child.kill()
        return child.has_told("done")
